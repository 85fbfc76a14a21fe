"""What clients on one event loop share: their turn at the rate limiter, and connections."""

from __future__ import annotations

import asyncio
from functools import partial

from canvas_exports.core.canvas.async_client import AsyncCanvasClient
from canvas_exports.core.canvas.http.async_rate_limiter import shared_async_rate_limiter
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter, RateLimits
from canvas_exports.core.canvas.http.transports.async_transport import open_pools
from canvas_sandbox import Course, Sandbox, Switches


async def test_slots_are_given_in_the_order_in_which_they_were_asked_for() -> None:
    rate_limiter = RateLimiter(RateLimits(max_in_flight=1))
    order: list[int] = []
    waiting = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        waiting.set()
        await asyncio.sleep(0)

    async def one(number: int) -> None:
        await shared_async_rate_limiter(rate_limiter).acquire(rate_limiter, sleep)
        order.append(number)
        await asyncio.wait_for(waiting.wait(), 10)
        rate_limiter.cancelled()

    await asyncio.gather(*map(one, range(5)))
    assert order == [0, 1, 2, 3, 4]
    assert rate_limiter.in_flight == 0


async def test_a_rate_limiter_has_one_queue_on_a_loop() -> None:
    rate_limiter = RateLimiter()
    assert shared_async_rate_limiter(rate_limiter) is shared_async_rate_limiter(rate_limiter)
    assert shared_async_rate_limiter(rate_limiter) is not shared_async_rate_limiter(RateLimiter())


async def test_all_clients_of_a_loop_share_connections_and_the_last_one_closes_them() -> None:
    with Sandbox([Course(id=101)], switches=Switches(throttle=False)) as canvas:
        clients = [AsyncCanvasClient(canvas.url, canvas.token) for _ in range(10)]
        for client in clients:
            await client.whoami()
        (pool,) = open_pools[asyncio.get_running_loop()].values()
        assert pool.users == 10
        assert pool.session is not None
        is_closed = partial(getattr, pool.session, "closed")
        for client in clients[1:]:
            await client.aclose()
        assert not is_closed()
        await clients[0].whoami()
        await clients[0].aclose()
        assert is_closed()
        async with AsyncCanvasClient(canvas.url, canvas.token) as later:
            await later.whoami()
