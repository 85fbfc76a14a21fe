"""Without a scheduler nothing begins; what has begun goes on, and ends once there is a scheduler again."""

from __future__ import annotations

import pytest
from tests.survival.support.cluster import LONG, OpenScene, eventually, slow_switches

from canvas_cluster.cluster import Cluster
from canvas_sandbox import Course

pytestmark = pytest.mark.survival


def test_a_killed_scheduler_takes_up_what_happened_without_it(
    open_scene: OpenScene, cluster: Cluster
) -> None:
    courses = [Course(id=100 + number) for number in range(1, 7)]
    waiting = open_scene("scheduler_waiting", courses, slow_switches())
    working = open_scene("scheduler_working", courses)
    hold = working.canvas.hold("POST", r"/courses/103/content_exports$", answered=True)
    waiting.start()
    working.start()
    waiting.triggerer()
    hold.wait()
    cluster.kill("scheduler")
    hold.release()
    waiting.sandbox.advance(LONG)
    eventually(lambda: working.place.objects() and waiting.woken(), "the work without a scheduler")
    cluster.launch("scheduler")
    for scene in (waiting, working):
        scene.end()
        scene.check()
