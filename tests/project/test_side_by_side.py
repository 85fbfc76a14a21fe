"""Both suites of CI run at the same time, and neither hides what became of the other."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
LAUNCHER = str(REPOSITORY / ".ci" / "side_by_side.py")
PASSED = "===== {} passed in 3.21s ====="


def suite(passed: int, *, status: int = 0, waits_for: Path | None = None, leaves: Path | None = None) -> str:
    """A command that prints what pytest prints."""
    steps = ["import pathlib, sys, time"]
    if leaves:
        steps.append(f"pathlib.Path('{leaves}').touch()")
    if waits_for:
        steps.append(f"while not pathlib.Path('{waits_for}').exists(): time.sleep(0.01)")
    steps += [f"print('suite of {passed}')", f"print('{PASSED.format(passed)}')", f"sys.exit({status})"]
    code = "\n".join(steps).replace("\n", "\\n")
    return f'{sys.executable} -c "exec(\\"{code}\\")"'


def run(*commands: str) -> tuple[int, list[str]]:
    ran = subprocess.run(
        [sys.executable, LAUNCHER, *commands], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.stderr == ""
    return ran.returncode, ran.stdout.splitlines()


def test_they_run_at_the_same_time_and_print_one_after_the_other(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    status, lines = run(suite(11, leaves=one, waits_for=other), suite(22, leaves=other, waits_for=one))
    assert status == 0
    assert [line for line in lines if line.startswith("suite")] == ["suite of 11", "suite of 22"]
    assert lines[-2:] == [PASSED.format(11), PASSED.format(22)], "the last lines are pytest's"


def test_a_failure_of_either_is_the_failure_of_both_and_is_named() -> None:
    for first, second in ((3, 0), (0, 4)):
        status, lines = run(suite(11, status=first), suite(22, status=second))
        assert status == (first or second)
        assert len([line for line in lines if "FAILED with status" in line]) == 1
        assert f"FAILED with status {first or second}" in lines[-4 if first else -3]
        assert lines[-2:] == [PASSED.format(11), PASSED.format(22)]


def test_a_suite_that_dies_without_a_word_is_a_failure() -> None:
    status, lines = run(suite(11), f'{sys.executable} -c "import os; os.kill(os.getpid(), 9)"')
    assert status != 0
    assert "FAILED with status -9" in lines[-2]


def test_signals_work_in_them_though_the_shell_ignores_them() -> None:
    asked = f'{sys.executable} -c "import signal; print(signal.getsignal(signal.SIGINT))"'
    ran = subprocess.run(
        ["/bin/bash", "-c", 'trap "" INT; exec "$@"', "bash", sys.executable, LAUNCHER, asked, asked],
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(re.findall("default_int_handler", ran.stdout)) == 2


def test_an_interrupted_launcher_interrupts_both(tmp_path: Path) -> None:
    code = "import os, pathlib, time; pathlib.Path('{}').write_text(str(os.getpid())); time.sleep(60)"
    files = [tmp_path / "one.pid", tmp_path / "other.pid"]
    (tmp_path / "Makefile").write_text(
        "".join(f'{path.stem}:\n\t@{sys.executable} -c "{code.format(path)}"\n' for path in files)
    )
    commands = [f"make -C {tmp_path} {path.stem}" for path in files]
    launcher = subprocess.Popen(
        [sys.executable, LAUNCHER, *commands], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while not all(path.exists() and path.read_text() for path in files):
        time.sleep(0.01)
    launcher.send_signal(signal.SIGINT)
    assert launcher.wait(timeout=30) != 0
    for path in files:
        with pytest.raises(ProcessLookupError):
            os.kill(int(path.read_text()), 0)
