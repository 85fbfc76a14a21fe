"""Canvas's background jobs: a queue, a few workers, and a timetable instead of timers.

Nothing here sleeps. A job is a generator that yields the moment of its next write; `JobQueue.run_until` performs what is
due, in order of time, and is called before anything is looked at. So the history is the same on a running clock and on one
moved by hand.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Generator

Job = Callable[[float], Generator[float, None, None]]
"""Takes the moment its worker starts it; yields moments, never earlier than the last."""


class JobQueue:
    """First come, first served, on ``workers`` workers."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._busy = 0
        self._waiting: deque[Job] = deque()
        self._timetable: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = itertools.count()

    def submit(self, job: Job, moment: float) -> None:
        """Queue a job, not to start before ``moment``."""
        self._at(moment, lambda now: self._enqueue(job, now))

    def run_until(self, now: float) -> None:
        """Perform everything that is due."""
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
