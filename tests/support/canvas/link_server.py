"""A link to some bytes, served by this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Link:
    """Where it is, who followed it, and whether it answers already."""

    url: str = ""
    seen: list[dict[str, str]] = field(default_factory=list)
    followed: threading.Event = field(default_factory=threading.Event)
    answers: threading.Event = field(default_factory=threading.Event)


@contextmanager
def served(data: bytes, status: int = 200, *, at_once: bool = True) -> Iterator[Link]:
    """A link to some bytes; without ``at_once`` it answers when ``answers`` is set."""
    link = Link()
    if at_once:
        link.answers.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            link.seen.append(dict(self.headers))
            link.followed.set()
            link.answers.wait(30)
            try:
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except ConnectionError:
                pass

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    link.url = f"http://127.0.0.1:{server.server_port}/course.imscc?signature=secret"
    try:
        yield link
    finally:
        link.answers.set()
        server.shutdown()
        thread.join()
        server.server_close()
