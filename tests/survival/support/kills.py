"""What can be done to a cluster, drawn by lot."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from canvas_cluster.cluster import Cluster

_SOON = (0.5, 4.0)  # seconds until what was killed is started again
_LONG = (5.0, 20.0)  # seconds that something is away which others wait for


@dataclass(frozen=True)
class Blow:
    """One disaster. ``strike`` is over when everything is as it should be again."""

    name: str
    strike: Callable[[Cluster, random.Random], None]


def _killed(kind: str) -> Blow:
    def strike(cluster: Cluster, dice: random.Random) -> None:
        names = {"worker": cluster.workers, "triggerer": cluster.triggerers}.get(kind, [kind])
        name = dice.choice(names)
        cluster.kill(name)
        time.sleep(dice.uniform(*_SOON))
        cluster.launch(name)

    return Blow(f"{kind} killed", strike)


def _stopped(kind: str) -> Blow:
    def strike(cluster: Cluster, dice: random.Random) -> None:
        name = dice.choice({"worker": cluster.workers, "triggerer": cluster.triggerers}[kind])
        cluster.terminate(name, grace=10.0)
        cluster.launch(name)

    return Blow(f"{kind} stopped", strike)


def _frozen(cluster: Cluster, dice: random.Random) -> None:
    name = dice.choice([*cluster.workers, *cluster.triggerers, "scheduler"])
    cluster.freeze(name)
    time.sleep(dice.uniform(*_LONG))
    cluster.thaw(name)


def _any_process_killed(cluster: Cluster, dice: random.Random) -> None:
    """One process out of all of them: a task, a pool's child, a listener, a connection of the database."""
    program = dice.choice(cluster.programs.running)
    tree = program.tree()
    if tree:
        with contextlib.suppress(psutil.NoSuchProcess):
            dice.choice(tree).kill()
    time.sleep(dice.uniform(*_SOON))
    cluster.revive()


def _database_away(cluster: Cluster, dice: random.Random) -> None:
    cluster.terminate("postgres")
    time.sleep(dice.uniform(*_LONG))
    cluster.launch("postgres")
    cluster.revive()


BLOWS = [
    *(_killed(kind) for kind in ("worker", "triggerer", "scheduler", "api-server", "dag-processor", "redis")),
    *(_stopped(kind) for kind in ("worker", "triggerer")),
    Blow("frozen", _frozen),
    Blow("any process killed", _any_process_killed),
    Blow("any process killed", _any_process_killed),
    Blow("database away", _database_away),
]
