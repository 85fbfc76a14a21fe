"""A scripted server on loopback, a clock that only sleep moves, and both clients behind one face."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.canvas.scripted_canvas import TOKEN, Clock, Either, ScriptedServer, open_either, serve

from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """Canvas."""
    yield from serve()


@pytest.fixture
def storage() -> Iterator[ScriptedServer]:
    """A foreign host."""
    yield from serve()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(server: ScriptedServer, clock: Clock) -> Iterator[CanvasClient]:
    """The blocking client, with a rate limiter and a clock of its own."""
    rate_limiter = RateLimiter(clock=clock, jitter=lambda: 0.5)
    with CanvasClient(
        server.url, TOKEN, rate_limiter=rate_limiter, clock=clock, sleep=clock.sleep, read_timeout=5
    ) as made:
        yield made


@pytest.fixture(params=["requests", "aiohttp"])
def either(request: pytest.FixtureRequest, server: ScriptedServer, clock: Clock) -> Iterator[Either]:
    """Each client in turn: what holds for one holds for the other."""
    with open_either(request.param, server.url, clock) as made:
        yield made
