"""Find and kill processes that a killed demo left running."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

_PR_SET_PDEATHSIG = 1
_CLOCK = 1.0  # seconds by which two readings of a process's start may differ
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def end_with_parent() -> None:
    """Ask Linux to send SIGTERM to this process when its parent ends. Does nothing elsewhere."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def note(folder: Path, name: str, pid: int) -> None:
    """Write down the leader of a session, for `remove_all`."""
    with contextlib.suppress(psutil.NoSuchProcess):
        (folder / f"{name}.pid").write_text(json.dumps([pid, psutil.Process(pid).create_time()]))


def remove_all(folder: Path) -> list[str]:
    """Kill the sessions that were written down in a folder, and return the names of those that were running."""
    found = []
    for path in sorted(folder.glob("*.pid")):
        with contextlib.suppress(ValueError):  # written only in part: its process was ended with its parent
            pid, began = json.loads(path.read_text())
            if remove(pid, began):
                found.append(path.stem)
        path.unlink()
    return found


def remove(pid: int, began: float) -> bool:
    """Kill a process that started at ``began``, and all of its session. Returns whether there was any.

    A session keeps its number while any member is left, even without its leader. A later process with the same number is
    left alone, and so is its session.
    """
    try:
        if abs(psutil.Process(pid).create_time() - began) > _CLOCK:
            return False
    except psutil.NoSuchProcess:
        pass
    found = False
    while members := list(_session(pid, began)):
        found = True
        for member in members:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        psutil.wait_procs(members, timeout=10)
    return found


def _session(leader: int, began: float) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            living = process.status() != psutil.STATUS_ZOMBIE
            if living and os.getsid(process.pid) == leader and process.create_time() >= began - _CLOCK:
                yield process
