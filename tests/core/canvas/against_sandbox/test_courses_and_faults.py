"""Courses, tokens, throttling and faults of the API, used from end to end against the sandbox."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.support.canvas.campus import COURSE, Campus, Found

from canvas_exports.core.canvas.api.course_filters import CourseFilters
from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.api.models import ExportState, ProgressState
from canvas_exports.core.canvas.async_client import AsyncCanvasClient
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter
from canvas_exports.core.model.contexts import Context
from canvas_exports.errors import (
    NotFoundError,
    PermissionDeniedError,
    ResponseLostError,
)
from canvas_sandbox import Account, Course, Fault, Group, Term, User
from canvas_sandbox.content.model import Kind


def test_courses_by_sis_id_whatever_it_holds(campus: Campus, client: CanvasClient) -> None:
    named = Context.parse("sis_course_id:BIO/101.1é")
    assert client.course(named).id == 101
    export = campus.export(client, named)
    assert [listed.id for listed in client.list_exports(named)] == [export.id]


@pytest.mark.parametrize(
    ("named", "number"),
    [("sis_course_id:BIO/101.1é", 101), ("group:sis_group_id:G.7", 7), ("user:self", 1), ("101", 101)],
)
def test_the_number_behind_a_name(found: Found, named: str, number: int) -> None:
    campus = found(groups=[Group(7, sis_group_id="G.7")])
    with campus.client() as client:
        assert client.resolve(Context.parse(named)) == number


def test_course_identity(found: Found) -> None:
    course = Course(101, name="Biology", course_code="BIO", sis_course_id="B", term_id=2)
    campus = found(course, terms=[Term(2, "Winter", sis_term_id="W")])
    with campus.client() as client:
        shown = client.course(COURSE)
    assert (shown.name, shown.course_code, shown.sis_course_id) == ("Biology", "BIO", "B")
    assert (shown.term_name, shown.sis_term_id, shown.enrollment_term_id) == ("Winter", "W", 2)
    assert (shown.workflow_state, shown.account_id) == ("available", 1)
    assert shown.uuid


def test_deleted_and_forbidden_courses(found: Found) -> None:
    campus = found(Course(101, faults=[Fault.DELETED]), Course(102, faults=[Fault.FORBIDDEN]))
    with campus.client() as client:
        with pytest.raises(NotFoundError):
            client.course(COURSE)
        with pytest.raises(NotFoundError):
            client.create_export(COURSE, ExportRequest.build("zip"))
        with pytest.raises(PermissionDeniedError):
            client.course(Context.parse("102"))


COLLEGE: list[tuple[dict[str, Any], set[int]]] = [
    ({}, {1, 2, 3, 4, 5, 6}),
    ({"state": ["available"]}, {1, 2, 5, 6}),
    ({"state": "deleted"}, {7}),
    ({"state": "all"}, {1, 2, 3, 4, 5, 6, 7}),
    ({"published": True}, {1, 2, 5, 6}),
    ({"published": False}, {3, 4}),
    ({"with_enrollments": True}, {1, 2, 3, 4, 6}),
    ({"with_enrollments": False}, {5}),
    ({"hide_enrollmentless_courses": True}, {1, 2, 3, 4, 6}),
    ({"enrollment_type": "student"}, {1, 2, 3, 4}),
    ({"blueprint": True}, {2}),
    ({"blueprint": False}, {1, 3, 4, 5, 6}),
    ({"blueprint_associated": True}, {6}),
    ({"public": True}, {1}),
    ({"homeroom": True}, {5}),
    ({"by_teachers": ["sis_user_id:U-1", "999"]}, {6}),
    ({"by_subaccounts": ["sis_account_id:SUB"]}, {2}),
    ({"enrollment_term_id": "sis_term_id:W"}, {2}),
    ({"enrollment_term_id": 1}, {1, 3, 4, 5, 6}),
    ({"search_term": "bio"}, {1}),
    ({"search_term": "otto", "search_by": "teacher"}, set()),
]


@pytest.mark.parametrize(("filters", "expected"), COLLEGE, ids=[str(row[0]) for row in COLLEGE])
def test_account_courses_with_every_filter(found: Found, filters: dict[str, Any], expected: set[int]) -> None:
    campus = found(
        Course(1, name="Biology", public=True),
        Course(2, name="Chemistry", blueprint=True, account_id=2, term_id=2),
        Course(3, name="Drama", state="created"),
        Course(4, name="English", state="completed"),
        Course(5, name="French", teachers=(), students=(), homeroom=True),
        Course(6, name="German", teachers=(1,), students=(), blueprint_associated=True),
        Course(7, name="History", state="deleted"),
        accounts=[Account(1, "Root"), Account(2, "Sub", parent_id=1, sis_account_id="SUB")],
        terms=[Term(1, "Default Term"), Term(2, "Winter", sis_term_id="W")],
    )
    with campus.client() as client:
        listed = client.account_courses("self", CourseFilters.build(filters))
        assert {course.id for course in listed} == expected


def test_account_courses_are_paged_sorted_and_bookmarked(found: Found) -> None:
    courses = [Course(number, name=f"Course {1000 - number}") for number in range(1, 251)]
    campus = found(*courses, switches={"bookmarks": True})
    with campus.client() as client:
        assert [course.id for course in client.account_courses("self")] == list(range(1, 251))
        filters = CourseFilters.build({"sort": "course_name", "order": "asc", "starts_before": "2100-01-01"})
        assert [course.id for course in client.account_courses("1", filters)] == list(range(250, 0, -1))
    assert len([record for record in campus.sandbox.requests if record.path.endswith("/courses")]) == 6


def test_content_list(campus: Campus, client: CanvasClient) -> None:
    kinds = client.content_list(COURSE)
    assert {"wiki_pages", "quizzes"} <= {row.type for row in kinds}
    pages = client.content_list(COURSE, "wiki_pages")
    assert [page.title for page in pages] == [
        item.title for item in campus.sandbox.content(101).of(Kind.PAGE)
    ]


@pytest.mark.parametrize("denied_status", [401, 403])
def test_denials_of_both_generations(found: Found, denied_status: int) -> None:
    campus = found(switches={"denied_status": denied_status})
    with campus.client("student") as client:
        with pytest.raises(PermissionDeniedError):
            client.create_export(COURSE, ExportRequest.build("common_cartridge"))
        assert campus.export(client, export_type="zip").is_ready


@pytest.mark.parametrize("throttle_status", [403, 429])
def test_throttle_refusals_are_waited_out(found: Found, throttle_status: int) -> None:
    campus = found(switches={"throttle_status": throttle_status})
    with campus.client() as client:
        campus.sandbox.fill_bucket(800)
        assert client.create_export(COURSE, ExportRequest.build("zip")).id
        assert len(campus.sandbox.exports) == 1
        assert campus.now > 10


def test_the_budget_never_runs_into_the_throttle_by_itself(found: Found) -> None:
    campus = found(switches={"request_cost": 25.0})
    with campus.client() as client:
        for _ in range(120):
            client.whoami()
    assert {record.status for record in campus.sandbox.requests} == {200}


def test_a_lost_answer_is_found_in_the_list(found: Found) -> None:
    campus = found(Course(101, faults=[Fault.LOST_ANSWER.times(1)]))
    with campus.client() as client:
        before = client.server_now()
        with pytest.raises(ResponseLostError):
            client.create_export(COURSE, ExportRequest.build("zip"))
        (export,) = client.list_exports(COURSE)
        assert export.user_id == client.whoami().id
        assert export.created_at >= before - timedelta(seconds=5)


async def test_the_asynchronous_client_sees_the_same(campus: Campus, client: CanvasClient) -> None:
    export = campus.export(client)
    async with AsyncCanvasClient(
        campus.sandbox.url, campus.sandbox.token, rate_limiter=RateLimiter()
    ) as other:
        assert (await other.whoami()).id == 1
        assert await other.resolve(Context.parse("sis_course_id:BIO/101.1é")) == 101
        assert await other.show_export(COURSE, export.id) == export
        assert [row.id async for row in other.list_exports(COURSE)] == [export.id]
        assert await other.course(COURSE) == client.course(COURSE)
        assert export.progress_id is not None
        assert (await other.progress(export.progress_id)).workflow_state is ProgressState.COMPLETED
        assert await other.content_list(COURSE) == client.content_list(COURSE)
        assert [row.id async for row in other.account_courses("self")] == [101]
        assert (
            await other.create_export(COURSE, ExportRequest.build("zip"))
        ).workflow_state is ExportState.CREATED


def test_permissions_of_an_account(found: Found) -> None:
    user = User(21, role="admin", missing_rights=["read_sis"], token="7~of-user-21")
    campus = found(users=[user])
    with campus.client("user:21") as client:
        assert client.account_permissions("self", ["read_sis", "read_course_list"]) == {
            "read_sis": False,
            "read_course_list": True,
        }
    with campus.client("outsider") as client, pytest.raises(PermissionDeniedError):
        client.account_permissions("self", ["read_sis"])
