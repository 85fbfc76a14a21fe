"""What dies is started again, and what a killed parent leaves is found by the next."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from canvas_demo.processes import cleanup
from canvas_demo.processes.programs import ProgramDiedError
from canvas_demo.processes.supervisor import MOST_RESTARTS, Pool, SupervisedPrograms
from canvas_demo.state import DemoState

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
#: A program with a child in a process group of its own, as Airflow gives every task one.
FAMILY = [
    sys.executable,
    "-c",
    """
import os, time
child = os.fork()
if not child:
    os.setpgrp()
else:
    print(child, flush=True)
time.sleep(600)
""",
]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def programs(tmp_path: Path, said: list[str]) -> Iterator[SupervisedPrograms]:
    tended = SupervisedPrograms(tmp_path, os.environ, said.append, {"pool": Pool(b"worker\n", 2)})
    try:
        yield tended
    finally:
        tended.stop()
        cleanup.remove_all(tmp_path)


def eventually(look: Callable[[], object]) -> None:
    for _ in range(500):
        if look():
            return
        time.sleep(0.02)
    raise AssertionError("it never happened")


def lives(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def child_of(log: Path) -> int:
    eventually(lambda: log.exists() and log.read_text().endswith("\n"))
    return int(log.read_text().split()[-1])


def test_what_is_killed_is_started_again_and_said(programs: SupervisedPrograms, said: list[str]) -> None:
    first = programs.start("scheduler", SLEEP)
    first.process.kill()
    first.process.wait()
    programs.check()
    (second,) = programs.running
    assert second.is_running
    assert second.process.pid != first.process.pid
    assert said == ["     scheduler ended (signal 9); restarting it"]
    programs.check()
    assert len(said) == 1


def test_what_ends_whenever_it_is_started_is_given_up(programs: SupervisedPrograms, said: list[str]) -> None:
    programs.start("broken", [sys.executable, "-c", "raise SystemExit('no port')"])
    with pytest.raises(ProgramDiedError, match=r"for the 6th time:\n(no port\n?)+"):  # noqa: PT012  it takes time
        while True:
            programs.check()
            time.sleep(0.02)
    assert len(said) == MOST_RESTARTS


def test_a_program_takes_its_children_along_before_it_is_started_again(
    programs: SupervisedPrograms, tmp_path: Path
) -> None:
    program = programs.start("scheduler", FAMILY)
    child = child_of(tmp_path / "scheduler.log")
    program.process.kill()
    program.process.wait()
    assert lives(child)
    programs.check()
    assert not lives(child)


def test_a_pool_that_begins_one_more_worker_is_started_again(
    programs: SupervisedPrograms, said: list[str], tmp_path: Path
) -> None:
    programs.start(
        "pool", [sys.executable, "-c", "print('worker\\nworker', flush=True); import time; time.sleep(600)"]
    )
    log = tmp_path / "pool.log"
    eventually(lambda: log.exists() and log.read_text().count("worker\n") == 2)
    programs.check()
    assert said == []
    with log.open("a") as file:
        file.write("worker\n")
    programs.check()
    assert said == ["     pool lost one of its workers; restarting it"]
    eventually(lambda: log.read_text().count("worker\n") == 5)
    programs.check()
    assert len(said) == 1, "what was logged before it was started does not count"


START = """
import os, sys
from pathlib import Path
from canvas_demo.processes.supervisor import SupervisedPrograms
programs = SupervisedPrograms(Path(sys.argv[1]), os.environ, print)
programs.start("scheduler", sys.argv[2:])
print("started", flush=True)
import time; time.sleep(600)
"""


class Interrupted(SupervisedPrograms):
    """Programs whose person presses Ctrl-C just while one of them is begun."""

    @contextlib.contextmanager
    def _undisturbed(self) -> Iterator[None]:
        yield
        raise KeyboardInterrupt


def test_a_program_that_begins_as_ctrl_c_is_pressed_is_ended(tmp_path: Path, said: list[str]) -> None:
    programs = Interrupted(tmp_path, os.environ, said.append)
    mark = tmp_path / "mark"
    with pytest.raises(KeyboardInterrupt):
        programs.run("begun", [sys.executable, "-c", "import time; time.sleep(60)", str(mark)])
    found = [each for each in psutil.process_iter(["cmdline"]) if str(mark) in (each.info["cmdline"] or ())]
    assert found == []


def orphaned(folder: Path, command: list[str]) -> tuple[int, int]:
    """A program and its child, whose parent was killed."""
    parent = subprocess.Popen([sys.executable, "-c", START, str(folder), *command], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"started\n"
    child = child_of(folder / "scheduler.log")
    pid, _ = json.loads((folder / "scheduler.pid").read_text())
    parent.kill()
    parent.communicate()
    return pid, child


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent is gone")
def test_programs_end_with_their_parent(tmp_path: Path) -> None:
    pid, _ = orphaned(tmp_path, FAMILY)
    try:
        eventually(lambda: not lives(pid))
    finally:
        cleanup.remove_all(tmp_path)


def test_what_a_killed_demo_left_is_removed_by_the_next(tmp_path: Path) -> None:
    """Also what is left of a program that is gone itself."""
    pid, child = orphaned(tmp_path, FAMILY)
    assert cleanup.remove_all(tmp_path) == ["scheduler"]
    assert not lives(pid)
    assert not lives(child)
    assert cleanup.remove_all(tmp_path) == []


def test_a_stranger_who_has_got_the_number_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen(SLEEP, start_new_session=True)
    try:
        long_ago = psutil.Process(stranger.pid).create_time() - 3600
        (tmp_path / "scheduler.pid").write_text(json.dumps([stranger.pid, long_ago]))
        assert cleanup.remove_all(tmp_path) == []
        assert stranger.poll() is None
    finally:
        stranger.send_signal(signal.SIGKILL)
        stranger.wait()


class TestKept:
    def test_it_comes_back_as_it_was_also_when_the_night_is_over(self, tmp_path: Path) -> None:
        demo = DemoState(1, 2, 3, run_id="demo__1")
        demo.save(tmp_path)
        assert DemoState.load(tmp_path) == demo
        assert (tmp_path / "demo.json").stat().st_mode & 0o077 == 0
        demo.is_over, demo.was_expected = True, False
        demo.save(tmp_path)
        assert DemoState.load(tmp_path) == demo

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"ui_port": 1}', '{"from": "another release"}'])
    def test_what_cannot_be_read_is_a_demos_all_the_same(self, tmp_path: Path, text: str) -> None:
        assert not DemoState.is_in(tmp_path)
        (tmp_path / "demo.json").write_text(text)
        assert DemoState.load(tmp_path) is None
        assert DemoState.is_in(tmp_path)

    def test_two_demos_share_no_secret(self) -> None:
        assert set(DemoState(1, 2, 3).secrets.values()).isdisjoint(DemoState(1, 2, 3).secrets.values())
