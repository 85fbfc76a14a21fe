"""Airflow's database goes away for twenty seconds, and comes back."""

from __future__ import annotations

import time

import pytest
from tests.survival.support.canvas_proxy import PATIENCE
from tests.survival.support.cluster import LONG, OpenScene, slow_switches

from canvas_cluster.cluster import Cluster
from canvas_sandbox import Course

pytestmark = pytest.mark.survival

OUTAGE = 20.0  # seconds


def test_a_lost_database_neither_loses_nor_doubles(open_scene: OpenScene, cluster: Cluster) -> None:
    """One batch waits, one has just had an export made whose checkpoint it cannot write."""
    courses = [Course(id=100 + number) for number in range(1, 7)]
    waiting = open_scene("database_waiting", courses, slow_switches())
    working = open_scene("database_working", courses)
    hold = working.canvas.hold("POST", r"/courses/103/content_exports$", answered=True)
    waiting.start()
    working.start()
    waiting.triggerer()
    hold.wait()
    cluster.terminate("postgres")
    hold.release()
    waiting.sandbox.advance(LONG)
    time.sleep(OUTAGE)
    cluster.launch("postgres")
    cluster.check()
    cluster.wait_until_healthy(PATIENCE)
    for scene in (waiting, working):
        scene.end()
        scene.check()
