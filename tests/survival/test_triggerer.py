"""What waits in a triggerer goes on in the other one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.survival.support.cluster import LONG, OpenScene, Scene, slow_switches

from canvas_cluster.cluster import Cluster
from canvas_sandbox import Course

pytestmark = pytest.mark.survival


@pytest.fixture
def waiting(open_scene: OpenScene, request: pytest.FixtureRequest) -> Iterator[Scene]:
    """A run whose batch waits in a triggerer, for exports that take until the clock is moved."""
    name = str(request.node.name)
    scene = open_scene(name, [Course(id=100 + number) for number in range(1, 7)], slow_switches())
    scene.start()
    scene.triggerer()
    yield scene
    scene.close()


def test_a_killed_triggerer_loses_nothing(waiting: Scene, cluster: Cluster) -> None:
    killed = waiting.triggerer()
    cluster.kill(killed)
    assert waiting.triggerer(killed) in cluster.triggerers
    waiting.sandbox.advance(LONG)
    waiting.end()
    waiting.check()


def test_a_drained_triggerer_hands_over(waiting: Scene, cluster: Cluster) -> None:
    drained = waiting.triggerer()
    cluster.terminate(drained)
    assert waiting.triggerer(drained) in cluster.triggerers
    waiting.sandbox.advance(LONG)
    waiting.end()
    waiting.check()
    assert [row["try_number"] for row in waiting.exports()] == [1], "handing over is no failure"


def test_a_trigger_that_runs_in_both_triggerers_changes_nothing(waiting: Scene, cluster: Cluster) -> None:
    """One is frozen, and comes back when the other has taken over and all exports are done: both see it."""
    frozen = waiting.triggerer()
    cluster.freeze(frozen)
    assert waiting.triggerer(frozen) in cluster.triggerers
    waiting.sandbox.advance(LONG)
    cluster.thaw(frozen)
    waiting.end()
    waiting.check()
