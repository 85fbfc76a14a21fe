"""Create a course: ``POST /api/v1/accounts/:account_id/courses``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from canvas_sandbox.campus import Course
from canvas_sandbox.changes import apply
from canvas_sandbox.web.http import errors
from canvas_sandbox.web.http.messages import Call, RequestRefusedError, Response
from canvas_sandbox.web.http.params import is_true
from canvas_sandbox.web.http.router import Router
from canvas_sandbox.web.lookups import find_account, find_term
from canvas_sandbox.world import World


class CreateCourseEndpoint:
    """Create empty courses, for admins."""

    def __init__(self, world: World, render: Callable[[Course, Call], dict[str, Any]]) -> None:
        self._world = world
        self._render = render

    def add_to(self, router: Router) -> None:
        """Add the route."""
        router.add("POST", "/api/v1/accounts/:account_id/courses", self.create)

    def create(self, call: Call) -> Response:
        """Create a course: unpublished unless ``offer`` is true, in the default term unless ``course[term_id]`` names another."""
        world = self._world
        account = find_account(world, call.ids["account_id"])
        if account is None:
            raise errors.not_found()
        if call.user.role != "admin":
            raise errors.denied(world.kernel.switches)
        given = call.params.get("course")
        asked: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
        term = find_term(world, str(asked.get("term_id") or "default"))
        sis_id = asked.get("sis_course_id") or None
        if any(sis_id is not None and course.sis_course_id == sis_id for course in world.courses.values()):
            raise _taken(str(sis_id))
        name = str(asked.get("name") or "Unnamed Course")
        fields: dict[str, Any] = {
            "name": name,
            "course_code": str(asked.get("course_code") or name),
            "sis_course_id": sis_id,
            "term_id": term.id if term is not None else min(world.terms),
            "state": "available" if is_true(call.params.get("offer", "")) else "claimed",
            "teachers": [],
            "students": [],
        }
        number = apply(world, "create_course", account.id, fields)
        return Response(data=self._render(world.courses[number], call))


def _taken(sis_id: str) -> RequestRefusedError:
    """400: another course has this SIS id."""
    message = f'SIS ID "{sis_id}" is already in use'
    problem = {"attribute": "sis_source_id", "type": message, "message": message}
    return RequestRefusedError(Response(400, {"errors": {"sis_source_id": [problem]}}))
