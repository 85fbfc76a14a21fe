"""The folder of a demo: whose it is, going on with what is in it, and beginning anew."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from canvas_demo.processes import cleanup
from canvas_demo.processes.ports import any_free, free_port, is_free
from canvas_demo.state import Kept

_MADE = ("airflow", "archive", "canvas")


class FolderError(RuntimeError):
    """The demo can neither be gone on with nor begun in this folder; the text says why, and what to do."""


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder for ourselves; it ends with the process.

    Raises:
        FolderError: another demo has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderError(f"Another demo is running in {folder}.") from None
        yield


def open_folder(folder: Path, ports: tuple[int, int], say: Callable[[str], None], *, fresh: bool) -> Kept:
    """What the demo of this folder goes on from; what an earlier one left running is ended.

    A demo that was interrupted, or whose night is over, is gone on with, and nothing of it is removed unless ``fresh``.

    Args:
        folder: held by `only_one`.
        ports: the usual ones of the UI and of the sandbox.
        say: tells the person.
        fresh: begin anew.

    Raises:
        FolderError: what is in it is no demo's, or cannot be gone on with.
    """
    left = cleanup.remove_all(folder / "airflow" / "programs")
    if left:
        say(f"Ended what was left of an earlier demo: {', '.join(left)}.")
    _check_ours(folder)
    kept = None if fresh else _earlier(folder, say)
    return kept or _begin(folder, ports, say)


def _check_ours(folder: Path) -> None:
    """Never remove what no demo has made."""
    if Kept.is_in(folder):
        return
    strangers = sorted(path.name for path in folder.iterdir() if path.name != "lock")
    if strangers:
        raise FolderError(
            f"{folder} is no demo's folder: {strangers[0]} is in it, and no demo.json. Choose an empty folder, or remove it."
        )


def _earlier(folder: Path, say: Callable[[str], None]) -> Kept | None:
    if not Kept.is_in(folder):
        return None
    kept = Kept.load(folder)
    if kept is None:
        raise FolderError(
            f"The demo in {folder} is of another release: `make demo FRESH=1` removes it and begins anew."
        )
    if not kept.has_database:
        say("Beginning anew: the demo that was interrupted had nothing to go on from yet.")
        return None
    if not (is_free(kept.canvas_port) and is_free(kept.storage_port)):
        raise FolderError(
            f"Port {kept.canvas_port} or {kept.storage_port} is taken, and the Canvas of this demo was there: every link "
            "to it says so. End what uses it, or begin anew with `make demo FRESH=1`."
        )
    state = "whose night is over" if kept.is_over else "that was interrupted"
    say(f"Going on with the demo {state}; `make demo FRESH=1` begins anew and removes {folder}.")
    kept.ui_port = _usable(kept.ui_port, "The Airflow UI", say)
    kept.save(folder)
    return kept


def _begin(folder: Path, ports: tuple[int, int], say: Callable[[str], None]) -> Kept:
    """An empty folder, and ports that are free. It is known for a demo's before anything is in it, or taken out of it."""
    kept = Kept(_usable(ports[0], "The Airflow UI", say), _usable(ports[1], "The sandbox", say), any_free())
    kept.save(folder)
    _clear(folder)
    return kept


def _usable(usual: int, whose: str, say: Callable[[str], None]) -> int:
    port, note = free_port(usual)
    if note:
        say(f"{whose}: {note}.")
    return port


def _clear(folder: Path) -> None:
    for name in _MADE:
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "archive").mkdir()
