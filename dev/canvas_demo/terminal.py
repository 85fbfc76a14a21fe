"""The terminal a demo runs in: who hears Ctrl-C, and what is said to the person."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType

CANNOT, INTERRUPTED = 2, 130
"""Exit statuses: the demo cannot be run; it was ended before what somebody waits for."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def listen() -> None:
    """Have Ctrl-C and a request to end raise `KeyboardInterrupt`; a background job of a shell is born deaf to the first."""
    for number in _SIGNALS:
        signal.signal(number, _interrupt)


def stop_listening() -> None:
    """Be deaf to both from now on."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def say(text: str) -> None:
    """Tell the person at the terminal."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say_between(text: str) -> None:
    """Tell something while the progress may stand in the last line."""
    say(f"\r\x1b[K{text}" if sys.stdout.isatty() else text)


@contextlib.contextmanager
def own_foreground(terminal: str = "/dev/tty") -> Iterator[None]:
    """Have Ctrl-C reach this process alone.

    A terminal sends it to everybody in its foreground, and ``make`` dies of it with a status of its own, however well its
    recipe ends. So this process becomes the foreground, as a shell would make it, and hands that back in the end. Where
    there is no terminal, or this process is not in its foreground, nothing is changed.
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
    """Make a process group the terminal's foreground; one in the background may, if it is deaf to being told off."""
    heard = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        with contextlib.suppress(OSError):  # the group or the terminal may be gone
            os.tcsetpgrp(descriptor, group)
    finally:
        signal.signal(signal.SIGTTOU, heard)
