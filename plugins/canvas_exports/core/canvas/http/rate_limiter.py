"""The rate budget: how fast this process may speak to one Canvas with one token.

Canvas keeps a leaky bucket per token. A request reserves 50 of it while it runs, then pays what it cost; 10 leak out
per second; at 600 it refuses, and says neither when to come back nor always how full the bucket is. The same bucket
serves every other tool that uses the token, and every other process of ours, of which we know nothing. So each answer's
word about the bucket is taken for news of the others too:

* We begin with one request, take one more under way after each round of answers, and never more than half of what the
  others leave. Two processes that do so end up with as much each, and one that leaves room gives it to the rest.
* Requests that cost something are spread out long before the bucket is full, all others only near the floor.
* Below the floor we send nothing, and reckon on our own clock when there is room again.

So nothing needs to be agreed on: a tool that takes half of the bucket at a stroke, or three more processes like this
one, still find room, and so do we.
"""

from __future__ import annotations

import hashlib
import math
import os
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from canvas_exports.core.model.backoff import backoff_delay
from canvas_exports.errors import InputError

_SLOWEST = 2.0  # seconds between requests just above the floor, where they cost next to nothing
_SHARERS = 8  # processes that can pay for costly requests out of one bucket before it sinks to the floor
_STALE = 1.0  # seconds without an answer after which we know nothing of the others any more
_MOST_TIMES = 100  # the high water that is configured: what a larger bucket may hold
_LOOK_AGAIN = 0.02  # seconds until someone who waits for a free place asks again
_NEWS = 1.0  # seconds that anybody sleeps at most without asking again; an answer in between may have changed the wait
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 60.0  # seconds after the first refusal, and after many in a row
_LONGEST_RETRY_AFTER = 300.0
_LONGEST_GAP = 60.0  # seconds between two requests at most, whatever one is said to have cost
_LONGEST_RECOVERY = 300.0  # seconds below the floor without asking again, whatever is said to be left


@dataclass(frozen=True)
class RateLimits:
    """What we allow ourselves, in Canvas's units; the defaults suit Canvas's.

    Attributes:
        max_in_flight: requests under way at once; fewer as the bucket fills.
        high_water: an empty bucket has this much left, until Canvas reports more.
        slow_below: with less than this left, even requests that cost next to nothing are spread out, more and more.
        floor: with less than this left, none is made.
        outflow: recovery per second.
        reservation: what a request holds while it is under way.
    """

    max_in_flight: int = 5
    high_water: float = 600.0
    slow_below: float = 400.0
    floor: float = 150.0
    outflow: float = 10.0
    reservation: float = 50.0

    def __post_init__(self) -> None:
        if self.max_in_flight < 1:
            raise InputError("max_in_flight", "at least one request must be allowed", accepted="1 to 10")
        if not all(0 < each < math.inf for each in (self.outflow, self.reservation, self.high_water)):
            raise InputError("outflow, reservation, high_water", "must be numbers above zero")
        if not 0 <= self.floor < self.slow_below <= self.high_water:
            raise InputError("floor, slow_below, high_water", "must rise in this order, from 0")


