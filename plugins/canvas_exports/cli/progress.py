"""Show on a terminal, in one line, how far long work is. Nothing is shown where standard error is no terminal."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TextIO

from canvas_exports.core.text.wording import format_duration, format_size
from canvas_exports.foreign_text import harmless

_ERASE = "\r\x1b[K"
_WARM_UP = 2.0  # seconds before a speed is shown


class Progress:
    """The line of one process. It ends as soon as the command prints its answer.

    Args:
        interval: seconds between two drawings.
        clock: returns seconds.
    """

    def __init__(self, *, interval: float = 0.2, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = interval
        self._clock = clock
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._stream: TextIO | None = None
        self._doing = ""
        self._detail = ""
        self._done = self._listed = 0
        self._total: int | None = None
        self._since = 0.0

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the line on standard error until the end of the block or the first output, if that is a terminal."""
        if not is_terminal(sys.stderr):
            yield
            return
        self._stream, self._ended, self._doing = sys.stderr, threading.Event(), ""
        thread = threading.Thread(target=self._draw_often, name="progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.end()
            thread.join()

    def begin(self, doing: str, *, total: int | None = None) -> None:
        """Begin a part of the work.

        Args:
            doing: what is done, such as ``Verifying``.
            total: bytes to read; ``None`` if unknown.
        """
        with self._lock:
            self._doing, self._detail, self._total = doing, "", total
            self._done = self._listed = 0
            self._since = self._clock()
            self._draw()

    def read(self, size: int) -> None:
        """Count bytes that were read."""
        with self._lock:
            self._done += size

    def listed(self) -> None:
        """Count an object that was listed."""
        with self._lock:
            self._listed += 1

    def describe(self, detail: str) -> None:
        """Show more about the part of the work, such as ``3 of 40 packages``."""
        with self._lock:
            self._detail = detail
            self._draw()

    def clear(self) -> None:
        """Erase the line, so that another one can be printed; it is drawn again."""
        with self._lock:
            if self._stream is not None:
                self._stream.write(_ERASE)
                self._stream.flush()

    def end(self) -> None:
        """Erase the line for good."""
        with self._lock:
            self.clear()
            self._stream = None
            self._ended.set()

    def line(self) -> str:
        """Return the line."""
        seconds = self._clock() - self._since
        parts = [self._detail] if self._detail else []
        if self._listed:
            parts.append(f"{self._listed:,} objects")
        if self._done or self._total:
            of = f" of {format_size(float(self._total))}" if self._total else ""
            parts.append(f"{format_size(float(self._done))}{of}")
        if self._done and seconds >= _WARM_UP:
            speed = self._done / seconds
            parts.append(f"{format_size(speed)}/s")
            if self._total and self._total > self._done:
                parts.append(f"{format_duration(timedelta(seconds=(self._total - self._done) / speed))} left")
        elif seconds >= _WARM_UP:
            parts.append(format_duration(timedelta(seconds=seconds)))
        return harmless(f"{self._doing}: {', '.join(parts)}" if parts else f"{self._doing} ...")

    def _draw_often(self) -> None:
        while not self._ended.wait(self._interval):
            with self._lock:
                self._draw()

    def _draw(self) -> None:
        if self._stream is not None and self._doing:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write(_ERASE + self.line()[: max(width, 1)])
            self._stream.flush()


#: The line of this process.
PROGRESS = Progress()


def is_terminal(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that can erase a line."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"
