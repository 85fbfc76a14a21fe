"""Courses: one course, the courses of an account, and the content that can be exported."""

from __future__ import annotations

from typing import Any

from canvas_sandbox.campus import Course, User
from canvas_sandbox.clock import iso
from canvas_sandbox.content.model import Content, Item, Kind
from canvas_sandbox.kernel import DAY
from canvas_sandbox.web.api.course_filters import CourseFilters
from canvas_sandbox.web.http import errors
from canvas_sandbox.web.http.messages import Call, Response
from canvas_sandbox.web.http.pagination import paginate, paginate_by_bookmark
from canvas_sandbox.web.http.params import strings
from canvas_sandbox.web.http.router import Router
from canvas_sandbox.web.lookups import find_account, find_course
from canvas_sandbox.web.permissions import can_read, can_read_as_admin, can_see_sis_ids
from canvas_sandbox.world import World

TITLES = {
    Kind.ASSIGNMENT: "Assignments",
    Kind.ASSIGNMENT_GROUP: "Assignment Groups",
    Kind.QUIZ: "Quizzes",
    Kind.BANK: "Question Banks",
    Kind.DISCUSSION: "Discussion Topics",
    Kind.ANNOUNCEMENT: "Announcements",
    Kind.EVENT: "Calendar Events",
    Kind.RUBRIC: "Rubrics",
    Kind.OUTCOME: "Learning Outcomes",
    Kind.TOOL: "External Tools",
    Kind.MODULE: "Modules",
    Kind.PAGE: "Pages",
    Kind.FILE: "Files",
}
"""Titles of the kinds of items that can be selected one by one."""


class CourseEndpoints:
    """Show and list courses, and their content."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add_to(self, router: Router) -> None:
        """Add the routes."""
        router.add("GET", "/api/v1/courses/:course_id", self.show)
        router.add("GET", "/api/v1/courses/:course_id/content_list", self.content_list)
        router.add("GET", "/api/v1/accounts/:account_id/courses", self.index)

    def show(self, call: Call) -> Response:
        """``GET /api/v1/courses/:course_id``."""
        course = self._find(call)
        if not can_read(self._world, call.user, course):
            raise errors.denied(self._world.kernel.switches)
        return Response(data=self.json(course, call))

    def index(self, call: Call) -> Response:
        """``GET /api/v1/accounts/:account_id/courses``: never with a ``last`` link, since rows are not counted."""
        account = find_account(self._world, call.ids["account_id"])
        if account is None:
            raise errors.not_found()
        if not call.user.may("read_course_list"):
            raise errors.denied(self._world.kernel.switches)
        filters = CourseFilters(self._world, call.query, call.user)
        rows = filters.apply(account)
        url = f"{call.base_url}/api/v1/accounts/{account.id}/courses"

        def render(course: Course) -> dict[str, Any]:
            return self.json(course, call)

        if not self._world.kernel.switches.bookmarks:
            return paginate(call, rows, render, url, counted=False)
        return paginate_by_bookmark(call, rows, render, url, filters.key, descending=filters.descending)

    def content_list(self, call: Call) -> Response:
        """``GET /api/v1/courses/:course_id/content_list``: types, or with ``type`` the items of one."""
        course = self._find(call)
        if not can_read_as_admin(self._world, call.user, course):
            raise errors.denied(self._world.kernel.switches)
        content = self._world.contents.of(course)
        wanted = call.query.get("type")
        if wanted is None:
            return Response(data=_types(content, f"{call.base_url}/api/v1/courses/{course.id}/content_list"))
        kinds = {kind.value: kind for kind in TITLES}
        if wanted not in kinds:
            raise errors.invalid("unsupported migration type")
        return Response(data=[_row(item) for item in content.of(kinds[wanted])])

    def _find(self, call: Call) -> Course:
        course = find_course(self._world, call.ids["course_id"])
        if course is None:
            raise errors.not_found()
        return course

    def json(self, course: Course, call: Call) -> dict[str, Any]:
        """Return the course object."""
        world, includes = self._world, strings(call.query.get("include"))
        data: dict[str, Any] = {
            "id": course.id,
            "name": course.name,
            "account_id": course.account_id,
            "uuid": course.uuid,
            "start_at": self._date(course.starts),
            "grading_standard_id": None,
            "is_public": course.public,
            "created_at": iso(world.contents.timestamps.created_at),
            "course_code": course.course_code,
            "default_view": "modules",
            "root_account_id": world.root_account.id,
            "enrollment_term_id": course.term_id,
            "license": "private",
            "end_at": self._date(course.ends),
            "public_syllabus": False,
            "public_syllabus_to_auth": False,
            "storage_quota_mb": course.storage_quota_mb,
            "is_public_to_auth_users": False,
            "apply_assignment_group_weights": False,
            "calendar": {"ics": f"{call.base_url}/feeds/calendars/course_{course.uuid}.ics"},
            "time_zone": "Europe/London",
            "blueprint": course.blueprint,
            "template": False,
            "hide_final_grades": False,
            "workflow_state": course.api_state,
            "restrict_enrollments_to_course_dates": False,
        }
        if can_see_sis_ids(call.user):
            data["sis_course_id"] = course.sis_course_id
            data["integration_id"] = course.integration_id
        if "updated_at" in includes and world.kernel.switches.shows_updated_at:
            data["updated_at"] = iso(world.contents.timestamps.course(course))
        return data | self._included(course, includes, call.user)

    def _included(self, course: Course, includes: list[str], caller: User) -> dict[str, Any]:
        world = self._world
        data: dict[str, Any] = {}
        term, account = world.terms.get(course.term_id), world.accounts.get(course.account_id)
        if "term" in includes and term is not None:
            data["term"] = {
                "id": term.id,
                "name": term.name,
                "start_at": self._date(term.starts),
                "end_at": self._date(term.ends),
                "workflow_state": "active",
            }
            if can_see_sis_ids(caller):
                data["term"]["sis_term_id"] = term.sis_term_id
        if "account" in includes and account is not None:
            data["account"] = {"id": account.id, "name": account.name, "parent_account_id": account.parent_id}
        if "account_name" in includes and account is not None:
            data["account_name"] = account.name
        if "total_students" in includes:
            data["total_students"] = len(course.students)
        if "teachers" in includes:
            people = (world.users[number] for number in course.teachers if number in world.users)
            data["teachers"] = [{"id": person.id, "display_name": person.name} for person in people]
        if "concluded" in includes:
            data["concluded"] = course.state == "completed"
        if "storage_quota_used_mb" in includes:
            data["storage_quota_used_mb"] = round(world.contents.quota(course)[1] / 1_048_576, 3)
        if "syllabus_body" in includes:
            data["syllabus_body"] = None
        return data

    def _date(self, days: float | None) -> str | None:
        return None if days is None else iso(self._world.kernel.started + days * DAY)


def _types(content: Content, url: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"type": "course_settings", "property": "select[all_course_settings]", "title": "Course Settings"},
        {"type": "syllabus_body", "property": "select[all_syllabus_body]", "title": "Syllabus Body"},
    ]
    for kind, title in TITLES.items():
        count = sum(1 for _ in content.of(kind))
        if count:
            rows.append(
                {
                    "type": kind.value,
                    "property": f"select[all_{kind.value}]",
                    "title": title,
                    "count": count,
                    "sub_items_url": f"{url}?type={kind.value}",
                }
            )
    return rows


def _row(item: Item) -> dict[str, Any]:
    return {
        "type": item.kind.value,
        "id": item.asset_string,
        "title": item.title,
        "property": f"select[{item.kind.value}][{item.asset_string}]",
    }
