"""Probes of courses in the sandbox: what they see, and how few requests they take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.canvas.campus import Campus

from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.canvas.api.graphql import GraphQLError, GraphQLQuery, GraphQLResult
from canvas_exports.core.canvas.api.parsing import read_course
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.http.bounded_values import iso_text
from canvas_exports.core.export.changes.fingerprint import RULES
from canvas_exports.core.export.changes.probe import ALIASES, LIST, Reading
from canvas_exports.core.export.changes.read_probes import CourseProbe, ProbeReader
from canvas_exports.core.model.contexts import Context
from canvas_exports.errors import CredentialError
from canvas_sandbox import Course, RequestFault, Sandbox, Switches
from canvas_sandbox.content.edit_kinds import SHOWN, EditKind, Source
from canvas_sandbox.content.model import Kind
from canvas_sandbox.faults import Effect

READ = {source for source in Source if source.value in {each.name for each in RULES[0].lists}}
ONE = Context.parse("101")
DEFAULT = (Course(101, subject="Botany", sis_course_id="BIO/101.1é"), Course(102))


class Opened:
    """A sandbox, a client, and a reader."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.client = Campus(sandbox).client()
        self.reader = ProbeReader(self.client)

    def read(self, *contexts: Context, **options: Any) -> dict[str, CourseProbe]:
        return self.reader.read(contexts or (ONE,), **options)

    def queries(self) -> int:
        return sum(each.path == "/api/graphql" for each in self.sandbox.requests)


@pytest.fixture
def start() -> Iterator[Any]:
    opened: list[Opened] = []

    def make(*courses: Course, new_quizzes: bool = False, **switches: Any) -> Opened:
        sandbox = Sandbox(
            courses or DEFAULT,
            switches=Switches(manual_clock=True, **switches),
        )
        opened.append(Opened(sandbox.__enter__()))
        for course in courses or DEFAULT:
            for item in sandbox.content(course.id).of(Kind.ASSIGNMENT):
                if item.is_new_quiz and not new_quizzes:
                    sandbox.remove_item(course.id, item.id)
        return opened[-1]

    yield make
    for each in opened:
        each.client.close()
        each.sandbox.close()


def numbered(*numbers: int) -> list[Context]:
    return [Context.parse(number) for number in numbers]


def test_a_probe_tells_what_canvas_said_and_when(start: Any) -> None:
    canvas = start()
    found = canvas.read()["course:101"]
    assert found.canvas_id == 101
    assert found.facts.source == ALIASES
    assert found.facts.updated_at.endswith("-07:00")
    assert len(found.facts.fingerprint) == 64
    assert (found.facts.fingerprint_version, found.facts.new_quizzes) == (1, False)
    assert abs(found.facts.read_at - canvas.client.server_now()) < timedelta(seconds=30)
    assert (
        found.facts == canvas.read()["course:101"].facts or found.facts.read_at < canvas.client.server_now()
    )


@pytest.mark.parametrize("kind", list(EditKind))
def test_every_edit_shows_in_the_probe_if_the_table_says_that_canvas_shows_it(
    start: Any, kind: EditKind
) -> None:
    canvas = start(new_quizzes=kind is EditKind.NEW_QUIZ_EDITED)
    canvas.sandbox.add_item(101, Kind.BANK.value, {"title": "Bank", "body": "First. Second."})
    canvas.sandbox.add_item(101, Kind.ASSIGNMENT_GROUP.value, {"title": "Another group"})
    canvas.sandbox.add_item(101, Kind.OUTCOME.value, {"title": "Of the account"})
    canvas.sandbox.advance(3600)
    before = canvas.read()["course:101"].facts
    canvas.sandbox.advance(3600)
    canvas.sandbox.make_edit(101, kind, seed=3)
    canvas.sandbox.advance(60)
    after = canvas.read()["course:101"].facts
    moved, seen = before.updated_at != after.updated_at, before.fingerprint != after.fingerprint
    assert moved is SHOWN[kind].moves_course
    # A student's reply moves the time of a discussion, so only its position is read; a saved one moves that of the course.
    assert seen is bool(SHOWN[kind].seen_in & READ) or kind is EditKind.DISCUSSION_SAVED
    if kind is EditKind.NEW_QUIZ_EDITED:
        assert after.new_quizzes is True


def test_two_hundred_courses_take_twenty_requests(start: Any) -> None:
    canvas = start(*(Course(number) for number in range(1, 201)))
    found = canvas.read(*numbered(*range(1, 201)))
    assert len(found) == 200
    assert all(probe.facts.fingerprint for probe in found.values())
    assert canvas.queries() == 20
    assert [each.status for each in canvas.sandbox.requests] == [200] * 20


