"""Every wait of a blocking client can be stopped, and does not block other threads."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support.canvas.dripping_server import dripping
from tests.support.canvas.package_server import an_export
from tests.support.canvas.scripted_canvas import COURSE, TOKEN, ScriptedServer, Seen

from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter, RateLimits
from canvas_exports.errors import Stopped

SELF = "GET /api/v1/users/self"
ME = {"json": {"id": 9}}
REFUSED = {
    "status": 429,
    "text": "429 Too Many Requests (Rate Limit Exceeded)",
    "headers": {"Retry-After": "300"},
}
BUSY = {"status": 503, "html": "<html>", "headers": {"Retry-After": "120"}}
_SOON = 30.0  # seconds; far less than what is waited for, far more than any of this takes


class Asking(threading.Thread):
    """A thread that asks Canvas something, and what came of it."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.ask = ask
        self.came: Any = None
        self.start()

    def run(self) -> None:
        try:
            self.came = self.ask()
        except BaseException as error:  # noqa: BLE001 -- for the test to look at
            self.came = error

    def ends(self) -> Any:
        self.join(_SOON)
        assert not self.is_alive(), "it still waits"
        return self.came


@pytest.fixture
def real(server: ScriptedServer) -> Iterator[CanvasClient]:
    """A client that really waits."""
    with CanvasClient(server.url, TOKEN, rate_limiter=RateLimiter(RateLimits(max_in_flight=3))) as made:
        yield made


def arrived(server: ScriptedServer) -> threading.Event:
    """Set once the server has been asked something."""
    seen = threading.Event()
    server.delay = seen.set
    return seen


@pytest.mark.parametrize("reply", [REFUSED, BUSY])
def test_a_wait_of_minutes_ends_when_it_is_called_off(
    real: CanvasClient, server: ScriptedServer, reply: dict[str, Any]
) -> None:
    server.on(SELF, reply)
    asked = arrived(server)
    threads = [Asking(real.whoami) for _ in range(4)]
    assert asked.wait(_SOON)
    real.stop()
    assert {type(thread.ends()) for thread in threads} == {Stopped}
    assert real.rate_limiter.in_flight == 0


def test_a_signal_handler_may_call_it_off(real: CanvasClient, server: ScriptedServer) -> None:
    server.on(SELF, REFUSED)
    before = signal.signal(signal.SIGALRM, lambda *_: real.stop())
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(Stopped):
            real.whoami()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert real.rate_limiter.in_flight == 0


def test_after_that_nothing_is_sent(real: CanvasClient, server: ScriptedServer) -> None:
    server.on(SELF, ME)
    real.stop()
    with pytest.raises(Stopped):
        real.whoami()
    with pytest.raises(Stopped):
        real.create_export(COURSE, ExportRequest.build("zip"))
    with pytest.raises(Stopped):
        next(iter(real.download(COURSE, an_export(server))))
    assert server.seen == []


def test_a_later_answer_ends_what_a_retry_after_asks_for(real: CanvasClient, server: ScriptedServer) -> None:
    """One request is under way when another is refused for five minutes; then the first one is answered."""
    server.on(SELF, ME)
    for _ in range(5):
        real.whoami()
    slow, refused = threading.Event(), threading.Event()

    def answer(seen: Seen) -> dict[str, Any]:
        if seen.query:
            slow.wait(_SOON)
        return {**ME, "headers": {"X-Rate-Limit-Remaining": "600"}}

    def refuse(_seen: Seen) -> dict[str, Any]:
        first = not refused.is_set()
        refused.set()
        return REFUSED if first else ME

    server.on("GET /api/v1/courses/101", {"then": answer})
    server.on(SELF, {"then": refuse})
    first = Asking(lambda: real.course(COURSE))
    while real.rate_limiter.in_flight == 0:
        threading.Event().wait(0.01)
    second = Asking(real.whoami)
    while real.rate_limiter.throttled_count == 0:
        threading.Event().wait(0.01)
    slow.set()
    assert first.ends().id == 9
    assert second.ends().id == 9


def test_a_thread_that_waits_keeps_nobody_from_the_budget(real: CanvasClient, server: ScriptedServer) -> None:
    server.on(SELF, REFUSED)
    asked = arrived(server)
    waiting = Asking(real.whoami)
    assert asked.wait(_SOON)
    others = Asking(lambda: (real.rate_limiter.remaining, real.rate_limiter.try_acquire()))
    assert others.ends()[1] >= 0
    real.stop()
    assert isinstance(waiting.ends(), Stopped)


def test_a_download_that_drips_is_called_off(real: CanvasClient, server: ScriptedServer) -> None:
    head = b'HTTP/1.1 200 OK\r\nETag: "a"\r\nContent-Length: 10000000\r\n\r\nPK\x03\x04'
    with dripping(head, b"x") as url:
        export = an_export(server, size=10_000_000, url=f"{url}/files/7")
        begun = threading.Event()

        def fetch() -> None:
            for _ in real.download(COURSE, export):
                begun.set()

        fetching = Asking(fetch)
        assert begun.wait(_SOON)  # what has come is handed on, however little
        real.stop()
        assert isinstance(fetching.ends(), Stopped)
