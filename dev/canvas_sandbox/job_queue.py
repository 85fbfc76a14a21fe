"""Canvas's background jobs: a queue, a number of workers, and a timetable instead of timers.

Nothing here sleeps. A job is a generator that yields the time of its next write. `JobQueue.run_until` runs what is due,
in order of time; every reader calls it first. So the history is the same with a running clock and a manual one.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Generator

Job = Callable[[float], Generator[float, None, None]]
"""Takes the time at which a worker starts it; yields times in ascending order."""


class JobQueue:
    """A first-come, first-served queue for ``workers`` workers."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._busy = 0
        self._waiting: deque[Job] = deque()
        self._timetable: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = itertools.count()

    def submit(self, job: Job, moment: float) -> None:
        """Queue a job that does not start before ``moment``."""
        self._at(moment, lambda now: self._enqueue(job, now))

    def run_until(self, now: float) -> None:
        """Run everything that is due at ``now``."""
        while self._timetable and self._timetable[0][0] <= now:
            moment, _, action = heapq.heappop(self._timetable)
            action(moment)

    def _at(self, moment: float, action: Callable[[float], None]) -> None:
        heapq.heappush(self._timetable, (moment, next(self._numbers), action))

    def _enqueue(self, job: Job, now: float) -> None:
        self._waiting.append(job)
        self._assign(now)

    def _assign(self, now: float) -> None:
        while self._waiting and self._busy < self._workers:
            self._busy += 1
            self._step(self._waiting.popleft()(now), now)

    def _step(self, job: Generator[float, None, None], now: float) -> None:
        moment = next(job, None)
        if moment is None:
            self._busy -= 1
            self._assign(now)
        else:
            self._at(max(moment, now), lambda later: self._step(job, later))
