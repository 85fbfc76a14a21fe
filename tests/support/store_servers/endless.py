"""A store whose every answer is one body: without end, in drips, or packed. It reads no request."""

from __future__ import annotations

import gzip
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from pathlib import Path

from tests.support.store_servers.stores import MiB


@dataclass(frozen=True)
class Answer:
    """An answer: its body, piece after piece, with an end only if it has a length."""

    body: Callable[[], Iterator[bytes]]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0


def whole(body: bytes, status: int = 200, **headers: str) -> Answer:
    """A body of known length."""
    return Answer(lambda: iter([body]), status, {"Content-Length": str(len(body)), **headers})


def endless() -> Answer:
    """A list of more and more bytes."""
    return Answer(lambda: repeat(b" " * 65536))


def dripping(status: int = 200, *, packed: bool = False) -> Answer:
    """One byte now and then, for ever."""
    headers = {"Content-Encoding": "gzip"} if packed else {}
    return Answer(lambda: repeat(b" "), status, headers, pause=0.01)


def bomb(status: int) -> Answer:
    """An error of 64 KiB that unpacks to 64 MiB."""
    return whole(gzip.compress(bytes(64 * MiB)), status, **{"Content-Encoding": "gzip"})


def idle_packing() -> Answer:
    """Packed bytes for ever, at full speed, that unpack to none: empty blocks."""
    blocks = chain([gzip.compress(b"")[:10]], repeat(b"\x00\x00\x00\xff\xff" * 10_000))
    return Answer(lambda: blocks, headers={"Content-Encoding": "gzip"})


class EndlessServer:
    """``seen``: the target of every request."""

    def __init__(self, answer: Answer, certificate: Path | None = None) -> None:
        self.seen: list[str] = []
        self._ended = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                outer.seen.append(self.path)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                with suppress(ConnectionError):  # the client has had enough
                    for piece in answer.body():
                        self.wfile.write(piece)
                        if outer._ended.wait(answer.pause):
                            return

            do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = _answer  # noqa: N815 - the base class's names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that trusts no such server
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()
        scheme = "http" if certificate is None else "https"
        self.endpoint = f"{scheme}://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