def test_a_course_named_by_its_sis_id_is_found_and_its_number_known(start: Any) -> None:
    canvas = start()
    context = Context.parse("sis_course_id:BIO/101.1é")
    found = canvas.read(context, *numbered(101))
    assert found[str(context)].canvas_id == 101
    assert found[str(context)].facts.fingerprint == found["course:101"].facts.fingerprint
    assert canvas.queries() == 1


def test_what_graphql_cannot_name_is_left_out_without_a_request(start: Any) -> None:
    canvas = start()
    assert (
        canvas.read(Context.parse("user:self"), Context.parse("group:7"), Context.parse("course:uuid:x"))
        == {}
    )
    assert canvas.reader.read([]) == {}
    assert canvas.queries() == 0


def test_a_course_that_is_not_there_costs_no_other_course_its_probe(start: Any) -> None:
    canvas = start()
    assert set(canvas.read(*numbered(101, 999, 102))) == {"course:101", "course:102"}
    assert canvas.queries() == 1


def test_a_reading_of_the_list_is_kept_in_place_of_a_newer_one(start: Any) -> None:
    canvas = start()
    earlier = Reading("2026-11-20T10:00:00Z", datetime(2026, 11, 23, 2, tzinfo=timezone.utc), LIST)
    facts = canvas.read(ONE, readings={"course:101": earlier})["course:101"].facts
    assert (facts.updated_at, facts.read_at, facts.source) == (earlier.updated_at, earlier.read_at, LIST)
    assert facts.fingerprint is not None


def test_a_course_with_many_objects_is_read_page_by_page(start: Any) -> None:
    canvas = start()
    for number in range(250):
        canvas.sandbox.add_item(101, Kind.QUIZ.value, {"title": f"Quiz {number}", "body": "x"})
    before = canvas.read(*numbered(101, 102))
    assert canvas.queries() == 3
    assert all(probe.facts.fingerprint for probe in before.values())
    canvas.sandbox.advance(3600)
    canvas.sandbox.remove_item(101, max(each.id for each in canvas.sandbox.content(101).of(Kind.QUIZ)))
    after = canvas.read(*numbered(101, 102))
    assert after["course:101"].facts.fingerprint != before["course:101"].facts.fingerprint
    assert after["course:102"].facts.fingerprint == before["course:102"].facts.fingerprint


def test_further_pages_of_what_the_time_of_the_course_shows_are_not_asked_for(start: Any) -> None:
    canvas = start()
    for number in range(250):
        canvas.sandbox.add_item(101, Kind.PAGE.value, {"title": f"Page {number}", "body": "x"})
    probes = canvas.read(*numbered(101, 102))
    assert canvas.queries() == 1
    assert all(probe.facts.fingerprint for probe in probes.values())


def test_a_course_with_new_quizzes_is_not_read_to_its_end(start: Any) -> None:
    canvas = start(new_quizzes=True)
    for number in range(250):
        canvas.sandbox.add_item(101, Kind.QUIZ.value, {"title": f"Quiz {number}", "body": "x"})
    facts = canvas.read()["course:101"].facts
    assert (facts.fingerprint, facts.new_quizzes) == (None, True)
    assert canvas.queries() == 1


def test_pages_of_another_size_give_the_same_fingerprint(start: Any) -> None:
    canvas = start()
    whole = canvas.read()["course:101"].facts.fingerprint
    kernel = canvas.sandbox.world.kernel
    kernel.switches = replace(kernel.switches, graphql_page_size=5)
    queries = canvas.queries()
    assert canvas.read()["course:101"].facts.fingerprint == whole is not None
    assert canvas.queries() > queries + 1


def test_a_canvas_without_graphql_is_asked_once(start: Any) -> None:
    canvas = start(graphql=False)
    assert canvas.read(*numbered(101, 102)) == {}
    assert canvas.read() == {}
    assert canvas.queries() == 1
    reading = Reading("2026-11-20T10:00:00Z", datetime(2026, 11, 23, 2, tzinfo=timezone.utc), LIST)
    facts = canvas.read(readings={"course:101": reading})["course:101"].facts
    assert (facts.updated_at, facts.fingerprint, facts.new_quizzes) == (reading.updated_at, None, None)


