"""The clock of the sandbox: the wall clock, or a manual one."""

from __future__ import annotations

import time
from datetime import datetime, timezone


class Clock:
    """A clock in seconds since the epoch.

    A running clock follows the wall clock, so that ``created_at`` agrees with the clock of a client. A manual clock stands
    still. Both jump forward with `advance`.

    Args:
        manual: Whether the clock stands still.
        ahead: Seconds by which the clock is wrong; negative when it is behind.
    """

    def __init__(self, *, manual: bool = False, ahead: float = 0.0) -> None:
        self._manual = manual
        self._origin = time.time() + ahead
        self._started = time.monotonic()
        self._jumped = 0.0

    def now(self) -> float:
        """Return the current time in seconds since the epoch."""
        elapsed = 0.0 if self._manual else time.monotonic() - self._started
        return self._origin + elapsed + self._jumped

    def resume(self, started: float) -> None:
        """Continue as a clock that was started at ``started``. Only a manual clock changes."""
        if self._manual:
            self._origin = started

    def advance(self, seconds: float) -> None:
        """Jump forward. Raises `ValueError` for a step back."""
        if seconds < 0:
            raise ValueError("time does not run backwards")
        self._jumped += seconds


def iso(moment: float) -> str:
    """Format a time as Canvas does: ISO 8601, UTC, whole seconds, ``Z``."""
    return datetime.fromtimestamp(int(moment), tz=timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
