"""How often to look at a running export."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_WHILE_QUEUED = 0.15  # of its age: a job that has queued for ten minutes will not be done in ten seconds
_OF_REMAINING = 0.5  # Canvas's completion lags behind the work for most of a job, and runs ahead near its end
_OF_RUNNING = 0.04  # of the time it has run: to learn a little later that a long job is done costs nothing
_PATIENCE = 1.5
_JITTER = 0.2
_BEHIND = 10  # times the longest interval: exports that cannot be next, should Canvas keep another order than we think


@dataclass(frozen=True)
class Pace:
    """Limits of the poll interval, in seconds, before it is spread by a tenth either way."""

    shortest: float = 5.0
    longest: float = 60.0

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Pace:
        """From its fields; what a later release has added is ignored, what is not there is usual.

        Raises:
            ValueError: something is no number.
        """
        try:
            usual = {"shortest": cls.shortest, "longest": cls.longest}
            return cls(**{name: float(document.get(name, value)) for name, value in usual.items()})
        except (TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"not a pace: {error!r}") from None

    def delay(
        self, *, age: float, completion: float | None, running_for: float, chance: Callable[[], float]
    ) -> float:
        """Seconds until the next look at an export.

        Stretches with age while the export is queued; follows the estimated end once it runs. Canvas's completion is
        coarse and goes back once, so it only ever shapes the interval.

        Args:
            age: seconds since the export was created.
            completion: per cent, or ``None``.
            running_for: seconds since it started, as far as known.
            chance: a source of numbers in [0, 1), to spread polls.
        """
        if running_for > 0:
            done = min(max(completion or 0.0, 1.0), 99.0)
            rest = running_for * (100.0 - done) / done
            wanted = max(min(_OF_REMAINING * rest, running_for), _OF_RUNNING * running_for)
        else:
            wanted = _WHILE_QUEUED * age
        return self._spread(wanted, chance)

    def front(self, pause: float, *, moved: bool) -> float:
        """Seconds between two looks at the oldest export that queues, after they were so many: fewer while it moves on.

        Once the queue has moved, it is another export that is looked at, so they may be fewer than the shortest interval.
        """
        return max(pause / 2, self.shortest / 50) if moved else self._within(pause * _PATIENCE)

    def behind(self, chance: Callable[[], float]) -> float:
        """Seconds until the next look at an export that stands in line behind another."""
        return _BEHIND * self._spread(self.longest, chance)

    def first(self, chance: Callable[[], float]) -> float:
        """Seconds until the first look: spread over the shortest interval, so that a batch is never a burst."""
        return self.shortest * chance()

    def _spread(self, wanted: float, chance: Callable[[], float]) -> float:
        return self._within(wanted) * (1.0 + _JITTER * (chance() - 0.5))

    def _within(self, seconds: float) -> float:
        return min(max(seconds, self.shortest), self.longest)
