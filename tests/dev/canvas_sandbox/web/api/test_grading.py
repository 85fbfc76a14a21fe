"""Late policy, grading standards and rubrics of a course are small documents for its teachers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from canvas_sandbox.content.model import Kind

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Caller

    from canvas_sandbox import Sandbox

_COURSE = "/api/v1/courses/101/"


def test_a_course_without_a_late_policy_answers_404(canvas: Sandbox, teacher: Caller) -> None:
    assert teacher.get(_COURSE + "late_policy").status_code == 404
    canvas.set_course(101, {"late_policy": "12.5"})
    policy = teacher.get(_COURSE + "late_policy").json()["late_policy"]
    assert policy["late_submission_deduction"] == 12.5
    assert b"<late_submission_deduction>12.5<" in teacher.package().read("course_settings/late_policy.xml")


def test_grading_standards_and_rubrics_are_lists(canvas: Sandbox, teacher: Caller) -> None:
    settings = {"data": '[["Pass", 0.5], ["Fail", 0.0]]'}
    canvas.add_item(101, Kind.GRADING_STANDARD.value, {"title": "Pass or fail", "settings": settings})
    rubric = next(canvas.content(101).of(Kind.RUBRIC)).id
    canvas.edit_item(101, rubric, {"criteria": [["Clarity", [["Clear", 4], ["Not clear", 0]]]]})
    standard, *none = teacher.get(_COURSE + "grading_standards").json()
    assert (standard["title"], none) == ("Pass or fail", [])
    assert standard["grading_scheme"][0] == {"name": "Pass", "value": 0.5}
    row = next(row for row in teacher.get(_COURSE + "rubrics").json() if row["id"] == rubric)
    assert (row["points_possible"], row["data"][0]["description"]) == (4.0, "Clarity")


@pytest.mark.parametrize("path", ["late_policy", "grading_standards", "rubrics"])
def test_students_do_not_see_them(path: str, student: Caller) -> None:
    assert student.get(_COURSE + path).status_code == 403