@pytest.mark.parametrize(
    "limits", [{"graphql_max_aliases": 4}, {"graphql_max_complexity": 20_000}, {"graphql_max_tokens": 350}]
)
def test_a_host_with_smaller_limits_is_asked_for_fewer_courses_at_once(
    start: Any, limits: dict[str, int]
) -> None:
    canvas = start(*(Course(number) for number in range(1, 101)), **limits)
    found = canvas.read(*numbered(*range(1, 101)))
    assert sum(probe.facts.fingerprint is not None for probe in found.values()) == 100
    assert {probe.facts.fingerprint_version for probe in found.values()} == {1}
    assert canvas.queries() < 70


def test_a_host_whose_limits_fit_no_course_is_given_up(start: Any) -> None:
    canvas = start(*(Course(number) for number in range(1, 51)), graphql_max_complexity=100)
    assert canvas.read(*numbered(*range(1, 51))) == {}
    assert canvas.queries() <= 12


def test_an_older_canvas_is_read_by_the_rules_that_fit_it(start: Any) -> None:
    older = start(graphql_missing_fields=["Assignment.isNewQuiz", "Course.foldersConnection"])
    facts = older.read(*numbered(101, 102))["course:101"].facts
    assert facts.fingerprint_version == RULES[1].version
    assert facts.fingerprint is not None
    assert facts.new_quizzes is False
    assert older.queries() == 2
    oldest = start(graphql_missing_fields=["Course.modulesConnection"])
    assert oldest.read() == {}
    assert oldest.queries() == 2


@pytest.mark.parametrize("effect", [Effect.GRAPHQL_ERRORS, Effect.WRONG_SHAPE, Effect.GARBLED])
def test_no_fault_of_canvas_raises_an_error(start: Any, effect: Effect) -> None:
    canvas = start()
    canvas.sandbox.inject(RequestFault(effect, "POST", "/api/graphql", times=1000))
    found = canvas.read(*numbered(101, 102))
    assert all(probe.facts.fingerprint is None for probe in found.values())
    assert canvas.queries() < 100


def test_a_token_that_canvas_refuses_is_an_error(start: Any) -> None:
    sandbox = start().sandbox
    with CanvasClient(sandbox.url, "wrong") as client, pytest.raises(CredentialError):
        ProbeReader(client).read([ONE])


class ScriptedGraphQL:
    """Answers as a Canvas that has one bad course: every query that names it fails as a whole."""

    def __init__(self, bad: str) -> None:
        self.bad = bad
        self.asked: list[list[str]] = []

    def graphql(self, query: GraphQLQuery) -> GraphQLResult:
        names = [str(value) for value in query.variables.values()]
        self.asked.append(names)
        if self.bad in names:
            return GraphQLResult(None, (GraphQLError(),))
        empty = {each.name: {"nodes": [], "pageInfo": {"hasNextPage": False}} for each in RULES[0].lists}
        return GraphQLResult(
            {f"c{at}": {"_id": name, "updatedAt": "x", **empty} for at, name in enumerate(names)}
        )

    def server_now(self) -> datetime:
        return datetime(2026, 11, 23, 2, tzinfo=timezone.utc)


ODD_TIMES = [
    "x" * 100,
    "2026-11-20T10:00:00",
    "2026-11-20",
    "20\u0662\u0666",
    "2026-11-20T10:00:00Z\n",
    "",
    7,
    None,
    {},
]


@pytest.mark.parametrize("text", ODD_TIMES)
def test_what_is_no_time_is_not_kept_as_one(text: Any) -> None:
    class Odd(ScriptedGraphQL):
        def graphql(self, query: GraphQLQuery) -> GraphQLResult:
            result = super().graphql(query)
            assert result.data is not None
            return GraphQLResult({alias: {**node, "updatedAt": text} for alias, node in result.data.items()})

    facts = ProbeReader(Odd("none")).read([ONE])["course:101"].facts
    assert (facts.updated_at, facts.source) == (None, None)
    assert read_course({"id": 101, "updated_at": text}).updated_at is None


@given(
    st.from_regex(
        r"20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:00(\.[0-9]{1,20})?(Z|[+-]0[0-9]:?00)",
        fullmatch=True,
    )
)
def test_a_manifest_takes_every_time_that_is_kept(text: str) -> None:
    assert iso_text(text) in (text, None)
    document = {"read_at": "2026-11-23T02:00:00Z", "updated_at": text}
    assert problem("manifest-2", document, part="/$defs/probe") is None


def test_one_course_that_no_query_survives_costs_no_other_its_probe() -> None:
    canvas = ScriptedGraphQL("42")
    found = ProbeReader(canvas).read(numbered(*range(1, 101)))
    assert len(found) == 99
    assert "course:42" not in found
    assert len(canvas.asked) < 30
