"""End a command on SIGTERM as on Ctrl-C: what it began is undone, and no temporary file stays."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED, TERMINATED = 130, 143  # exit statuses, as shells count signals


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived."""


@contextmanager
def ending_on_sigterm() -> Iterator[None]:
    """Raise ``Terminated`` on SIGTERM within the block, unless somebody handles that signal already."""
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    ):
        yield
        return
    signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _raise(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what a handler gets
    raise Terminated
