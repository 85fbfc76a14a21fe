"""One at a time, among processes that share nothing but a place to read and write."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

from canvas_exports.errors import CanvasUnavailableError


class Shelf(Protocol):
    """Short texts by name, seen by all processes. Of two that write at once, the later one wins."""

    def read(self, name: str) -> str | None:
        """A text, or ``None``."""

    def write(self, name: str, text: str, description: str) -> None:
        """Put a text there, in place of what was."""

    def remove(self, name: str) -> None:
        """Take a text away, if it is there."""


@dataclass(frozen=True)
class Timing:
    """Seconds.

    Attributes:
        settle: between writing a lease and believing in it; longer than a write usually takes.
        lasts: after which a lease counts as left behind by a process that died; longer than what is done under it.
        look: between two looks of those who wait, about.
    """

    settle: float = 1.0
    lasts: float = 30.0
    look: float = 0.5


class Lease:
    """A lease in a place that knows no compare-and-set.

    Write a name, wait until whoever saw it free at the same time has written too, and look whose name stands there. Two
    may hold it at once if one of them stalled for longer than ``settle`` between seeing it free and having written. So
    it is for what is better done once, and no harm if it is done twice. A lease left behind ends by the clock, or, where
    clocks disagree, once it has been watched for as long as it lasts.

    Args:
        shelf: where it lies.
        name: under which.
        timing: how long things take.
        clock: seconds since the epoch.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        shelf: Shelf,
        name: str,
        *,
        timing: Timing,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._shelf, self._name, self._timing = shelf, name, timing
        self._clock, self._sleep = clock, sleep
        self._watched: tuple[str, float] | None = None

    def take(self) -> str | None:
        """Try to get it: the key to give it back with, or ``None`` where another has it."""
        if self._is_held():
            return None
        mine = json.dumps({"holder": uuid4().hex, "until": self._clock() + self._timing.lasts})
        self._shelf.write(
            self._name, mine, "Held while canvas_exports renews an access token. Safe to delete."
        )
        self._sleep(self._timing.settle)
        return mine if self._shelf.read(self._name) == mine else None

    def give_back(self, mine: str) -> None:
        """Let the next one have it, if it is still ours. Where that cannot be done, it ends by itself."""
        with suppress(CanvasUnavailableError):
            if self._shelf.read(self._name) == mine:
                self._shelf.remove(self._name)

    def wait(self) -> None:
        """Until the next look."""
        self._sleep(self._timing.look * (0.5 + random.random()))  # noqa: S311 -- no secret

    def _is_held(self) -> bool:
        found, now = self._shelf.read(self._name), self._clock()
        if found is None:
            self._watched = None
            return False
        if self._watched is None or self._watched[0] != found:
            self._watched = (found, now)
        return now < _until(found) and now - self._watched[1] < self._timing.lasts


def _until(text: str) -> float:
    try:
        return float(json.loads(text)["until"])
    except (ValueError, LookupError, TypeError):
        return float("-inf")
