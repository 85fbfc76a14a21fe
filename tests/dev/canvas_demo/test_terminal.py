"""Ctrl-C at a terminal ends a demo, and make with it, with status 0."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from canvas_demo.processes.ports import any_free

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="terminals of Unix")

DEMO = """
import signal, sys
from canvas_demo.terminal import own_foreground

def interrupted(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGINT, interrupted)
try:
    with own_foreground():
        print("ready", flush=True)
        signal.pause()
except KeyboardInterrupt:
    print("stopping", flush=True)
sys.exit(int(sys.argv[1]))
"""


def at_a_terminal(
    command: list[str], keys: bytes, folder: Path, ready: bytes = b"ready"
) -> tuple[int, bytes]:
    """What a person sees who presses keys while a command runs, and the status that their shell gets."""
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(folder)
        os.execvp(command[0], command)  # noqa: S606  the command under test
    seen = b""
    while ready not in seen:
        seen += os.read(terminal, 1000)
    os.write(terminal, keys)
    try:
        while data := os.read(terminal, 1000):
            seen += data
    except OSError:
        pass  # Linux says so when the last program has closed its end
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), seen


@pytest.fixture
def made(tmp_path: Path) -> Path:
    if shutil.which("make") is None:
        pytest.skip("make is missing")
    (tmp_path / "demo.py").write_text(DEMO)
    (tmp_path / "Makefile").write_text(f"demo:\n\t@{sys.executable} demo.py $(STATUS)\n")
    return tmp_path


def test_make_ends_with_status_0(made: Path) -> None:
    status, seen = at_a_terminal(["make", "demo", "STATUS=0"], b"\x03", made)
    assert (status, b"stopping" in seen) == (0, True), seen


@pytest.mark.parametrize("moment", ["1/4", "2/4"])
def test_the_demo_itself_ends_with_status_0_and_leaves_nothing_running(made: Path, moment: str) -> None:
    ports = f"--port {any_free()} --canvas-port {any_free()}"
    folder = made / "demo"
    (made / "Makefile").write_text(f"demo:\n\t@{sys.executable} -m canvas_demo --folder {folder} {ports}\n")
    status, seen = at_a_terminal(["make", "demo"], b"\x03", made, moment.encode())
    assert (status, b"Stopping." in seen) == (0, True), seen
    assert b"Traceback" not in seen
    left = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        known = [*(process.info["cmdline"] or ()), *(process.info["environ"] or {}).values()]
        if any(str(folder) in text for text in known):
            left.append((process.pid, process.info["cmdline"], process.status()))
    assert left == []


def test_make_still_reports_a_failure(made: Path) -> None:
    status, seen = at_a_terminal(["make", "demo", "STATUS=2"], b"\x03", made)
    assert (status, b"stopping" in seen) == (2, True), seen


def test_without_make_it_is_the_same(made: Path) -> None:
    status, seen = at_a_terminal([sys.executable, "demo.py", "0"], b"\x03", made)
    assert (status, b"stopping" in seen) == (0, True), seen


def test_ctrl_z_does_not_leave_the_shell_waiting(made: Path) -> None:
    status, seen = at_a_terminal(["make", "demo", "STATUS=0"], b"\x1a\x03", made)
    assert (status, b"stopping" in seen) == (0, True), seen


def test_the_terminal_is_handed_back(made: Path) -> None:
    """What the same shell runs afterwards hears Ctrl-C, too."""
    command = "make demo STATUS=0; echo after ready; exec sleep 600"
    pid, terminal = pty.fork()
    if not pid:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # tests that run in the background ignore it
        os.chdir(made)
        os.execvp("sh", ["sh", "-c", command])  # noqa: S606, S607  the command under test
    seen = b""
    while b"ready" not in seen:
        seen += os.read(terminal, 1000)
    os.write(terminal, b"\x03")
    while b"after ready" not in seen:
        seen += os.read(terminal, 1000)
    status = 0
    for _ in range(100):  # the shell may not have begun its last command
        os.write(terminal, b"\x03")
        time.sleep(0.1)
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            break
    else:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    os.close(terminal)
    assert os.WTERMSIG(status) == signal.SIGINT


def test_without_a_terminal_nothing_is_changed(made: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "demo.py", "0"], cwd=made, stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(30) == 0
    process.stdout.close()
