"""A person clears, fails and restarts what is under way."""

from __future__ import annotations

import pytest
from tests.survival.conftest import OpenScene
from tests.survival.scene import LONG, Scene, slow_switches

from canvas_sandbox import Course, Fault

pytestmark = pytest.mark.survival

DAY = 86_400.0


def courses() -> list[Course]:
    return [Course(id=100 + number) for number in range(1, 7)]


@pytest.fixture(scope="module")
def scenes(open_scene: OpenScene) -> dict[str, Scene]:
    """All begin together: nobody's run is in another's way."""
    stuck = [*courses(), Course(id=107, faults=[Fault.STUCK_EXPORTING.times(1)])]
    opened = {
        "running": open_scene("person_running", courses()),
        "deferred": open_scene("person_deferred", courses(), slow_switches()),
        "failed": open_scene("person_failed", courses(), slow_switches()),
        "yesterday": open_scene("person_yesterday", stuck),
    }
    for name, scene in opened.items():
        if name != "running":
            scene.start(**({"stall_after": "PT5S"} if name == "yesterday" else {}))
    return opened


def test_a_task_cleared_while_it_runs_begins_again_beside_the_old_one(
    scenes: dict[str, Scene],
) -> None:
    scene = scenes["running"]
    hold = scene.canvas.hold("POST", r"/courses/103/content_exports$", answered=True)
    scene.start()
    hold.wait()
    scene.clear()
    scene.wait_for_attempt(2)
    hold.release()
    scene.end()
    scene.check()


def test_a_task_cleared_while_deferred_goes_on_with_the_same_exports(scenes: dict[str, Scene]) -> None:
    scene = scenes["deferred"]
    scene.triggerer()
    scene.clear()
    scene.wait_for_attempt(2)
    scene.sandbox.advance(LONG)
    scene.end()
    scene.check()


def test_a_task_marked_failed_stops_and_a_clear_takes_it_up(scenes: dict[str, Scene]) -> None:
    scene = scenes["failed"]
    scene.triggerer()
    scene.mark("failed")
    scene.end("failed")
    made = scene.sandbox.exports
    scene.sandbox.advance(LONG)
    scene.clear()
    scene.end()
    assert [export.id for export in scene.sandbox.exports] == [export.id for export in made]
    scene.check()


def test_a_run_cleared_the_next_day_does_only_what_was_missing(scenes: dict[str, Scene]) -> None:
    """The night ended with one course stuck. A day later in Canvas, after the batch's own deadline, all of it is cleared."""
    scene = scenes["yesterday"]
    scene.end("failed")
    stored = {course.label: "stored" for course in scene.courses}
    scene.check({**stored, "course:107": "stalled"})
    before = {key for key in scene.place.objects() if key.startswith("courses/")}
    scene.sandbox.advance(DAY)
    scene.clear_run()
    scene.end()
    scene.check(more_exports={"course:107": 1})
    after = {key for key in scene.place.objects() if key.startswith("courses/")}
    assert {key.split("/")[1] for key in after - before} == {"107"}
    assert before < after
