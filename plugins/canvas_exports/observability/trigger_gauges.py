"""Send metrics of one triggerer: how many exports its triggers wait for, all together."""

from __future__ import annotations

import platform
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from canvas_exports.airflow_compat import triggerer_stats
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter
from canvas_exports.observability import metric_names
from canvas_exports.observability.safe_spans import call_safely
from canvas_exports.observability.task_observer import is_observed

# Seconds between two reports of the gauges; a triggerer may poll thousands of times a second.
_MIN_PERIOD = 1.0


class TriggerGauges:
    """Add up all polling loops of this process.

    The triggerer's metrics are not the Task SDK's: Airflow sets them up before it starts the process that runs triggers.

    Args:
        host: appended to the names of the gauges, so that two triggerers do not overwrite each other.
    """

    def __init__(self, host: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._host = re.sub("[^A-Za-z0-9_-]", "_", host)
        self._clock = clock
        self._in_flight = self._ready = 0
        self._sent_at = float("-inf")
        self._refused: WeakKeyDictionary[RateLimiter, int] = WeakKeyDictionary()

    @contextmanager
    def count(self, rate_limiter: RateLimiter) -> Iterator[Callable[[int, int], None]]:
        """Count one polling loop while it lasts; yield a function that takes its present numbers."""
        mine = (0, 0)
        self._refused.setdefault(rate_limiter, rate_limiter.throttled_count)

        def add(in_flight: int, ready: int) -> None:
            nonlocal mine
            self._in_flight += in_flight - mine[0]
            self._ready += ready - mine[1]
            mine = (in_flight, ready)

        def on_counts(in_flight: int, ready: int) -> None:
            add(in_flight, ready)
            if self._clock() - self._sent_at >= _MIN_PERIOD:
                self._send()

        try:
            yield on_counts
        finally:
            add(0, 0)
            self._send()
            self._send_refused(rate_limiter)

    def _send(self) -> None:
        self._sent_at = self._clock()
        call_safely(triggerer_stats.gauge, f"{metric_names.IN_FLIGHT.name}.{self._host}", self._in_flight)
        call_safely(triggerer_stats.gauge, f"{metric_names.READY.name}.{self._host}", self._ready)

    def _send_refused(self, rate_limiter: RateLimiter) -> None:
        """Count the requests of this limiter that were throttled since its last polling loop ended."""
        count = rate_limiter.throttled_count - self._refused[rate_limiter]
        self._refused[rate_limiter] = rate_limiter.throttled_count
        if count:
            call_safely(triggerer_stats.incr, metric_names.REFUSED.name, count)


_gauges = TriggerGauges(platform.node())


@contextmanager
def observed_watch(rate_limiter: RateLimiter) -> Iterator[Callable[[int, int], None] | None]:
    """Count one polling loop of this process; yield ``None`` where Airflow sends nothing."""
    if not is_observed():
        yield None
        return
    with _gauges.count(rate_limiter) as on_counts:
        yield on_counts
