"""How a course grades: its late policy, grading standards and rubrics."""

from __future__ import annotations

import json
from typing import Any

from canvas_sandbox.campus import Course
from canvas_sandbox.content.model import Item, Kind
from canvas_sandbox.web.http import errors
from canvas_sandbox.web.http.messages import Call, Response
from canvas_sandbox.web.http.pagination import paginate
from canvas_sandbox.web.http.router import Router
from canvas_sandbox.web.lookups import find_course
from canvas_sandbox.web.permissions import can_read_as_admin
from canvas_sandbox.world import World

_NO_STANDARD = "[]"


class GradingEndpoints:
    """Small documents about grading, for teachers and admins. None of them moves ``updated_at`` of the course."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add_to(self, router: Router) -> None:
        """Add the routes."""
        router.add("GET", "/api/v1/courses/:course_id/late_policy", self.late_policy)
        router.add("GET", "/api/v1/courses/:course_id/grading_standards", self.grading_standards)
        router.add("GET", "/api/v1/courses/:course_id/rubrics", self.rubrics)

    def late_policy(self, call: Call) -> Response:
        """``GET .../late_policy``: 404 in a course that has none."""
        course = self._course(call)
        percent = dict(self._world.contents.of(course).settings).get("late_policy")
        if percent is None:
            raise errors.not_found()
        return Response(
            data={
                "late_policy": {
                    "id": course.id,
                    "course_id": course.id,
                    "late_submission_deduction_enabled": True,
                    "late_submission_deduction": float(percent),
                    "late_submission_interval": "day",
                }
            }
        )

    def grading_standards(self, call: Call) -> Response:
        """``GET .../grading_standards``: those of the course itself."""
        course = self._course(call)

        def row(item: Item) -> dict[str, Any]:
            data = json.loads(dict(item.settings).get("data", _NO_STANDARD))
            scheme = [{"name": name, "value": value} for name, value in data]
            return {
                "id": item.id,
                "title": item.title,
                "context_type": "Course",
                "context_id": course.id,
                "grading_scheme": scheme,
            }

        return paginate(call, self._items(course, Kind.GRADING_STANDARD), row, self._url(call, course))

    def rubrics(self, call: Call) -> Response:
        """``GET .../rubrics``."""
        course = self._course(call)

        def row(item: Item) -> dict[str, Any]:
            criteria = [
                {
                    "id": f"{item.id}_{number}",
                    "description": criterion.text,
                    "points": criterion.ratings[0][1],
                    "ratings": [
                        {"id": f"{number}_{place}", "description": text, "points": points}
                        for place, (text, points) in enumerate(criterion.ratings)
                    ],
                }
                for number, criterion in enumerate(item.criteria, start=1)
            ]
            return {
                "id": item.id,
                "title": item.title,
                "context_type": "Course",
                "context_id": course.id,
                "points_possible": sum(each["points"] for each in criteria),
                "data": criteria,
            }

        return paginate(call, self._items(course, Kind.RUBRIC), row, self._url(call, course))

    def _items(self, course: Course, kind: Kind) -> list[Item]:
        return list(self._world.contents.of(course).of(kind))

    @staticmethod
    def _url(call: Call, course: Course) -> str:
        return f"{call.base_url}/api/v1/courses/{course.id}/{call.path.rpartition('/')[2]}"

    def _course(self, call: Call) -> Course:
        course = find_course(self._world, call.ids["course_id"])
        if course is None:
            raise errors.not_found()
        if not can_read_as_admin(self._world, call.user, course):
            raise errors.denied(self._world.kernel.switches)
        return course
