"""What Canvas said of a course comes back out of the plan as it went in, or not at all."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.archive.manifest import ContextFacts
from canvas_exports.core.canvas.api.models import Course
from canvas_exports.core.export.planning import course_facts
from canvas_exports.core.export.planning.course_facts import CourseFacts, PlannedFacts, facts_of
from canvas_exports.core.model.contexts import Context

CANVAS = "https://canvas.example.edu"
READ_AT = datetime(2026, 11, 23, 2, tzinfo=timezone.utc)
DAY = timedelta(days=1)
COURSE = Course(
    id=101,
    name="Einführung  in die\tBiologie",
    course_code="BIO-101",
    account_id=3,
    root_account_id=1,
    term_name="Autumn",
    sis_course_id="BIO/101",
    uuid="u" * 40,
)
ROW = ["Biology", "BIO-101", "BIO/101", "u" * 40, 3, "Autumn"]

texts = st.text(min_size=1, max_size=255).map(lambda text: text.encode("utf-8", "replace").decode())


def collected(*courses: Course) -> CourseFacts:
    facts = CourseFacts(CANVAS, READ_AT)
    for course in courses:
        facts.add(course)
    return facts


def document(row: Any = ROW, **changed: Any) -> dict[str, Any]:
    return {"canvas": CANVAS, "read_at": "2026-11-23T02:00:00Z", "courses": {"course:101": row}, **changed}


def found(
    value: Any, context: str = "course:101", *, age: timedelta = timedelta(), canvas: str = CANVAS
) -> ContextFacts | None:
    planned = PlannedFacts.from_json(value)
    if planned is None:
        return None
    return planned.of(Context.parse(context), canvas=canvas, now=READ_AT + age, most_age=DAY)


@given(
    st.builds(
        Course,
        id=st.integers(1, 2**63 - 1),
        name=texts,
        course_code=texts,
        account_id=st.integers(1, 2**63 - 1),
        sis_course_id=st.none() | texts,
        uuid=texts,
        term_name=texts,
    )
)
def test_a_manifest_states_the_same_with_and_without_the_plan(course: Course) -> None:
    context = f"course:{course.id}"
    stored = json.loads(json.dumps(collected(course).to_json([context])))
    assert found(stored, context) == facts_of(course)


def test_a_course_without_sis_id_is_as_canvas_says_it() -> None:
    course = replace(COURSE, sis_course_id=None)
    assert found(collected(course).to_json(["course:101"])) == facts_of(course)


@pytest.mark.parametrize(
    "change",
    [
        *({name: None} for name in ("name", "course_code", "uuid", "account_id", "term_name")),
        {"name": ""},
        {"name": "x" * 256},
        {"sis_course_id": "x" * 256},
        {"account_id": 0},
    ],
    ids=str,
)
def test_a_course_of_which_the_list_said_too_little_or_too_much_is_left_to_its_batch(
    change: dict[str, Any],
) -> None:
    assert collected(replace(COURSE, **change)).to_json(["course:101"]) == {}


def test_a_row_that_canvas_reduced_to_its_id_is_left_to_its_batch() -> None:
    assert collected(Course(id=101)).to_json(["course:101"]) == {}


def test_only_the_courses_of_a_batch_are_in_its_line() -> None:
    facts = collected(COURSE, replace(COURSE, id=102))
    assert facts.to_json(["course:102", "course:103", "group:7"])["courses"].keys() == {"course:102"}


def test_facts_without_a_time_are_not_kept() -> None:
    facts = CourseFacts(CANVAS)
    facts.add(COURSE)
    assert facts.to_json(["course:101"]) == {}


def test_facts_of_a_run_are_bounded_and_those_listed_first_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course_facts, "MOST_BYTES", 500)
    facts = CourseFacts(CANVAS, READ_AT)
    for number in range(100, 200):
        facts.add(replace(COURSE, id=number))
    kept = facts.to_json(f"course:{number}" for number in range(100, 200))["courses"]
    assert list(kept) == ["course:100", "course:101", "course:102", "course:103"]


def test_neither_a_person_nor_the_root_account_is_written_down() -> None:
    fields = asdict(COURSE)
    kept = {
        fields[name] for name in ("name", "course_code", "sis_course_id", "uuid", "account_id", "term_name")
    }
    (row,) = collected(COURSE).to_json(["course:101"])["courses"].values()
    assert set(row) == kept


@pytest.mark.parametrize(
    ("age", "is_known"),
    [
        (timedelta(), True),
        (DAY, True),
        (DAY + timedelta(seconds=1), False),
        (-timedelta(minutes=10), True),
        (-timedelta(minutes=11), False),
    ],
)
def test_facts_hold_as_long_as_a_batch_may_take(age: timedelta, is_known: bool) -> None:
    assert (found(document(), age=age) is not None) is is_known


def test_facts_of_another_canvas_are_of_other_courses() -> None:
    assert found(document(), canvas="https://other.example.edu") is None


@pytest.mark.parametrize("context", ["course:102", "group:101", "user:101", "course:sis_course_id:101"])
def test_facts_are_of_the_course_that_is_exported(context: str) -> None:
    value = document(courses=dict.fromkeys(("course:101", "group:101", "user:101"), ROW))
    assert found(value, context) is None


def test_which_course_it_is_never_comes_from_the_plan() -> None:
    facts = found(document())
    assert facts is not None
    assert (facts.kind, facts.id) == ("course", 101)


@pytest.mark.parametrize("at", range(6))
@pytest.mark.parametrize("odd", [7.5, True, False, "", "x" * 256, [], {}, -1, 2**63, float("nan")], ids=repr)
def test_an_odd_value_is_no_value(at: int, odd: object) -> None:
    assert found(document([*ROW[:at], odd, *ROW[at + 1 :]])) is None


ODD_ROWS: list[Any] = [None, 7, "x", {}, [], ROW[:5], [*ROW, 1]]
ODD_TIMES: list[Any] = [None, 7, "", "yesterday", "9" * 256, "2026-13-45T00:00:00Z"]
ODD_ADDRESSES: list[Any] = [None, 7, "", []]
ODD_COURSES: list[Any] = [None, 7, [], "x"]


@pytest.mark.parametrize(
    "value",
    [
        *(document(row) for row in ODD_ROWS),
        *(document(read_at=each) for each in ODD_TIMES),
        *(document(canvas=each) for each in ODD_ADDRESSES),
        *(document(courses=each) for each in ODD_COURSES),
    ],
    ids=str,
)
def test_an_odd_document_has_no_facts(value: object) -> None:
    assert found(value) is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_whatever_lies_there_is_no_error(value: object) -> None:
    assert PlannedFacts.from_json(value) is None
    assert found(document(value)) is None
