"""Who is next: tasks take their places in the rate budget in the order in which they came."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from weakref import WeakKeyDictionary

from canvas_exports.core.canvas.http.rate_limiter import RateBudget


class Gate:
    """One for each budget on an event loop, however many clients use it: only the first in the row keeps asking."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def enter(self, budget: RateBudget, sleep: Callable[[float], Awaitable[Any]]) -> None:
        """Wait for a place, and take it."""
        if not self._turn.locked() and budget.admit() <= 0:
            return
        async with self._turn:
            while (wait := budget.admit()) > 0:
                await sleep(wait)


_gates: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakKeyDictionary[RateBudget, Gate]] = (
    WeakKeyDictionary()
)


def shared_gate(budget: RateBudget) -> Gate:
    """The gate of a budget on the running loop."""
    return _gates.setdefault(asyncio.get_running_loop(), WeakKeyDictionary()).setdefault(budget, Gate())
