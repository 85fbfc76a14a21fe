"""How often to look at a running export."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_WHILE_QUEUED = 0.15  # of its age: a job that has queued for ten minutes will not be done in ten seconds
_OF_REMAINING = (
    0.5  # halving the estimated rest costs a few polls and keeps the lag near the shortest interval
)
_JITTER = 0.2


@dataclass(frozen=True)
class Pace:
    """Limits of the poll interval, in seconds, before it is spread by a tenth either way."""

    shortest: float = 5.0
    longest: float = 60.0

    def delay(
        self, *, age: float, completion: float | None, running_for: float, chance: Callable[[], float]
    ) -> float:
        """Seconds until the next look.

        Stretches with age while the export is queued; follows the estimated end once it runs. Canvas's completion is
        coarse and goes back once, so it only ever shapes the interval.

        Args:
            age: seconds since the export was created.
            completion: per cent, or ``None``.
            running_for: seconds since it was first seen running.
            chance: a source of numbers in [0, 1), to spread polls.
        """
        if completion and completion > 0:
            rest = running_for * (100.0 - min(completion, 99.0)) / completion
            wanted = _OF_REMAINING * rest
        else:
            wanted = _WHILE_QUEUED * age
        bounded = min(max(wanted, self.shortest), self.longest)
        return bounded * (1.0 + _JITTER * (chance() - 0.5))

    def first(self, chance: Callable[[], float]) -> float:
        """Seconds until the first look: spread over the shortest interval, so that a batch is never a burst."""
        return self.shortest * chance()
