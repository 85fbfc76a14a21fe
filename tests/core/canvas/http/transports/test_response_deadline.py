"""A response that never ends, however steadily its bytes arrive, ends in an error of both clients."""

from __future__ import annotations

import time

import pytest
from tests.support.canvas.dripping_server import dripping
from tests.support.canvas.scripted_canvas import Clock, open_either

from canvas_exports.errors import (
    CanvasUnavailableError,
    UnexpectedResponseError,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


DRIPS: dict[str, tuple[bytes, bytes]] = {
    "before the status": (b"H", b"T"),
    "informational answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "in a header": (OK + b"X-Long: ", b"x"),
    "header after header": (OK, b"X: y\r\n"),
    "in a body": (OK + b"Content-Length: 1000000\r\n\r\n", b" "),
    "in a body without an end": (OK + b"\r\n", b" "),
    "in chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "in the size of a chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "in what follows the chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
    "in a page of an error": (b"HTTP/1.1 503 X\r\nContent-Length: 1000000\r\n\r\n", b" "),
}


@pytest.mark.parametrize("kind", ["requests", "aiohttp"])
@pytest.mark.parametrize("drip", DRIPS)
def test_a_byte_now_and_then_keeps_no_call_alive(clock: Clock, kind: str, drip: str) -> None:
    """Each byte comes long before the time-out for silence: what ends the call is the time for all of the answer."""
    with dripping(*DRIPS[drip]) as url, open_either(kind, url, clock, read_timeout=0.2) as client:
        began = time.monotonic()
        with pytest.raises((CanvasUnavailableError, UnexpectedResponseError)):
            client.whoami()
    assert time.monotonic() - began < 30  # the server never ends; five attempts of twice the read time-out do
    assert client.client.rate_limiter.in_flight == 0
