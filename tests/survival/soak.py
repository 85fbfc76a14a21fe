"""``make soak MINUTES=30``: nights full of trouble on a cluster that is being killed, until the time is over.

Every round runs a few nights at once, with trouble drawn by lot, while one blow after the other falls on the cluster. Then
the blows stop, every run must come to its end, and what always holds is checked. The seed is printed; it repeats the
courses, the trouble and the order of the blows, but not to the millisecond what they meet.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import requests
from tests.support.store_servers.places import BUCKET
from tests.support.store_servers.s3 import client, rclone
from tests.survival.support import invariants
from tests.survival.support.cluster import DAG_ID, Scene
from tests.survival.support.faults import Misfortune, draw
from tests.survival.support.kills import BLOWS

from canvas_cluster.cluster import Cluster
from canvas_cluster.installed_programs import missing
from canvas_demo.airflow.airflow_api import AirflowError

REPOSITORY = Path(__file__).parents[2]
NIGHTS = 3  # at once
BLOWS_OF_A_ROUND = 5  # at most
BETWEEN = (2.0, 12.0)  # seconds between two blows
PATIENCE = 600.0  # seconds that a run may take once the blows have stopped


@dataclass
class Figures:
    """What the soak came to."""

    runs: int = 0
    courses: int = 0
    stored: int = 0
    exports: int = 0
    doubled: int = 0
    left_open: int = 0
    cleared: int = 0
    revived: int = 0
    blows: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def told(self, seed: int, minutes: float) -> str:
        """All of them, line by line."""
        lines = [
            f"seed {seed}, {minutes:.0f} min",
            f"runs {self.runs}, courses {self.courses}, packages stored {self.stored}, exports {self.exports}",
            f"exports too many {self.doubled}, uploads left open after a sweep {self.left_open}",
            f"services that ended by themselves and were started again {self.revived}",
            f"runs that a person had to clear {self.cleared}",
            "blows: " + (", ".join(f"{count} {name}" for name, count in self.blows.most_common()) or "none"),
            "trouble: "
            + (", ".join(f"{count} {name}" for name, count in self.troubles.most_common()) or "none"),
            f"broken invariants {len(self.wrong)}",
            *self.wrong,
        ]
        return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Soak; the exit status is 1 if any promise was broken, 2 where no cluster can be started."""
    options = _options(arguments)
    if why := missing():
        sys.stdout.write(f"No soak: {why}\n")
        return 2
    dice = random.Random(options.seed)  # noqa: S311  repeatable, not secret
    folder = Path(tempfile.mkdtemp(prefix="canvas-soak-"))
    _say(f"seed {options.seed}; {folder}")
    figures = Figures()
    begun = time.monotonic()
    with ExitStack() as stack:
        endpoint = stack.enter_context(rclone(folder / "s3"))
        client(endpoint).create_bucket(Bucket=BUCKET)
        dags = Path(__file__).parent / "dags"
        cluster = stack.enter_context(Cluster(folder / "cluster", REPOSITORY, dags=dags, slots=6))
        cluster.wait_for_dag(DAG_ID)
        number = 0
        while time.monotonic() - begun < options.minutes * 60 and not figures.wrong:
            number += 1
            _round(number, cluster, endpoint, dice, figures)
        figures.revived = len(cluster.revived)
    _say(figures.told(options.seed, (time.monotonic() - begun) / 60))
    if not figures.wrong:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if figures.wrong else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.survival.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long rounds begin (default: 30)")
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().randrange(10**6), help="default: any"
    )
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _round(number: int, cluster: Cluster, endpoint: str, dice: random.Random, figures: Figures) -> None:
    """A few nights at once, blows, the end of all, and the checks."""
    started = time.monotonic()
    with ExitStack() as stack:
        nights: list[tuple[Scene, Misfortune]] = []
        for place in range(NIGHTS):
            night = draw(dice)
            scene = Scene(cluster, endpoint, f"r{number}_{place}", night.courses, night.switches)
            stack.callback(scene.close)
            for fault in night.faults:
                scene.sandbox.inject(fault)
            scene.storage.trouble(*night.troubles)
            scene.start(fail_on="never", max_in_flight=dice.choice((2, 25)))
            nights.append((scene, night))
        fallen = _blows(cluster, dice, [scene for scene, _ in nights])
        figures.blows += fallen
        cluster.restore()
        for scene, night in nights:
            _finish(scene, night, figures)
    blows = ", ".join(fallen) or "no blow"
    _say(
        f"round {number}: {NIGHTS} runs, {time.monotonic() - started:.0f} s, {blows}; {len(figures.wrong)} wrong"
    )


def _blows(cluster: Cluster, dice: random.Random, scenes: list[Scene]) -> Counter[str]:
    """One after the other, while any run is under way."""
    fallen = Counter[str]()
    for _ in range(dice.randint(1, BLOWS_OF_A_ROUND)):
        time.sleep(dice.uniform(*BETWEEN))
        if all(_state(scene) in ("success", "failed") for scene in scenes):
            break
        blow = dice.choice(BLOWS)
        _say(f"  {blow.name}")
        blow.strike(cluster, dice)
        fallen[blow.name] += 1
    return fallen


def _finish(scene: Scene, night: Misfortune, figures: Figures) -> None:
    """Wait for a run, and check it; a run that failed is cleared once, as a person would."""
    try:
        if _end(scene) == "failed":
            figures.cleared += 1
            scene.cluster.clear(DAG_ID, scene.run_id)
            assert _end(scene) == "success", f"failed again: {scene.exports()}"
        scene.check(night.expected)
    except (AssertionError, AirflowError):
        figures.wrong.append(f"{scene.name}: {traceback.format_exc()}")
    exports = scene.sandbox.exports
    live = Counter(export.context for export in exports if export.state != "failed")
    figures.runs += 1
    figures.courses += len(night.courses)
    figures.exports += len(exports)
    figures.doubled += sum(count - 1 for count in live.values())
    figures.stored += len(invariants.manifests(scene.place))
    figures.left_open += len(scene.place.leftovers())
    figures.troubles += night.came()


def _end(scene: Scene) -> str:
    """The state in which a run ends. The API server may be the last to come back."""
    deadline = time.monotonic() + PATIENCE
    while (state := _state(scene)) not in ("success", "failed"):
        scene.cluster.check()
        if time.monotonic() > deadline:
            raise AssertionError(f"{scene.name} is still {state}")
        time.sleep(1)
    return state


def _state(scene: Scene) -> str:
    try:
        return scene.cluster.run_state(DAG_ID, scene.run_id)
    except (requests.RequestException, AirflowError):
        return "unknown"


if __name__ == "__main__":
    sys.exit(main())
