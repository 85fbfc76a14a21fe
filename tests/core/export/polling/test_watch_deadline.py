"""A watch ends at its deadline, whatever Canvas is doing at that moment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest
from tests.support.canvas.dripping_server import dripping

from canvas_exports.core.canvas.async_client import AsyncCanvasClient
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter
from canvas_exports.core.export.engine.running_export import RunningExport
from canvas_exports.core.export.polling.poll_results import WakeRule
from canvas_exports.core.export.polling.watch import watch
from canvas_exports.core.restore.wait import EXPORT, IMPORT, CanvasJob, wait_for


def wake(seconds: float) -> WakeRule:
    return WakeRule(enough=1, batch_delay=0, min_wait=0, stall_after=1e6, deadline=time.time() + seconds)


@pytest.fixture(name="dripping")
def _dripping() -> Iterator[str]:
    """A Canvas that answers with a byte now and then, and never ends."""
    with dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b" ") as url:
        yield url


async def test_a_byte_now_and_then_does_not_hold_a_watch_past_its_deadline(dripping: str) -> None:
    now = time.time()
    export = RunningExport("course:101", 5, 88, now - 60, now - 60)
    async with AsyncCanvasClient(dripping, "7~token") as client:
        seen = await asyncio.wait_for(watch(client, [export], wake(0.5)), 20)
        assert client.rate_limiter.in_flight == 0
    assert not seen.ready
    assert list(seen.running) == [5]  # it is told of, as not over


@pytest.mark.parametrize("what", [IMPORT, EXPORT])
async def test_nor_a_restore_or_a_drill(dripping: str, what: str) -> None:
    waiting = CanvasJob(what, 101, 5, 88, time.time() - 60, time.time() + 0.5)
    async with AsyncCanvasClient(dripping, "7~token") as client:
        await asyncio.wait_for(wait_for(client, waiting), 20)
        assert client.rate_limiter.in_flight == 0


async def test_nor_does_a_rate_limit_that_asks_for_minutes(dripping: str) -> None:
    now = time.time()
    rate_limiter = RateLimiter()
    rate_limiter.try_acquire()
    rate_limiter.throttled(retry_after=300)
    exports = [RunningExport("course:101", number, 88, now - 60, now - 60) for number in range(1, 4)]
    async with AsyncCanvasClient(dripping, "7~token", rate_limiter=rate_limiter) as client:
        seen = await asyncio.wait_for(watch(client, exports, wake(0.5)), 20)
    assert sorted(seen.running) == [1, 2, 3]
    assert rate_limiter.in_flight == 0
