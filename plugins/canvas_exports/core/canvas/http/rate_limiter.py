"""Pace the requests of one token below Canvas's rate limit, and wait out its refusals (403 Rate Limit Exceeded, 429).

Canvas keeps a leaky bucket per token. A request reserves 50 units while it runs, then pays its cost; 10 leak out per second.
At 600 Canvas refuses. It does not say when to come back, and not always how full the bucket is. Every other tool and process
that uses the token shares the bucket, and is not known here. So each response's ``X-Rate-Limit-Remaining`` is also read as
news of the others:

* The limiter begins with one request in flight, allows one more after each round of responses, and never more than half of
  what the others leave. Two processes that do so converge to equal shares, and capacity that one leaves goes to the rest.
* Requests that cost much are spread out long before the bucket is full, all others only near the floor.
* Below the floor none is sent, until enough has leaked out by our own clock.
* After a refusal all wait: with exponential back-off, or as long as ``Retry-After`` asks.

So processes need no agreement: a tool that takes half of the bucket at once, or three more processes like this one, still find
capacity.
"""

from __future__ import annotations

import hashlib
import math
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from canvas_exports.core.model.backoff import backoff_delay, jitter
from canvas_exports.errors import InputError

_SLOWEST = 2.0  # seconds between requests just above the floor, where they cost next to nothing
_SHARERS = 8  # processes that can pay for costly requests out of one bucket before it sinks to the floor
_STALE = 1.0  # seconds without a response after which the others are unknown again
_MOST_TIMES = 100  # a larger bucket holds at most so many times the configured high water
_SLOT_WAIT = 0.02  # seconds until the next try where all slots are taken
_LONGEST_WAIT = 1.0  # seconds until the next try at most; a response in between may have changed the wait
_FIRST_BACKOFF, _LONGEST_BACKOFF = 2.0, 60.0  # seconds after the first refusal, and after many in a row
_LONGEST_RETRY_AFTER = 300.0
_LONGEST_GAP = 60.0  # seconds between two requests at most, whatever cost is reported
_LONGEST_RECOVERY = 300.0  # seconds below the floor without a request at most, whatever is reported as left


