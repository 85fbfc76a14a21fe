"""``make demo`` ends in the expected table, whichever of its processes is killed on the way."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from tests.survival.support.cluster import eventually

from canvas_demo.airflow.airflow_api import AirflowApi, AirflowError
from canvas_demo.processes.ports import any_free
from canvas_sandbox.records import ExportRecord
from canvas_sandbox.scenarios import demo

pytestmark = pytest.mark.survival

CONFLICT, BROKEN = 409, 500
MOST_REFUSALS = 50
LONGEST = 600.0  # seconds until a demo must have ended, killed or not, on a busy machine


@pytest.fixture(autouse=True)
def whole_cluster() -> None:
    """The demo is an Airflow of its own."""


class Patient(AirflowApi):
    """An Airflow on SQLite and a busy machine: who is not answered, or sent away, asks again."""

    refused = 0

    def api(self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
        try:
            return super().api(method, path, body, **query)
        except requests.RequestException:
            self.refused += 1
        except AirflowError as error:
            if (error.status or 0) < BROKEN:
                raise
            self.refused += 1
        assert self.refused < MOST_REFUSALS, f"{method} {path}: never answered"
        return self.api(method, path, body, **query)

    def run(self, dag_id: str, conf: Mapping[str, Any] | None = None) -> None:
        """Start a DAG by hand, under a name of its own, and wait until it has succeeded."""
        run_id = f"by-hand__{dag_id}__{len(conf or {})}"
        self.begin(dag_id, run_id, conf)
        assert self.wait_for_end(dag_id, run_id, LONGEST) == "success", self.task_instances(dag_id, run_id)

    def begin(self, dag_id: str, run_id: str, conf: Mapping[str, Any] | None = None) -> None:
        """Start it, whether or not an answer was lost."""
        try:
            self.trigger(dag_id, conf, run_id)
        except AirflowError as error:
            if error.status != CONFLICT:
                raise


class Demo:
    """A demo in a folder, as ``make demo ONCE=1`` runs it; started anew as often as one likes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = folder.with_suffix(".out")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, once: bool = True) -> None:
        command = [
            *(sys.executable, "-m", "canvas_demo", "--folder", str(self.folder)),
            *("--port", str(any_free()), "--canvas-port", str(any_free())),
            *(["--once"] if once else []),
        ]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)

    def kill(self) -> None:
        """Kill the demo's own process, and nothing else."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self) -> int:
        assert self.process is not None
        return self.process.wait(LONGEST)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def interrupt(self) -> int:
        """Press Ctrl-C; the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def airflow(self) -> Patient:
        """Its Airflow, once it has said where that is."""
        found = eventually(lambda: re.findall(r"(http://127.0.0.1:\d+) \(no password", self.said()), "the UI")
        airflow = Patient(found[-1])
        airflow.log_in()
        return airflow

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def program(self, name: str) -> psutil.Process:
        """The process of a component, not those that it has begun."""
        pid, _ = json.loads((self.folder / "airflow" / "programs" / f"{name}.pid").read_text())
        return psutil.Process(pid)

    def journal(self) -> list[dict[str, object]]:
        """What the sandbox has written down of what happened to it."""
        path = self.folder / "canvas" / "journal.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def asked(self) -> int:
        """How many exports Canvas was asked for."""
        return sum(entry["kind"] == "export" for entry in self.journal())

    def stored(self) -> int:
        """How many packages are complete."""
        return len(list((self.folder / "archive").glob("courses/*/*.json")))

    def exports(self) -> list[ExportRecord]:
        """Every export that Canvas made, of a demo that has ended."""
        with demo().sandbox(state=self.folder / "canvas") as canvas:
            return canvas.exports

    def left(self) -> list[str]:
        """Processes of any life of this demo."""
        rows = []
        for process in psutil.process_iter(["cmdline", "environ", "status"]):
            text = [*(process.info["cmdline"] or ()), *(process.info["environ"] or {}).values()]
            if (
                any(str(self.folder) in part for part in text)
                and process.info["status"] != psutil.STATUS_ZOMBIE
            ):
                rows.append(f"{process.pid} {' '.join(process.info['cmdline'] or ())}")
        return rows


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Demo]:
    one = Demo(tmp_path / "demo")
    try:
        yield one
    finally:
        one.stop()


def nothing_lost_nothing_twice(one: Demo) -> None:
    """The table is the expected one, and neither Canvas nor the archive saw anything twice."""
    expected = demo().expected
    assert f"All {len(expected)} outcomes are as expected." in one.said(), one.said()
    exports = one.exports()
    made = Counter(export.context for export in exports if export.state != "failed")
    assert {context: count for context, count in made.items() if count > 1} == {}
    archive = one.folder / "archive"
    packages = sorted(path.with_suffix(".json") for path in archive.glob("courses/*/*.imscc"))
    manifests = sorted(archive.glob("courses/*/*.json"))
    assert packages == manifests
    stored = Counter(f"course:{path.parent.name}" for path in manifests)
    kept = {context for context, outcome in expected.items() if outcome in ("stored", "incomplete", "empty")}
    assert stored == Counter(kept)
    assert [path for path in archive.rglob("*") if path.is_file() and "tmp" in path.name] == []