class RateLimiter:
    """Who may send now, and how long everybody else waits. Does no I/O and never sleeps; safe between threads.

    Each ``try_acquire`` that returns 0 is followed by exactly one of ``succeeded``, ``throttled`` and ``cancelled``.

    Attributes:
        turned_away: requests that Canvas refused because of its rate limit, since the beginning.
    """

    def __init__(
        self,
        limits: RateLimits | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.limits = limits or RateLimits()
        self._clock = clock
        self._jitter = jitter
        self._lock = threading.Lock()
        self._in_flight = 0
        self._left = self.limits.high_water  # without what our own requests under way hold
        self._confirm = self._left  # the same as of the last answer
        self._least = self._left  # the same at the worst of the last seconds
        self._as_of = self._last_answer = clock()
        self._window = 1  # requests we dare to have under way
        self._round = 0  # answers since it was widened
        self._cost = 0.0  # of a recent request, smoothed
        self._last_start = float("-inf")
        self._silent_until = float("-inf")  # by our own judgement
        self._asked_until = float("-inf")  # by a Retry-After
        self._refusals = 0  # in a row
        self.throttled_count = 0

    @property
    def in_flight(self) -> int:
        """Requests under way."""
        return self._in_flight

    @property
    def remaining(self) -> float:
        """What we believe is left now."""
        with self._lock:
            self._recover(self._clock())
            return self._left

    def try_acquire(self) -> float:
        """Take a place for one request: 0 if it was given, else the seconds to wait before asking again."""
        with self._lock:
            now = self._clock()
            wait = self._wait(now)
            if wait <= 0:
                self._in_flight += 1
                self._last_start = now
                return 0.0
            return wait

    def succeeded(self, *, remaining: float | None = None, cost: float | None = None) -> None:
        """A request was answered; what its ``X-Rate-Limit-Remaining`` and ``X-Request-Cost`` said, if anything."""
        with self._lock:
            self._recover(self._clock())
            self._in_flight -= 1
            self._refusals = 0
            self._asked_until = float("-inf")  # whoever asked for silence has answered since
            most = self.limits.high_water
            cost, remaining = _within(cost, 0.0, most), _within(remaining, -most, _MOST_TIMES * most)
            if cost is not None:
                self._left -= cost
                self._cost += (cost - self._cost) / 4
            if remaining is not None:
                # Our other requests under way may, or may not yet, be counted in what Canvas reports.
                ours = self._in_flight * self.limits.reservation
                self._left = min(max(self._left, remaining), remaining + ours)
            self._round += 1
            self._learn()
            self._widen(min(self._window + (self._round >= self._window), self._places()))

    def throttled(self, *, remaining: float | None = None, retry_after: float | None = None) -> None:
        """A request was turned away; an answer that comes later ends what ``retry_after`` asks for.

        Refusals of requests that were under way together count as one.
        """
        with self._lock:
            now = self._clock()
            self._recover(now)
            self._in_flight -= 1
            self.throttled_count += 1
            # Canvas refuses while this much is left, and may report any number when it does.
            room = self.limits.reservation
            remaining = _within(remaining, -self.limits.high_water, room)
            self._left = min(self._left, room, remaining if remaining is not None else room)
            self._learn()
            self._widen(1)
            # What others had under way may be over long before as much has leaked away: after the pause, one may try.
            self._confirm = self.limits.floor
            if now >= self._silent_until:
                pause = backoff_delay(
                    self._refusals, first=_FIRST_PAUSE, longest=_LONGEST_PAUSE, jitter=self._jitter
                )
                self._silent_until = now + max(pause, (room - self._left) / self.limits.outflow)
                self._refusals = min(self._refusals + 1, 10)
            retry_after = _within(retry_after, 0.0, _LONGEST_RETRY_AFTER)
            if retry_after is not None:
                self._asked_until = max(self._asked_until, now + retry_after)

    def cancelled(self) -> None:
        """A request ended without an answer."""
        with self._lock:
            self._in_flight -= 1

    def _recover(self, now: float) -> None:
        full = max(self.limits.high_water, self._left)
        self._left = min(full, self._left + self.limits.outflow * max(0.0, now - self._as_of))
        self._as_of = now

    def _learn(self) -> None:
        """What others have under way comes and goes; that there is room counts once it has been there for seconds."""
        risen = self._least + self.limits.reservation * (self._as_of - self._last_answer)
        self._least = min(self._left, risen)
        self._confirm, self._last_answer = self._left, self._as_of

    def _widen(self, window: int) -> None:
        if window != self._window:
            self._window, self._round = window, 0

    def _wait(self, now: float) -> float:
        limits = self.limits
        silence = max(self._silent_until, self._asked_until) - now
        if silence > 0:
            return min(silence, _NEWS)
        gap = self._last_start + self._spacing() - now
        if self._confirm < limits.floor:
            recovery = min((limits.floor - self._confirm) / limits.outflow, _LONGEST_RECOVERY)
            recovery *= 1 + self._jitter() / 5
            gap = max(gap, self._last_answer + recovery - now)
        if gap > 0:
            return min(gap, _NEWS)
        if self._in_flight == 0 and now - self._last_answer > _STALE:
            self._widen(1)
        return _LOOK_AGAIN * (1 + self._jitter()) if self._in_flight >= self._window else 0.0

    def _places(self) -> int:
        """Half of what the others leave: they may be about to take the other half."""
        limits = self.limits
        places = (self._least - limits.reservation) // (2 * limits.reservation)
        return max(1, min(limits.max_in_flight, int(places)))

    def _spacing(self) -> float:
        """Seconds between two requests, by what was left at the last answer: others spend what we see trickle back."""
        limits = self.limits
        cheap = _SLOWEST * self._strain(limits.slow_below) ** 4
        costly = _SHARERS * self._cost / limits.outflow * self._strain(limits.high_water)
        return min(max(cheap, costly) * (0.75 + self._jitter() / 2), _LONGEST_GAP)

    def _strain(self, top: float) -> float:
        """How far the bucket has sunk, from 0 at the top to 1 at the floor."""
        return min(1.0, max(0.0, (top - self._confirm) / (top - self.limits.floor)))


def _within(value: float | None, least: float, most: float) -> float | None:
    """A number that was told, cut to what can be true; no number is none."""
    return None if value is None or math.isnan(value) else min(max(value, least), most)


_shared: dict[tuple[str, bytes], RateLimiter] = {}
_shared_lock = threading.Lock()


def shared_rate_limiter(host: str, token: str, limits: RateLimits | None = None) -> RateLimiter:
    """The one budget of this host and token in this process. Limits, where given, hold from now on for everybody."""
    key = (host, hashlib.sha256(token.encode()).digest())
    with _shared_lock:
        rate_limiter = _shared.setdefault(key, RateLimiter(limits))
        if limits is not None:
            rate_limiter.limits = limits
        return rate_limiter


def _forget() -> None:
    global _shared_lock  # noqa: PLW0603 -- a lock that another thread held at the fork can never be released
    _shared_lock = threading.Lock()
    _shared.clear()


# A forked child has none of its parent's requests under way, and possibly their locks held.
os.register_at_fork(after_in_child=_forget)
