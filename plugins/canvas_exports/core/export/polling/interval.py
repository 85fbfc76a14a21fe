"""Compute how often to poll a running export."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_SHARE_OF_AGE = 0.15  # an export that has queued for ten minutes will not be done in ten seconds
# Canvas's completion lags behind the work for most of a job, and runs ahead near its end.
_SHARE_OF_REST = 0.5
# Of the time that an export has run: to learn a little later that a long job is done costs nothing.
_SHARE_OF_RUNNING = 0.04
_GROWTH = 1.5  # of the interval while the queue stands still
_JITTER = 0.2
# Times the longest interval, for queued exports that cannot be next unless Canvas breaks its order.
_NOT_OLDEST = 10


@dataclass(frozen=True)
class PollInterval:
    """Limits of the poll interval, in seconds, before it is spread by a tenth either way."""

    shortest: float = 5.0
    longest: float = 60.0

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> PollInterval:
        """Read the fields; ignore unknown ones, use defaults for missing ones.

        Raises:
            ValueError: something is no number.
        """
        try:
            usual = {"shortest": cls.shortest, "longest": cls.longest}
            return cls(**{name: float(document.get(name, value)) for name, value in usual.items()})
        except (TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"not a poll interval: {error!r}") from None

    def next_poll(
        self, *, age: float, completion: float | None, running_for: float, uniform: Callable[[], float]
    ) -> float:
        """Return the seconds until the next poll of an export.

        Stretches with age while the export is queued, and follows the estimated end while it runs. Canvas's completion is
        coarse and goes back once, so it only shapes the interval.

        Args:
            age: seconds since the export was created.
            completion: per cent, or ``None``.
            running_for: seconds since it started, as far as known.
            uniform: returns numbers in [0, 1), to spread polls.
        """
        if running_for > 0:
            done = min(max(completion or 0.0, 1.0), 99.0)
            rest = running_for * (100.0 - done) / done
            wanted = max(min(_SHARE_OF_REST * rest, running_for), _SHARE_OF_RUNNING * running_for)
        else:
            wanted = _SHARE_OF_AGE * age
        return self._spread(wanted, uniform)

    def oldest_queued(self, last: float, *, moved: bool) -> float:
        """Return the seconds until the next poll of the oldest queued export, after an interval of ``last``.

        Shrinks while the queue moves: then each poll is of another export, so it may be shorter than ``shortest``.
        """
        return max(last / 2, self.shortest / 50) if moved else self._within(last * _GROWTH)

    def other_queued(self, uniform: Callable[[], float]) -> float:
        """Return the seconds until the next poll of a queued export that is not the oldest."""
        return _NOT_OLDEST * self._spread(self.longest, uniform)

    def first_poll(self, uniform: Callable[[], float]) -> float:
        """Return the seconds until the first poll, spread over ``shortest``, so that a batch is never a burst."""
        return self.shortest * uniform()

    def _spread(self, wanted: float, uniform: Callable[[], float]) -> float:
        return self._within(wanted) * (1.0 + _JITTER * (uniform() - 0.5))

    def _within(self, seconds: float) -> float:
        return min(max(seconds, self.shortest), self.longest)