@dataclass(frozen=True)
class RateLimits:
    """The limits of a rate limiter, in Canvas's units; the defaults suit Canvas's.

    Attributes:
        max_in_flight: requests in flight at once; fewer as the bucket fills.
        high_water: an empty bucket has this much left, until Canvas reports more.
        slow_below: with less than this left, even requests that cost next to nothing are spread out, more and more.
        floor: with less than this left, none is made.
        outflow: recovery per second.
        reservation: units that a request holds while it is in flight.
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
    """Decides which request may be sent now, and how long the others wait. Does no I/O and never sleeps; safe between threads.

    Each ``try_acquire`` that returns 0 is followed by exactly one of ``succeeded``, ``throttled`` and ``cancelled``.

    Attributes:
        throttled_count: requests that Canvas refused for its rate limit, since the beginning.
    """

    def __init__(
        self,
        limits: RateLimits | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = jitter,
    ) -> None:
        self.limits = limits or RateLimits()
        self._clock = clock
        self._jitter = jitter
        self._lock = threading.Lock()
        self._in_flight = 0
        self._left = self.limits.high_water  # without what our own requests in flight hold
        self._reported = self._left  # the same at the last response
        self._least = self._left  # the same at the worst of the last seconds
        self._as_of = self._last_response = clock()
        self._window = 1  # requests allowed in flight now
        self._round = 0  # responses since it was widened
        self._cost = 0.0  # of a recent request, smoothed
        self._last_start = float("-inf")
        self._backoff_until = float("-inf")  # after refusals
        self._retry_after_until = float("-inf")  # by Retry-After
        self._refusals = 0  # in a row
        self.throttled_count = 0

    @property
    def in_flight(self) -> int:
        """Return the number of requests in flight."""
        return self._in_flight

    @property
    def remaining(self) -> float:
        """Return the units that are left now, by our own estimate."""
        with self._lock:
            self._recover(self._clock())
            return self._left

    def try_acquire(self) -> float:
        """Acquire a slot for one request. Return 0, or the seconds to wait before the next try."""
        with self._lock:
            now = self._clock()
            wait = self._wait(now)
            if wait <= 0:
                self._in_flight += 1
                self._last_start = now
                return 0.0
            return wait

    def succeeded(self, *, remaining: float | None = None, cost: float | None = None) -> None:
        """Note a response, with its ``X-Rate-Limit-Remaining`` and ``X-Request-Cost`` where they were sent."""
        with self._lock:
            self._recover(self._clock())
            self._in_flight -= 1
            self._refusals = 0
            self._retry_after_until = float("-inf")  # Canvas has answered since it asked to wait
            most = self.limits.high_water
            cost, remaining = _within(cost, 0.0, most), _within(remaining, -most, _MOST_TIMES * most)
            if cost is not None:
                self._left -= cost
                self._cost += (cost - self._cost) / 4
            if remaining is not None:
                # Our other requests in flight may, or may not yet, be counted in what Canvas reports.
                ours = self._in_flight * self.limits.reservation
                self._left = min(max(self._left, remaining), remaining + ours)
            self._round += 1
            self._note_remaining()
            self._widen(min(self._window + (self._round >= self._window), self._places()))

    def throttled(self, *, remaining: float | None = None, retry_after: float | None = None) -> None:
        """Note a refusal for the rate limit; a later response ends the wait that ``retry_after`` asks for.

        Refusals of requests that were in flight together count as one.
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
            self._note_remaining()
            self._widen(1)
            # Requests of others may be over long before as much has leaked out: after the pause, one request may try.
            self._reported = self.limits.floor
            if now >= self._backoff_until:
                pause = backoff_delay(
                    self._refusals, first=_FIRST_BACKOFF, longest=_LONGEST_BACKOFF, jitter=self._jitter
                )
                self._backoff_until = now + max(pause, (room - self._left) / self.limits.outflow)
                self._refusals = min(self._refusals + 1, 10)
            retry_after = _within(retry_after, 0.0, _LONGEST_RETRY_AFTER)
            if retry_after is not None:
                self._retry_after_until = max(self._retry_after_until, now + retry_after)

    def cancelled(self) -> None:
        """Note that a request ended without a response."""
        with self._lock:
            self._in_flight -= 1

    def _recover(self, now: float) -> None:
        full = max(self.limits.high_water, self._left)
        self._left = min(full, self._left + self.limits.outflow * max(0.0, now - self._as_of))
        self._as_of = now

    def _note_remaining(self) -> None:
        """Note what is left. Requests of others come and go, so capacity counts once it has been there for seconds."""
        risen = self._least + self.limits.reservation * (self._as_of - self._last_response)
        self._least = min(self._left, risen)
        self._reported, self._last_response = self._left, self._as_of

    def _widen(self, window: int) -> None:
        if window != self._window:
            self._window, self._round = window, 0

    def _wait(self, now: float) -> float:
        limits = self.limits
        pause = max(self._backoff_until, self._retry_after_until) - now
        if pause > 0:
            return min(pause, _LONGEST_WAIT)
        gap = self._last_start + self._spacing() - now
        if self._reported < limits.floor:
            recovery = min((limits.floor - self._reported) / limits.outflow, _LONGEST_RECOVERY)
            recovery *= 1 + self._jitter() / 5
            gap = max(gap, self._last_response + recovery - now)
        if gap > 0:
            return min(gap, _LONGEST_WAIT)
        if self._in_flight == 0 and now - self._last_response > _STALE:
            self._widen(1)
        return _SLOT_WAIT * (1 + self._jitter()) if self._in_flight >= self._window else 0.0

    def _places(self) -> int:
        """Return half of what the others leave, in requests: they may be about to take the other half."""
        limits = self.limits
        places = (self._least - limits.reservation) // (2 * limits.reservation)
        return max(1, min(limits.max_in_flight, int(places)))

    def _spacing(self) -> float:
        """Return the seconds between two requests, by what was left at the last response: others spend what leaks out since."""
        limits = self.limits
        cheap = _SLOWEST * self._strain(limits.slow_below) ** 4
        costly = _SHARERS * self._cost / limits.outflow * self._strain(limits.high_water)
        return min(max(cheap, costly) * (0.75 + self._jitter() / 2), _LONGEST_GAP)

    def _strain(self, top: float) -> float:
        """Return how far the remaining units have sunk, from 0 at the top to 1 at the floor."""
        return min(1.0, max(0.0, (top - self._reported) / (top - self.limits.floor)))


def _within(value: float | None, least: float, most: float) -> float | None:
    """Return a reported number, cut to plausible values; ``None`` for none."""
    return None if value is None or math.isnan(value) else min(max(value, least), most)


_shared: dict[tuple[str, bytes], RateLimiter] = {}
_shared_lock = threading.Lock()


def shared_rate_limiter(host: str, token: str, limits: RateLimits | None = None) -> RateLimiter:
    """Return the rate limiter that this process shares for a host and a token. Limits, where given, apply to all from now on."""
    key = (host, hashlib.sha256(token.encode()).digest())
    with _shared_lock:
        rate_limiter = _shared.setdefault(key, RateLimiter(limits))
        if limits is not None:
            rate_limiter.limits = limits
        return rate_limiter


def _forget_shared() -> None:
    global _shared_lock  # noqa: PLW0603 -- a lock that another thread held at the fork can never be released
    _shared_lock = threading.Lock()
    _shared.clear()


# A forked child has none of its parent's requests in flight, and may have inherited locks that are held.
os.register_at_fork(after_in_child=_forget_shared)
