"""Between the nights of the demo some courses change, and a comparison of their exports tells each edit and no other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.canvas.sandbox_client import FROZEN, Caller
from tests.support.packages.stored import KEY, InMemory

from canvas_demo.edit_courses import EDITED, edit_courses
from canvas_exports.core.packages.changes.compare import compare_courses
from canvas_exports.core.packages.changes.version import Version
from canvas_exports.core.packages.content.open import open_content
from canvas_exports.core.packages.random_access import StoredPackage
from canvas_exports.core.packages.zip.directory import read_directory
from canvas_sandbox.scenarios import demo

FOUND = {
    "BIO 101": {
        ("page", "Reading list", ("changed",)),
        ("page", "Working with data", ("renamed",)),
        ("page", "Field trip to the wetland", ("added",)),
        ("assignment", "Lab report", ("changed",)),
        ("syllabus", "Syllabus", ("changed",)),
    },
    "PHY 101": {("syllabus", "Syllabus", ("changed",))},
    "JPN 101": {("discussion", "Questions about the course", ("removed",))},
}


def exported(caller: Caller, course: int) -> Version:
    data = caller.exported(context=f"courses/{course}")
    package = StoredPackage(InMemory(data), KEY, len(data))
    sums = {member.name: (member.size, member.crc) for member in read_directory(package)}
    return Version(open_content(package, export_type="common_cartridge"), sums)


@pytest.mark.parametrize("times", [1, 2])
def test_each_edit_is_told_and_no_other_however_often_they_are_made(times: int) -> None:
    scenario = replace(demo(), switches=FROZEN)
    codes = {course.id: course.course_code for course in scenario.courses}
    assert {codes[number]: number for number in EDITED.values()} == EDITED
    with scenario.sandbox(throttle=False) as canvas:
        caller = Caller(canvas, canvas.tokens["admin"])
        before = {code: exported(caller, number) for code, number in EDITED.items()}
        for _ in range(times):
            edit_courses(canvas.url)
        for code, number in EDITED.items():
            found = compare_courses(before[code], exported(caller, number))
            assert {(each.kind, each.title, each.what) for each in found.changes} == FOUND[code]
        caller.close()
