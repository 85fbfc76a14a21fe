"""Wait for the rate limiter on an event loop: tasks get their slots in the order in which they asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from weakref import WeakKeyDictionary

from canvas_exports.core.canvas.http.rate_limiter import RateLimiter


class AsyncRateLimiter:
    """One queue per event loop before a ``RateLimiter``: only the first task in it keeps asking."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def acquire(self, rate_limiter: RateLimiter, sleep: Callable[[float], Awaitable[Any]]) -> None:
        """Wait for a slot, and take it."""
        if not self._turn.locked() and rate_limiter.try_acquire() <= 0:
            return
        async with self._turn:
            while (wait := rate_limiter.try_acquire()) > 0:
                await sleep(wait)


_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakKeyDictionary[RateLimiter, AsyncRateLimiter]] = (
    WeakKeyDictionary()
)


def shared_async_rate_limiter(rate_limiter: RateLimiter) -> AsyncRateLimiter:
    """Return the queue of the running loop before a rate limiter."""
    of_loop = _shared.setdefault(asyncio.get_running_loop(), WeakKeyDictionary())
    return of_loop.setdefault(rate_limiter, AsyncRateLimiter())
