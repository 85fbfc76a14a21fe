"""What a person may start by hand in the demo finds courses that are there."""

from __future__ import annotations

from pathlib import Path

from canvas_exports.core.backups import load_backups
from canvas_exports.core.canvas.api.course_filters import split_by_term
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.export.planning.course_lists import read_list
from canvas_exports.core.restore.drills.target_courses import find_empty_courses
from canvas_sandbox.scenarios import demo

INCLUDE = Path(__file__).parents[3] / "include"


def test_the_pilot_lists_good_courses_of_the_demo_by_number_and_by_sis_id() -> None:
    listed = read_list(str(INCLUDE / "courses" / "pilot.csv"))
    assert {course.canvas_id is None for course in listed} == {True, False}
    scenario = demo()
    with scenario.sandbox(throttle=False) as canvas, CanvasClient(canvas.url, canvas.token) as client:
        found = [client.resolve(course) for course in listed]
    assert len(set(found)) == len(listed)
    courses = {course.id: course for course in scenario.courses}
    assert {scenario.expected[courses[number].label] for number in found} == {"stored"}
    assert not any(courses[number].faults for number in found)


def test_every_course_for_drills_is_an_empty_target_course() -> None:
    scenario = demo()
    with scenario.sandbox(throttle=False) as canvas, CanvasClient(canvas.url, canvas.token) as client:
        targets = find_empty_courses(client, [course.label for course in scenario.drills])
    assert targets.refused == {}
    assert len(targets.empty) == len(scenario.drills) >= 5


def test_the_archive_of_a_finished_term_finds_the_courses_of_such_a_term() -> None:
    loaded = load_backups(INCLUDE)
    (backup,) = (each for each in loaded.backups if each.name == "end_of_term_archive")
    scenario = demo()
    with scenario.sandbox(throttle=False) as canvas, CanvasClient(canvas.url, canvas.token) as client:
        account, asked = str(backup.listing["account"]), split_by_term(backup.listing["filters"])
        found = [course.id for filters in asked for course in client.account_courses(account, filters)]
    assert found == [course.id for course in scenario.concluded]
    assert found
    assert not any(course.faults for course in scenario.concluded)
