"""One client polls, and says what it took: ``python -m benchmarks.peers.polling CLIENT URL COUNT``.

Each is written as its documentation shows it: one session, connections kept alive, as many requests under way as suit it
best, the JSON parsed. ``ours`` is the product's asynchronous client, with a rate budget that never says no.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

TOKEN = "a-token"  # noqa: S105 - the server takes any
_HEADERS = {"Authorization": f"Bearer {TOKEN}"}
_ASYNC, _THREADS = 20, 8
_WARM_UP = 200  # polls before anything is counted: connections, imports


def ours(url: str) -> Callable[[Sequence[int]], None]:
    """``AsyncCanvasClient.progress``."""
    from canvas_exports.core.canvas.async_client import AsyncCanvasClient  # noqa: PLC0415 - only the one that is measured
    from canvas_exports.core.canvas.http.rate_limiter import RateLimiter, RateLimits  # noqa: PLC0415

    generous = RateLimits(max_in_flight=_ASYNC, slow_below=1, floor=0, outflow=1e9, reservation=1)

    async def run(numbers: Sequence[int]) -> None:
        rate_limiter = RateLimiter(generous)
        async with AsyncCanvasClient(url, TOKEN, rate_limiter=rate_limiter) as client:
            await _gathered(client.progress, numbers)

    return lambda numbers: asyncio.run(run(numbers))


def aiohttp(url: str) -> Callable[[Sequence[int]], None]:
    """Bare aiohttp."""
    import aiohttp as library  # noqa: PLC0415

    async def run(numbers: Sequence[int]) -> None:
        connector = library.TCPConnector(limit=_ASYNC)
        async with library.ClientSession(connector=connector, headers=_HEADERS) as session:

            async def poll(number: int) -> Any:
                async with session.get(f"{url}/api/v1/progress/{number}") as response:
                    response.raise_for_status()
                    return await response.json()

            await _gathered(poll, numbers)

    return lambda numbers: asyncio.run(run(numbers))


def httpx(url: str) -> Callable[[Sequence[int]], None]:
    """The asynchronous client of httpx."""
    import httpx as library  # noqa: PLC0415

    async def run(numbers: Sequence[int]) -> None:
        async with library.AsyncClient(headers=_HEADERS) as client:

            async def poll(number: int) -> Any:
                response = await client.get(f"{url}/api/v1/progress/{number}")
                return response.raise_for_status().json()

            await _gathered(poll, numbers)

    return lambda numbers: asyncio.run(run(numbers))


def requests(url: str) -> Callable[[Sequence[int]], None]:
    """Threads with requests and a session for each."""
    import requests as library  # noqa: PLC0415

    def some(numbers: Sequence[int]) -> None:
        with library.Session() as session:
            session.headers.update(_HEADERS)
            for number in numbers:
                response = session.get(f"{url}/api/v1/progress/{number}", timeout=60)
                response.raise_for_status()
                response.json()

    return lambda numbers: _threaded(some, numbers)


def canvasapi(url: str) -> Callable[[Sequence[int]], None]:
    """Threads with canvasapi and a client for each."""
    import canvasapi as library  # type: ignore[import-untyped]  # noqa: PLC0415 - it has no types

    def some(numbers: Sequence[int]) -> None:
        client = library.Canvas(url, TOKEN)
        for number in numbers:
            client.get_progress(number)

    return lambda numbers: _threaded(some, numbers)


async def _gathered(poll: Callable[[int], Awaitable[Any]], numbers: Sequence[int]) -> None:
    rest = iter(numbers)

    async def some() -> None:
        for number in rest:
            await poll(number)

    await asyncio.gather(*(some() for _ in range(_ASYNC)))


def _threaded(some: Callable[[Sequence[int]], None], numbers: Sequence[int]) -> None:
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(some, [numbers[first::_THREADS] for first in range(_THREADS)]))


CLIENTS: dict[str, Callable[[str], Callable[[Sequence[int]], None]]] = {
    "ours": ours,
    "aiohttp": aiohttp,
    "httpx": httpx,
    "requests": requests,
    "canvasapi": canvasapi,
}


def main(name: str, url: str, count: int) -> None:
    """Poll so many exports once each, and print what that took as one line of JSON."""
    poll = CLIENTS[name](url)
    poll(range(1, _WARM_UP + 1))
    cpu, begun = time.process_time(), time.perf_counter()
    poll(range(1, count + 1))
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    document = {
        "polls_per_second": count / seconds,
        "cpu_ms_per_poll": 1000 * cpu / count,
        "rss_mib": peak,
    }
    sys.stdout.write(json.dumps(document) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
