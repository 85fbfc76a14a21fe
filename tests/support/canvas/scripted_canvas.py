"""A scripted server in Canvas's place, a clock that only sleep moves, and both clients behind one interface."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.async_client import AsyncCanvasClient
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter
from canvas_exports.core.canvas.http.token_source import TokenSource
from canvas_exports.core.model.contexts import Context

TOKEN = "7~secret-token"
COURSE = Context.parse("101")


@dataclass(frozen=True)
class Seen:
    """A request as it arrived, byte for byte in its target."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: str

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


Script = Mapping[str, Any]


@dataclass
class ScriptedServer:
    """Answers each path with the replies scripted for it, one after the other; the last one stays.

    A reply is a mapping of ``status`` (200), ``headers``, and one of ``json``, ``text``, ``html``, ``body``. With
    ``cut`` only so many bytes of the body are sent before the connection is closed; with ``drop`` nothing is.
    """

    scripts: dict[str, list[Script]] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    url: str = ""
    delay: Callable[[], object] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def on(self, request: str, *replies: Script) -> None:
        """Script ``GET /path`` (without query)."""
        self.scripts[request] = list(replies)

    def next_reply(self, request: str) -> Script:
        with self._lock:
            replies = self.scripts.get(request)
            if not replies:
                return {"status": 404, "html": f"<html>nothing scripted for {request}</html>"}
            return replies.pop(0) if len(replies) > 1 else replies[0]

    def paths(self) -> list[str]:
        return [seen.path for seen in self.seen]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    script: ScriptedServer

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.script.seen.append(Seen(self.command, self.path, headers, self.rfile.read(length).decode()))
        if self.script.delay:
            self.script.delay()
        reply = self.script.next_reply(f"{self.command} {self.path.partition('?')[0]}")
        if callable(reply.get("then")):
            reply = reply["then"](self.script.seen[-1])
        if reply.get("drop"):
            self.close_connection = True
            return
        body, media_type = _body(reply)
        answer = {"Content-Type": media_type, "Content-Length": str(len(body)), **reply.get("headers", {})}
        lines = [f"HTTP/1.1 {reply.get('status', 200)} Scripted"]
        lines += [f"{name}: {value}" for name, value in answer.items() if value not in (None, "")]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode())
        self.wfile.write(body[: reply["cut"]] if "cut" in reply else body)
        if "cut" in reply or answer["Content-Length"] is None:
            self.close_connection = True

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:  # quiet
        return


def _body(reply: Script) -> tuple[bytes, str]:
    if "json" in reply:
        return json.dumps(reply["json"]).encode(), "application/json; charset=utf-8"
    for kind, media_type in (("text", "text/plain; charset=utf-8"), ("html", "text/html; charset=utf-8")):
        if kind in reply:
            return reply[kind].encode(), media_type
    return (reply["body"], "application/octet-stream") if "body" in reply else (b"", "")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:  # a client that hangs up is what some tests are about
        return


def serve() -> Iterator[ScriptedServer]:
    script = ScriptedServer()
    handler = type("Handler", (_Handler,), {"script": script})
    with _Server(("127.0.0.1", 0), handler) as server:
        script.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield script
        server.shutdown()
        thread.join()


@dataclass
class Clock:
    """Seconds that pass only when somebody sleeps."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)
        await asyncio.sleep(0)


class Either:
    """One of the two clients; every method is called the same way and blocks."""

    def __init__(
        self, client: CanvasClient | AsyncCanvasClient, loop: asyncio.AbstractEventLoop | None
    ) -> None:
        self.client = client
        self._loop = loop

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            result = getattr(self.client, name)(*args, **kwargs)
            if self._loop is None:
                return list(result) if isinstance(result, Iterator) else result
            return self._loop.run_until_complete(_all(result))

        return call


async def _all(result: Any) -> Any:
    return await result if isinstance(result, Awaitable) else [row async for row in result]


@contextmanager
def open_either(
    kind: str, url: str, clock: Clock, *, token: str | TokenSource = TOKEN, read_timeout: float = 5
) -> Iterator[Either]:
    """One of the clients, ``requests`` or ``aiohttp``, with a rate limiter and a clock of its own."""
    rate_limiter = RateLimiter(clock=clock, jitter=lambda: 0.5)
    if kind == "requests":
        with CanvasClient(
            url, token, rate_limiter=rate_limiter, clock=clock, sleep=clock.sleep, read_timeout=read_timeout
        ) as made:
            yield Either(made, None)
        return
    loop = asyncio.new_event_loop()
    slow = AsyncCanvasClient(
        url, token, rate_limiter=rate_limiter, clock=clock, sleep=clock.asleep, read_timeout=read_timeout
    )
    yield Either(slow, loop)
    loop.run_until_complete(slow.aclose())
    loop.close()


def export_json(**changes: Any) -> dict[str, Any]:
    """A finished export as Canvas shows it, with changes; a value of ``...`` removes the field."""
    row = {
        "id": 501,
        "user_id": 9,
        "created_at": "2026-11-23T02:00:00Z",
        "workflow_state": "exported",
        "export_type": "common_cartridge",
        "course_id": 101,
        "attachment": {
            "id": 7,
            "filename": "biology-export.imscc",
            "size": 4,
            "content-type": "application/zip",
            "url": "https://canvas.example.edu/files/7/download?download_frd=1&verifier=abc",
        },
        "progress_url": "https://canvas.example.edu/api/v1/progress/88",
    }
    row.update(changes)
    return {name: value for name, value in row.items() if value is not ...}


SELF = "GET /api/v1/users/self"
EXPORTS = "/api/v1/courses/101/content_exports"
SHOW = f"GET {EXPORTS}/501"
CREATE = f"POST {EXPORTS}"
CARTRIDGE = ExportRequest.build("common_cartridge")
REFUSAL = {
    "status": 403,
    "text": "403 Forbidden (Rate Limit Exceeded)\n",
    "headers": {"X-Rate-Limit-Remaining": "31.5"},
}


REFUSAL_429 = {"status": 429, "text": "429 Too Many Requests (Rate Limit Exceeded)\n"}
