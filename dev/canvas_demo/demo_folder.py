"""The folder of a demo: locking it, continuing the demo in it, and starting a new one."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from canvas_demo.processes import cleanup
from canvas_demo.processes.ports import any_free, free_port, is_free
from canvas_demo.state import DemoState

_MADE = ("airflow", "archive", "canvas")


class FolderError(RuntimeError):
    """A demo can neither continue nor start in this folder; the text says why, and what to do."""


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Lock the folder for this process.

    Raises:
        FolderError: another demo is running in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderError(f"Another demo is running in {folder}.") from None
        yield


def open_folder(
    folder: Path, ports: tuple[int, int], print_line: Callable[[str], None], *, fresh: bool
) -> DemoState:
    """Return the state of the demo to run, and stop processes that an earlier one left running.

    An interrupted or finished demo continues, and nothing of it is removed, unless ``fresh``.

    Args:
        folder: locked by `lock_folder`.
        ports: the usual ones of the UI and of the sandbox.
        print_line: prints a text.
        fresh: remove the demo in the folder and start a new one.

    Raises:
        FolderError: the folder belongs to something else, or its demo cannot continue.
    """
    left = cleanup.remove_all(folder / "airflow" / "programs")
    if left:
        print_line(f"Stopped processes of an earlier demo: {', '.join(left)}.")
    _check_ours(folder)
    demo = None if fresh else _earlier(folder, print_line)
    return demo or _begin(folder, ports, print_line)


def _check_ours(folder: Path) -> None:
    """Raise `FolderError` for a folder that was not made by a demo, which must not be removed."""
    if DemoState.is_in(folder):
        return
    strangers = sorted(path.name for path in folder.iterdir() if path.name != "lock")
    if strangers:
        raise FolderError(
            f"{folder} is not a demo folder: it contains {strangers[0]} and no demo.json. Choose an empty folder, or remove it."
        )


def _earlier(folder: Path, print_line: Callable[[str], None]) -> DemoState | None:
    if not DemoState.is_in(folder):
        return None
    demo = DemoState.load(folder)
    if demo is None:
        raise FolderError(
            f"The demo in {folder} is from another release: `make demo FRESH=1` removes it and starts a new one."
        )
    if not demo.has_database:
        print_line("Starting a new demo: the interrupted one had no database yet.")
        return None
    if not (is_free(demo.canvas_port) and is_free(demo.storage_port)):
        raise FolderError(
            f"Port {demo.canvas_port} or {demo.storage_port} is in use, and the links of this demo "
            "contain both. Stop the program that uses it, or start a new demo with `make demo FRESH=1`."
        )
    status = "finished" if demo.is_over else "interrupted"
    print_line(f"Continuing the {status} demo; `make demo FRESH=1` removes {folder} and starts a new one.")
    demo.ui_port = _usable(demo.ui_port, "The Airflow UI", print_line)
    demo.save(folder)
    return demo


def _begin(folder: Path, ports: tuple[int, int], print_line: Callable[[str], None]) -> DemoState:
    """Start a new demo with free ports in an empty folder. The state is saved first, which marks the folder as a demo's."""
    demo = DemoState(
        _usable(ports[0], "The Airflow UI", print_line),
        _usable(ports[1], "The sandbox", print_line),
        any_free(),
    )
    demo.save(folder)
    _clear(folder)
    return demo


def _usable(usual: int, whose: str, print_line: Callable[[str], None]) -> int:
    port, note = free_port(usual)
    if note:
        print_line(f"{whose}: {note}.")
    return port


def _clear(folder: Path) -> None:
    for name in _MADE:
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "archive").mkdir()