def child(one: Demo, name: str, title: str) -> psutil.Process:
    """A child of a component, in whose title a text is."""

    def find() -> psutil.Process | None:
        children = one.program(name).children()
        return next((process for process in children if title in " ".join(process.cmdline())), None)

    return eventually(find, f"a child of {name}")


def task(one: Demo) -> psutil.Process:
    """The process of a task under way, two below the scheduler."""

    def find() -> psutil.Process | None:
        below = one.program("scheduler").children()
        return next((process for worker in below for process in worker.children()), None)

    return eventually(find, "a task under way")


@dataclass(frozen=True)
class Victim:
    """A process to kill: of which component, found how, and once so many exports were asked for or packages stored."""

    component: str
    count: Callable[[Demo], int]
    reached: int
    find: Callable[[Demo], psutil.Process] | None = None
    comes_back: bool = True

    def kill(self, one: Demo) -> None:
        before = self._returns(one)
        find = self.find or (lambda one: one.program(self.component))
        find(one).send_signal(signal.SIGKILL)
        if self.comes_back:
            eventually(lambda: self._returns(one) > before, f"{self.component} to come back")

    def _returns(self, one: Demo) -> int:
        return len(re.findall(rf"^ +{self.component} .*restarting it$", one.said(), re.MULTILINE))


#: One after the other. What shows nothing of itself in the terminal is Airflow's to mend.
VICTIMS = [
    Victim("dag-processor", Demo.asked, 1),
    Victim("canvas-sandbox", Demo.asked, 25),
    Victim("triggerer", Demo.asked, 37),
    Victim("scheduler", Demo.stored, 3, task, comes_back=False),
    Victim("api-server", Demo.stored, 6),
    Victim("scheduler", Demo.stored, 10),
    Victim("triggerer", Demo.stored, 14, lambda one: child(one, "triggerer", "")),
    Victim("scheduler", Demo.stored, 16, lambda one: child(one, "scheduler", "LocalExecutor")),
]


def test_whichever_component_is_killed_the_table_is_the_expected_one(running: Demo) -> None:
    running.start()
    assert running.process is not None
    for victim in VICTIMS:
        deadline = time.monotonic() + LONGEST
        while victim.count(running) < victim.reached:
            assert running.process.poll() is None, running.said()
            assert time.monotonic() < deadline, running.said()
            time.sleep(0.1)
        victim.kill(running)
    assert running.end() == 0, running.said()
    nothing_lost_nothing_twice(running)
    assert running.left() == []


def test_what_a_person_does_in_a_demo_works_leaves_its_verdict_alone_and_stays(running: Demo) -> None:
    """A pilot and an export by hand during the night; afterwards a drill, a restore, and the same demo once more."""
    running.start(once=False)
    airflow = running.airflow()
    eventually(lambda: "3/4" in running.said(), "the night")
    airflow.begin("canvas_backup_pilot", "by-hand")
    airflow.begin("canvas_export", "by-hand", {"courses": ["2029", "2015"]})
    eventually(
        lambda: "The next `make demo` continues it" in running.said(), "the end of both nights", 2 * LONGEST
    )
    assert f"All {len(demo().expected)} outcomes are as expected." in running.said(), running.said()
    assert airflow.wait_for_end("canvas_backup_pilot", "by-hand", LONGEST) == "success"
    assert airflow.wait_for_end("canvas_export", "by-hand", LONGEST) == "failed", "2029 is never whole"
    airflow.run("canvas_restore_drill")
    airflow.run("canvas_restore", {"course": "2008", "into": "2908"})
    stored = running.stored()
    assert running.interrupt() == 0
    assert running.left() == []

    running.start(once=False)
    eventually(
        lambda: running.said().count("The next `make demo` continues it") == 2, "the demo again", LONGEST
    )
    assert "Continuing the finished demo" in running.said()
    assert running.said().count("3/4") == 1
    assert running.said().count("A second night runs") == 1
    again = running.airflow()
    assert again.run_state("canvas_backup_pilot", "by-hand") == "success"
    assert running.stored() == stored
    assert running.interrupt() == 0
    assert running.left() == []


def test_a_demo_killed_and_started_again_goes_on_and_leaves_nothing_running(running: Demo) -> None:
    """Killed while its database is made, with exports under way, and with packages on their way."""
    moments: list[Callable[[], object]] = [
        (running.folder / "airflow" / "airflow.db").exists,
        lambda: running.asked() >= 10,
        lambda: running.stored() >= 12,
    ]
    for moment in moments:
        running.start()
        eventually(moment, running.output.name)
        running.kill()
    running.start()
    assert running.end() == 0, running.said()
    nothing_lost_nothing_twice(running)
    said = running.said()
    gone_on = said.count("Continuing the interrupted demo") + said.count(
        "Starting a new demo: the interrupted one"
    )
    assert gone_on == len(moments)
    assert running.left() == []
