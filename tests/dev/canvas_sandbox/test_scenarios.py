"""The ready-made universities keep what they promise."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from canvas_sandbox.scenarios import SCENARIOS, Scenario, demo

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call, Caller


def test_the_demo_has_forty_courses_of_every_fate() -> None:
    scenario = demo()
    assert len(scenario.courses) == 40
    assert Counter(scenario.expected.values()) == {
        "stored": 33,
        "incomplete": 2,
        "gone": 1,
        "denied": 1,
        "failed": 1,
        "stalled": 1,
        "empty": 1,
    }
    sizes = [course.size for course in scenario.courses]
    assert sizes.count(300_000_000) == 1
    assert sum(sizes) < 500_000_000
    assert len({course.sis_course_id for course in scenario.courses}) == 40


def test_the_demo_lists_its_forty_courses_in_the_current_term(call: Call) -> None:
    with demo().sandbox(throttle=False) as canvas:
        admin = call(canvas)
        for term in ("current", "sis_term_id:2026-AUT"):
            rows = admin.get(
                "/api/v1/accounts/1/courses", params={"enrollment_term_id": term, "per_page": 100}
            ).json()
            assert len(rows) == 40


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_every_course_meets_its_expected_fate(call: Call, name: str) -> None:
    scenario = SCENARIOS[name]()
    with scenario.sandbox(throttle=False) as canvas:
        admin = call(canvas)
        fates = {course.label: fate(admin, f"courses/{course.id}") for course in scenario.courses}
    assert fates == {label: broad(scenario, label) for label in fates}


def broad(scenario: Scenario, label: str) -> str:
    """What can be told of an expected outcome without looking into the package."""
    outcome = scenario.expected[label]
    return "stored" if outcome in ("incomplete", "empty") else outcome


def fate(caller: Caller, context: str) -> str:
    """What becomes of a course that is asked for twice at most."""
    path = f"/api/v1/{context}/content_exports"
    state = ""
    for _ in range(2):
        response = caller.post(path, {"export_type": "common_cartridge"})
        if response.status_code != 200:
            return {403: "denied", 404: "gone"}[response.status_code]
        state = caller.finish(response.json(), context)["workflow_state"]
        if state == "exported":
            return "stored"
    return "failed" if state == "failed" else "stalled"


def test_the_demo_takes_about_a_minute_on_its_workers(call: Call) -> None:
    scenario = demo()
    with scenario.sandbox(throttle=False) as canvas:
        admin = call(canvas)
        for course in scenario.courses:
            admin.post(f"/api/v1/courses/{course.id}/content_exports", {"export_type": "common_cartridge"})
        canvas.advance(3600)
        records = [record for record in canvas.exports if record.finished_at is not None]
        span = max(record.finished_at or 0 for record in records) - min(
            record.created_at for record in records
        )
    assert 55 < span < 95
