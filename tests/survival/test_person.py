"""A person clears, fails and restarts what is under way."""

from __future__ import annotations

import pytest
from tests.survival.support.cluster import LONG, OpenScene, Scene, slow_switches

from canvas_sandbox import Course

pytestmark = pytest.mark.survival

DAY = 86_400.0


def courses() -> list[Course]:
    return [Course(id=100 + number) for number in range(1, 7)]


@pytest.fixture(scope="module")
def scenes(open_scene: OpenScene) -> dict[str, Scene]:
    """All begin together: nobody's run is in another's way."""
    opened = {
        "running": open_scene("person_running", courses()),
        "deferred": open_scene("person_deferred", courses(), slow_switches()),
        "failed": open_scene("person_failed", courses(), slow_switches()),
        "yesterday": open_scene("person_yesterday", [*courses(), Course(id=107, duration=LONG)]),
    }
    for name, scene in opened.items():
        if name != "running":
            scene.start(**({"deadline": "PT1M"} if name == "yesterday" else {}))
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
    """The deadline came before one export was done. A day later in Canvas, where it has been done since, all is cleared."""
    scene = scenes["yesterday"]
    scene.end("failed")
    scene.check({**{course.label: "stored" for course in scene.courses}, "course:107": "stalled"})
    made = [export.id for export in scene.sandbox.exports]
    before = packages(scene)
    scene.sandbox.advance(DAY)
    scene.clear_run()
    scene.end()
    scene.check()
    assert [export.id for export in scene.sandbox.exports] == made
    assert {key.split("/")[1] for key in packages(scene) - before} == {"107"}


def packages(scene: Scene) -> set[str]:
    return {key for key in scene.place.objects() if key.startswith("courses/")}
