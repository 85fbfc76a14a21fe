"""What a client sees of a course's content, and how it makes an empty course."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from canvas_sandbox import Course, Sandbox
from canvas_sandbox.scenarios import SCENARIOS

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call, Caller, Start

LISTINGS = ("modules", "pages", "assignments", "quizzes", "discussion_topics", "files")


@pytest.fixture
def canvas(start: Start) -> Sandbox:
    return start(Course(id=101), Course(id=102, size=0, sis_course_id="EMPTY"))


def test_an_empty_course_lists_nothing_but_its_root_folder(admin: Caller) -> None:
    for listing in LISTINGS:
        assert admin.get(f"/api/v1/courses/sis_course_id:EMPTY/{listing}").json() == []
    (root,) = admin.get("/api/v1/courses/102/folders").json()
    assert (root["full_name"], root["parent_folder_id"], root["files_count"]) == ("course files", None, 0)


@pytest.mark.parametrize("listing", LISTINGS)
def test_a_course_lists_what_it_has_page_by_page(admin: Caller, listing: str) -> None:
    url = f"/api/v1/courses/101/{listing}"
    everything = admin.get(url, params={"per_page": 100}).json()
    rows, pages = [], 0
    response = admin.get(url, params={"per_page": 2})
    while True:
        rows += response.json()
        pages += 1
        if "next" not in response.links:
            break
        response = admin.get(response.links["next"]["url"])
    assert rows == everything
    assert rows
    assert pages == -(-len(rows) // 2)


def test_announcements_are_listed_apart(admin: Caller) -> None:
    assert admin.names("discussion_topics", 101) == ["Introduce yourself"]
    assert admin.names("discussion_topics?only_announcements=true", 101) == ["Welcome to the course"]


def test_the_quota_counts_the_files(admin: Caller) -> None:
    quota = admin.get("/api/v1/courses/101/files/quota").json()
    files = admin.get("/api/v1/courses/101/files", params={"per_page": 100}).json()
    assert quota == {"quota": 500 * 1_048_576, "quota_used": sum(row["size"] for row in files)}


def test_only_readers_of_a_course_see_what_is_in_it(
    outsider: Caller, student: Caller, teacher: Caller
) -> None:
    for listing in (*LISTINGS, "folders"):
        assert outsider.get(f"/api/v1/courses/101/{listing}").status_code == 403
        assert student.get(f"/api/v1/courses/101/{listing}").status_code == 200
        assert student.get(f"/api/v1/courses/999/{listing}").status_code == 404
    assert student.get("/api/v1/courses/101/files/quota").status_code == 403
    assert teacher.get("/api/v1/courses/101/files/quota").status_code == 200


def test_an_admin_makes_an_empty_course(admin: Caller, teacher: Caller) -> None:
    form = {"course[name]": "Drill", "course[sis_course_id]": "DRILL-1", "course[course_code]": "D1"}
    made = admin.post("/api/v1/accounts/1/courses", form).json()
    assert (made["name"], made["course_code"], made["workflow_state"]) == ("Drill", "D1", "unpublished")
    assert admin.get("/api/v1/courses/sis_course_id:DRILL-1").json() == made
    assert admin.names("files", made["id"]) == []
    again = admin.post("/api/v1/accounts/1/courses", form)
    assert again.status_code == 400
    assert "already in use" in again.text
    offered = admin.post("/api/v1/accounts/1/courses", {"offer": "true"}).json()
    assert (offered["workflow_state"], offered["id"]) == ("available", made["id"] + 1)
    assert teacher.post("/api/v1/accounts/1/courses", form).status_code == 403
    assert admin.post("/api/v1/accounts/99/courses", form).status_code == 404


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_every_scenario_has_empty_courses_that_no_backup_of_a_term_lists(call: Call, name: str) -> None:
    scenario = SCENARIOS[name]()
    with scenario.sandbox(throttle=False) as canvas:
        admin = call(canvas)
        drills = {course.id for course in scenario.drills}
        assert len(drills) >= 2
        for query in ({"enrollment_term_id": "current"}, {"state[]": "available"}, {"published": "true"}):
            rows = admin.get("/api/v1/accounts/1/courses", params={**query, "per_page": 100}).json()
            assert rows
            assert not drills & {row["id"] for row in rows}
        for number in drills:
            assert admin.names("files", number) == []
        source = next(course for course in scenario.courses if scenario.expected[course.label] == "stored")
        package = admin.exported(context=f"courses/{source.id}")
        assert admin.restore(package, f"courses/{min(drills)}")["workflow_state"] == "completed"
