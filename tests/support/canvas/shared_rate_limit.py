"""One bucket of the sandbox, many clients, and hours that pass in seconds: a simulation by events."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass

from canvas_exports.core.canvas.http.rate_limiter import RateLimiter, RateLimits
from canvas_sandbox.switches import Switches
from canvas_sandbox.web.throttle import Throttle

_CLIENT = "token"


class Simulation:
    """The bucket and a queue of what happens next."""

    def __init__(self, seed: int) -> None:
        self.now = 0.0
        self.dice = random.Random(seed)  # noqa: S311 -- no secret
        self._throttle = Throttle(Switches())
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def after(self, seconds: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._order), event))

    def about(self, seconds: float) -> float:
        return seconds * (0.5 + self.dice.random())

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self._events and self._events[0][0] <= end:
            self.now, _, event = heapq.heappop(self._events)
            event()
        self.now = end

    def request(self, cost: float, travel: float, work: float, done: Callable[[bool, float], None]) -> None:
        """A request that travels, is refused at once or worked on, and travels back."""

        def arrive() -> None:
            admitted = self._throttle.reserve(_CLIENT, self.now)

            def leave() -> None:
                left = self._throttle.settle(_CLIENT, cost if admitted else 0.0, self.now)
                self.after(self.about(travel), lambda: done(admitted, left))

            self.after(self.about(work) if admitted else 0.001, leave)

        self.after(self.about(travel), arrive)


@dataclass
class Tally:
    answered: int = 0
    refused: int = 0

    def count(self, *, admitted: bool) -> None:
        self.answered += admitted
        self.refused += not admitted


class Process(Tally):
    """A process of ours that always has more to ask than its rate limiter allows."""

    def __init__(
        self,
        simulation: Simulation,
        *,
        cost: float = 0.05,
        work: float = 0.05,
        limits: RateLimits | None = None,
    ) -> None:
        super().__init__()
        self.rate_limiter = RateLimiter(limits, clock=lambda: simulation.now, jitter=simulation.dice.random)
        self._simulation, self._cost, self._work = simulation, cost, work
        self._gone = False
        self._ask()

    def leave(self) -> None:
        """Ask no more."""
        self._gone = True

    def _ask(self) -> None:
        if self._gone:
            return
        wait = self.rate_limiter.try_acquire()
        if wait == 0:
            self._simulation.request(self._cost, 0.01, self._work, self._done)
            wait = 0.000_1
        self._simulation.after(wait, self._ask)

    def _done(self, admitted: bool, left: float) -> None:
        self.count(admitted=admitted)
        if admitted:
            self.rate_limiter.succeeded(remaining=left, cost=self._cost)
        else:
            self.rate_limiter.throttled(remaining=left)


class Foreigner(Tally):
    """A tool that heeds nothing: always, or all at once every so often, as many requests under way."""

    def __init__(
        self, simulation: Simulation, *, at_once: int, cost: float, work: float, every: float = 0.0
    ) -> None:
        super().__init__()
        self._simulation, self._at_once, self._cost, self._work, self._every = (
            simulation,
            at_once,
            cost,
            work,
            every,
        )
        simulation.after(1.0, self._volley)

    def _volley(self) -> None:
        for _ in range(self._at_once):
            self._send()
        if self._every:
            self._simulation.after(self._every, self._volley)

    def _send(self) -> None:
        self._simulation.request(self._cost, 0.01, self._work, self._done)

    def _done(self, admitted: bool, _: float) -> None:
        self.count(admitted=admitted)
        if not self._every:
            self._send()
