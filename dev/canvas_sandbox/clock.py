"""The sandbox's only clock: the wall clock, or one that moves by hand."""

from __future__ import annotations

import time
from datetime import datetime, timezone


class Clock:
    """Seconds since the epoch.

    A running clock follows the wall clock, so that ``created_at`` agrees with what a client's own clock says; a manual
    one stands still. Both jump forward with `advance`.

    Args:
        manual: It stands still by itself.
        ahead: Seconds by which it is wrong; negative when it is behind.
    """

    def __init__(self, *, manual: bool = False, ahead: float = 0.0) -> None:
        self._manual = manual
        self._origin = time.time() + ahead
        self._started = time.monotonic()
        self._jumped = 0.0

    def now(self) -> float:
        """Current time in seconds since the epoch."""
        elapsed = 0.0 if self._manual else time.monotonic() - self._started
        return self._origin + elapsed + self._jumped

    def resume(self, started: float) -> None:
        """Go on as a clock that was started at this moment: one that stands still stands there again."""
        if self._manual:
            self._origin = started

    def advance(self, seconds: float) -> None:
        """Jump forward; raises `ValueError` for a step back."""
        if seconds < 0:
            raise ValueError("time does not run backwards")
        self._jumped += seconds


def iso(moment: float) -> str:
    """Time as Canvas writes it: ISO 8601, UTC, whole seconds, ``Z``."""
    return datetime.fromtimestamp(int(moment), tz=timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
