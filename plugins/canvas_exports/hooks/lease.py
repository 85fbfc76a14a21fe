"""A lease among processes that share only texts without compare-and-set."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

from canvas_exports.core.model.backoff import jitter
from canvas_exports.errors import CanvasUnavailableError


class SharedTexts(Protocol):
    """Short texts by name, seen by all processes. Of two concurrent writes, the later one wins."""

    def read(self, name: str) -> str | None:
        """Return a text, or ``None``."""

    def write(self, name: str, text: str, description: str) -> None:
        """Write a text, or replace it."""

    def remove(self, name: str) -> None:
        """Delete a text, if it exists."""


@dataclass(frozen=True)
class LeaseTiming:
    """Times of a lease, in seconds.

    Attributes:
        settle: between writing a lease and relying on it; longer than a write usually takes.
        duration: after which a lease expires; longer than the work that is done under it.
        poll_interval: between two polls of a waiting process, about.
    """

    settle: float = 1.0
    duration: float = 30.0
    poll_interval: float = 0.5


class Lease:
    """A lease without compare-and-set.

    ``acquire`` writes a unique text, waits until concurrent writers have written too, and reads which text is there. Two
    processes may hold the lease at once if one of them stalls for longer than ``settle`` between reading and writing. So use
    it only for work that may be done twice. A lease of a process that died expires by the clock, or, if clocks differ, once it
    was observed for its whole duration.

    Args:
        texts: where the lease is written.
        name: of the text.
        timing: of the lease.
        clock: seconds since the epoch.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        texts: SharedTexts,
        name: str,
        *,
        timing: LeaseTiming,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._texts, self._name, self._timing = texts, name, timing
        self._clock, self._sleep = clock, sleep
        self._observed: tuple[str, float] | None = None

    def acquire(self) -> str | None:
        """Try to acquire the lease; return the key for ``release``, or ``None`` if another process holds it."""
        if self._is_held():
            return None
        mine = json.dumps({"holder": uuid4().hex, "until": self._clock() + self._timing.duration})
        self._texts.write(
            self._name, mine, "Held while canvas_exports renews an access token. Safe to delete."
        )
        self._sleep(self._timing.settle)
        return mine if self._texts.read(self._name) == mine else None

    def release(self, mine: str) -> None:
        """Release the lease, if it is still ours. If Airflow is not available, it expires."""
        with suppress(CanvasUnavailableError):
            if self._texts.read(self._name) == mine:
                self._texts.remove(self._name)

    def wait(self) -> None:
        """Wait until the next poll."""
        self._sleep(self._timing.poll_interval * (0.5 + jitter()))

    def _is_held(self) -> bool:
        found, now = self._texts.read(self._name), self._clock()
        if found is None:
            self._observed = None
            return False
        if self._observed is None or self._observed[0] != found:
            self._observed = (found, now)
        return now < _until(found) and now - self._observed[1] < self._timing.duration


def _until(text: str) -> float:
    try:
        return float(json.loads(text)["until"])
    except (ValueError, LookupError, TypeError):
        return float("-inf")
