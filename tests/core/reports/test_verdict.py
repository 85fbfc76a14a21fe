"""A thousand problems of one cause are one cause, and what it does not explain stays by itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.archive.run_report import OutcomeRecord
from canvas_exports.core.model.causes import MOST_SAMPLED, Cause, RunCause, cause_of
from canvas_exports.core.reports.run_table import table
from canvas_exports.core.reports.verdict import find_causes, unexplained
from canvas_exports.errors import (
    ArchiveDeniedError,
    CanvasUnavailableError,
    CredentialError,
    LockedError,
    NotFoundError,
    ResponseLostError,
)


def row(number: int, cause: str | None = None, *, problem: bool = True) -> OutcomeRecord:
    outcome = "interrupted" if problem else "stored"
    return OutcomeRecord(
        f"course:{number}", "common_cartridge", outcome, "because", problem=problem, cause=cause
    )


def test_the_cause_of_most_exports_comes_first_with_a_sample() -> None:
    rows = [row(1, "archive_denied"), *(row(number, "credential") for number in range(2, 1002)), row(2000)]
    first, second = find_causes(rows)
    assert (first.code, first.exports, len(first.contexts)) == ("credential", 1000, MOST_SAMPLED)
    assert first.extent == "1,000 exports: course:2, course:3, course:4, course:5, course:6 and 995 more"
    assert (second.code, second.extent) == ("archive_denied", "1 export: course:1")
    assert [each.context for each in unexplained(rows, (first, second))] == ["course:2000"]


def test_one_course_that_could_not_be_reached_is_no_cause_of_a_night() -> None:
    rows = [row(1, "canvas_unavailable"), row(2, "archive_unavailable"), row(3, problem=False)]
    assert find_causes(rows) == ()
    assert unexplained(rows, ()) == rows


def test_a_night_of_one_course_has_its_cause() -> None:
    assert [each.code for each in find_causes([row(1, "canvas_unavailable")])] == ["canvas_unavailable"]


def test_errors_about_one_object_are_no_causes() -> None:
    assert cause_of(CredentialError("no")) is Cause.CREDENTIAL
    assert cause_of(ResponseLostError("no")) is Cause.CANVAS_UNAVAILABLE
    assert cause_of(CanvasUnavailableError("no")) is Cause.CANVAS_UNAVAILABLE
    assert cause_of(ArchiveDeniedError("no")) is Cause.ARCHIVE_DENIED
    assert cause_of(LockedError("no")) is cause_of(NotFoundError("no")) is cause_of(None) is None


def test_a_cause_of_a_later_version_is_read_and_explains_nothing_here() -> None:
    later = RunCause("canvas_moved", "Canvas has moved.", "Enter its new address.", 7, ("course:1",))
    assert RunCause.from_json({**later.to_json(), "since": "2027"}) == later
    rows = [row(number, "canvas_moved") for number in range(9)]
    assert find_causes(rows) == ()
    assert unexplained(rows, ()) == rows


codes = st.sampled_from([None, "a_later_one", *(cause.value for cause in Cause)])


@given(st.lists(st.tuples(codes, st.booleans()), max_size=30))
def test_every_problem_is_explained_once_or_named(drawn: list[tuple[str | None, bool]]) -> None:
    rows = [row(number, cause, problem=problem) for number, (cause, problem) in enumerate(drawn)]
    causes = find_causes(rows)
    left = [each for each in unexplained(rows, causes) if each.problem]
    assert sum(cause.exports for cause in causes) + len(left) == sum(each.problem for each in rows)
    printed = table(rows, causes=causes)
    assert all(f"{each.context} " in printed for each in left)
    for cause in causes:
        assert " ".join(printed.split()).count(cause.sentence) == 1
