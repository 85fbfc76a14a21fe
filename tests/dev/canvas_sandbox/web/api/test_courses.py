"""Courses: what is shown of one, and every filter of an account's list."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from canvas_sandbox import Account, Course, Fault, Sandbox, Switches, Term, User

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call, Caller, Start

COURSES = "/api/v1/accounts/self/courses"


@pytest.fixture
def university(start: Start) -> Sandbox:
    return start(
        Course(
            id=1,
            name="Zoology",
            course_code="Z1",
            sis_course_id="S-3",
            account_id=2,
            term_id=2,
            starts=-10,
            ends=10,
        ),
        Course(
            id=2, name="algebra", course_code="A1", sis_course_id="S-2", account_id=3, term_id=2, public=True
        ),
        Course(id=3, name="Botany", state="created", account_id=4, term_id=3, blueprint=True, teachers=(11,)),
        Course(id=4, name="Chemistry", state="claimed", students=(), teachers=(), homeroom=True),
        Course(id=5, name="Drama", state="completed", blueprint_associated=True, students=()),
        Course(id=6, name="Extinct", state="deleted"),
        Course(id=7, name="Vanished", faults=[Fault.VANISHED], ends=-1),
        accounts=[
            Account(1, "University"),
            Account(2, "Science", 1, "SCI"),
            Account(3, "Arts", 1),
            Account(4, "Lab", 2),
        ],
        terms=[
            Term(1, "Default Term"),
            Term(2, "Autumn", "AUT", starts=-30, ends=30),
            Term(3, "Spring", "SPR", starts=60, ends=120),
        ],
        users=[User(id=11, name="Bea Botanist", sis_user_id="T-11")],
    )


def ids(caller: Caller, params: Any = None, path: str = COURSES) -> list[int]:
    response = caller.get(path, params=params)
    assert response.status_code == 200, response.text
    return [row["id"] for row in response.json()]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 7]),
        ({"state[]": "deleted"}, [6]),
        ({"state[]": ["created", "claimed"]}, [3, 4]),
        ({"state[]": "available"}, [1, 2, 7]),
        ({"state[]": "all"}, [1, 2, 3, 4, 5, 6, 7]),
        ({"published": "true"}, [1, 2, 7]),
        ({"published": "false"}, [3, 4, 5]),
        ({"completed": "true"}, [5, 7]),
        ({"completed": "false"}, [1, 2, 3, 4]),
        ({"with_enrollments": "true"}, [1, 2, 3, 5, 7]),
        ({"with_enrollments": "false"}, [4]),
        ({"hide_enrollmentless_courses": "0"}, [1, 2, 3, 5, 7]),
        ({"enrollment_type[]": "student"}, [1, 2, 3, 7]),
        ({"enrollment_type[]": "teacher"}, [1, 2, 3, 5, 7]),
        ({"blueprint": "true"}, [3]),
        ({"blueprint": "false"}, [1, 2, 4, 5, 7]),
        ({"blueprint_associated": "1"}, [5]),
        ({"public": "true"}, [2]),
        ({"homeroom": "true"}, [4]),
        ({"homeroom": "false"}, [1, 2, 3, 4, 5, 7]),
        ({"by_teachers[]": "11"}, [3]),
        ({"by_teachers[]": ["sis_user_id:T-11", "sis_user_id:nobody"]}, [3]),
        ({"by_subaccounts[]": "2"}, [1, 3]),
        ({"by_subaccounts[]": ["sis_account_id:SCI", "3"]}, [1, 2, 3]),
        ({"enrollment_term_id": "2"}, [1, 2]),
        ({"enrollment_term_id": "sis_term_id:SPR"}, [3]),
        ({"enrollment_term_id": "current"}, [1, 2]),
        ({"enrollment_term_id": "default"}, [4, 5, 7]),
        ({"search_term": "ALGE"}, [2]),
        ({"search_term": "S-3"}, [1]),
        ({"search_term": "botanist", "search_by": "teacher"}, [3]),
        ({"sort": "course_name"}, [2, 3, 4, 5, 7, 1]),
        ({"sort": "course_name", "order": "desc"}, [1, 7, 5, 4, 3, 2]),
        ({"order": "desc"}, [1, 2, 3, 4, 5, 7]),
        ({"sort": "sis_course_id"}, [3, 4, 5, 7, 2, 1]),
        ({"sort": "account_name"}, [2, 3, 1, 4, 5, 7]),
        ({"sort": "term"}, [1, 2, 4, 5, 7, 3]),
        ({"sort": "teacher"}, [4, 3, 1, 2, 5, 7]),
    ],
)
def test_each_filter_keeps_what_it_says(
    university: Sandbox, call: Call, params: dict[str, Any], expected: list[int]
) -> None:
    assert ids(call(university), params) == expected


@pytest.mark.parametrize(
    ("params", "days", "expected"),
    [
        ("starts_before", 0, [1, 2, 4, 5, 7]),
        ("starts_before", -20, [2, 4, 5, 7]),
        ("ends_after", 20, [2, 3, 4, 5]),
    ],
)
def test_dates_are_inclusive_and_missing_ones_match(
    university: Sandbox, call: Call, params: str, days: float, expected: list[int]
) -> None:
    moment = datetime.now(tz=timezone.utc) + timedelta(days=days)
    assert ids(call(university), {params: moment.isoformat()}) == expected


def test_a_sub_account_lists_its_own_and_what_lies_below(university: Sandbox, call: Call) -> None:
    assert ids(call(university), path="/api/v1/accounts/2/courses") == [1, 3]


def test_an_unknown_term_or_account_is_not_found(university: Sandbox, call: Call) -> None:
    admin = call(university)
    assert admin.get(COURSES, params={"enrollment_term_id": "sis_term_id:none"}).status_code == 404
    assert admin.get("/api/v1/accounts/99/courses").status_code == 404


def test_current_needs_exactly_one_running_term(start: Start, call: Call) -> None:
    terms = [Term(1, "One", starts=-1, ends=1), Term(2, "Two", starts=-1)]
    admin = call(start(terms=terms))
    assert admin.get(COURSES, params={"enrollment_term_id": "current"}).status_code == 404


def test_a_scalar_state_together_with_published_is_a_crash(university: Sandbox, call: Call) -> None:
    response = call(university).get(COURSES, params={"state": "available", "published": "true"})
    assert response.status_code == 500


def test_only_account_admins_list_an_account(teacher: Caller) -> None:
    assert teacher.get(COURSES).status_code == 403
    assert teacher.get("/api/v1/accounts/1").status_code == 403


def test_a_course_shows_its_fields_and_what_is_included(university: Sandbox, call: Call) -> None:
    includes = [
        "term",
        "account",
        "account_name",
        "total_students",
        "teachers",
        "concluded",
        "storage_quota_used_mb",
    ]
    course = call(university).get("/api/v1/courses/1", params={"include[]": includes}).json()
    assert (course["id"], course["name"], course["course_code"]) == (1, "Zoology", "Z1")
    assert (course["account_id"], course["root_account_id"], course["enrollment_term_id"]) == (2, 1, 2)
    assert course["term"]["sis_term_id"] == "AUT"
    assert course["account"]["name"] == course["account_name"] == "Science"
    assert course["teachers"] == [{"id": 2, "display_name": "Theo Teacher"}]
    assert (course["total_students"], course["concluded"], course["workflow_state"]) == (
        1,
        False,
        "available",
    )
    assert len(course["uuid"]) == 40


def test_unpublished_is_what_the_api_calls_created_and_claimed(university: Sandbox, call: Call) -> None:
    rows = call(university).get(COURSES).json()
    assert {row["id"]: row["workflow_state"] for row in rows if row["id"] in (3, 4, 5)} == {
        3: "unpublished",
        4: "unpublished",
        5: "completed",
    }


def test_sis_ids_are_shown_to_those_who_may_see_them(start: Start, call: Call) -> None:
    canvas = start(Course(id=101, sis_course_id="BIO-101"))
    assert call(canvas).get("/api/v1/courses/101").json()["sis_course_id"] == "BIO-101"
    assert "sis_course_id" not in call(canvas, "teacher").get("/api/v1/courses/101").json()
    assert call(canvas, "teacher").get("/api/v1/courses/sis_course_id:BIO-101").status_code == 200


def test_a_reset_moves_the_sis_id_to_a_new_and_empty_course(start: Start, call: Call) -> None:
    canvas = start(Course(id=101, sis_course_id="BIO-101"))
    admin = call(canvas)
    new = canvas.reset_course(101)
    assert new != 101
    assert admin.get("/api/v1/courses/101").status_code == 404
    assert admin.get("/api/v1/courses/sis_course_id:BIO-101").json()["id"] == new
    names = admin.package(context="courses/sis_course_id:BIO-101").namelist()
    assert not [name for name in names if name.startswith("web_resources/")]


def test_content_list_names_types_and_then_items(teacher: Caller, student: Caller) -> None:
    path = "/api/v1/courses/101/content_list"
    types = {row["type"]: row for row in teacher.get(path).json()}
    assert types["course_settings"] == {
        "type": "course_settings",
        "property": "select[all_course_settings]",
        "title": "Course Settings",
    }
    pages = types["wiki_pages"]
    assert (pages["property"], pages["count"]) == ("select[all_wiki_pages]", 4)
    items = teacher.get(pages["sub_items_url"]).json()
    assert len(items) == 4
    assert items[0]["property"] == f"select[wiki_pages][{items[0]['id']}]"
    bad = teacher.get(path, params={"type": "frogs"})
    assert (bad.status_code, bad.json()) == (400, {"message": "unsupported migration type"})
    assert student.get(path).status_code == 403


def test_a_page_of_courses_can_be_searched_with_a_shorter_minimum(start: Start, call: Call) -> None:
    canvas = start(Course(id=101, name="Art"), switches=Switches(manual_clock=True, min_search_length=2))
    assert ids(call(canvas), {"search_term": "ar"}) == [101]
