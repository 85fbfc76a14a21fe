"""The terminal of a demo: Ctrl-C, and output."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType

CANNOT, INTERRUPTED = 2, 130
"""Exit statuses: the demo cannot run; it was ended before its outcomes."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def listen() -> None:
    """Make SIGINT and SIGTERM raise `KeyboardInterrupt`. A background job of a shell ignores SIGINT without this."""
    for number in _SIGNALS:
        signal.signal(number, _interrupt)


def stop_listening() -> None:
    """Ignore SIGINT and SIGTERM from now on."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def print_line(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def print_over_progress(text: str) -> None:
    """Print a line in place of a progress line."""
    print_line(f"\r\x1b[K{text}" if sys.stdout.isatty() else text)


@contextlib.contextmanager
def own_foreground(terminal: str = "/dev/tty") -> Iterator[None]:
    """Make this process the only one that Ctrl-C reaches.

    A terminal sends SIGINT to its whole foreground group, and ``make`` then exits with a status of its own, whatever its
    recipe returns. So this process becomes the foreground group, as under a shell, and restores the old one at the end.
    Without a terminal, or in the background, nothing is changed.
    """
    try:
        descriptor = os.open(terminal, os.O_RDWR | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        yield
        return
    before = os.getpgrp()
    try:
        with contextlib.ExitStack() as undo:
            if before != os.getpid() and _foreground(descriptor) == before:
                # Ctrl-Z would stop this process and leave the shell waiting for the one that waits for it.
                signal.signal(signal.SIGTSTP, signal.SIG_IGN)
                os.setpgid(0, 0)
                _bring_forward(descriptor, os.getpgrp())
                undo.callback(_bring_forward, descriptor, before)
            yield
    finally:
        os.close(descriptor)


def _foreground(descriptor: int) -> int | None:
    try:
        return os.tcgetpgrp(descriptor)
    except OSError:
        return None


def _bring_forward(descriptor: int, group: int) -> None:
    """Make a process group the terminal's foreground. From the background this needs SIGTTOU to be ignored."""
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        with contextlib.suppress(OSError):  # the group or the terminal may be gone
            os.tcsetpgrp(descriptor, group)
    finally:
        signal.signal(signal.SIGTTOU, before)
