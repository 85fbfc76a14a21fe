"""Two S3 servers over real HTTP, and a proxy in front of them that fails, cuts or delays chosen requests."""

from __future__ import annotations

import http.client
import logging
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3

ACCESS_KEY, SECRET_KEY = "canvas-tests", "not-a-secret"


@lru_cache
def client(endpoint: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name="us-east-1",
    )


@contextmanager
def rclone(folder: Path, *, signed: bool = True) -> Iterator[str]:
    """rclone's S3 server over a folder; it checks signatures, or wants none. The endpoint's URL."""
    binary = Path(sys.executable).with_name("rclone")
    port = _free_port()
    process = subprocess.Popen(
        [
            binary,
            *("serve", "s3", str(folder), "--addr", f"127.0.0.1:{port}"),
            *("--vfs-cache-mode", "off", "--config", os.devnull),
            *(("--auth-key", f"{ACCESS_KEY},{SECRET_KEY}") if signed else ()),
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@contextmanager
def moto() -> Iterator[str]:
    """moto's S3 server, which knows conditional requests, in this process. The endpoint's URL."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - a second to import

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


Rule = Callable[[str, str], "int | None"]
HANG_UP = 0
LOSE_ANSWER = -1


class FaultProxy:
    """Passes requests on, except those that a rule picks.

    For those it answers the rule's status; ``HANG_UP`` ends the connection instead, and ``LOSE_ANSWER`` does so after
    the server has done what it was asked. ``begun`` is a rule that is asked before the body is read: whatever it says,
    the connection is reset with half of the body read. ``answered`` is asked once the server has answered; the server
    has then acted, and the client learns of a failure. ``codes`` names statuses as S3 does, in the body of a failure.
    ``seen`` holds verb and target of every request that arrived.
    """

    def __init__(self, upstream: str) -> None:
        self.rule: Rule = lambda _verb, _target: None
        self.begun: Rule = lambda _verb, _target: None
        self.answered: Rule = lambda _verb, _target: None
        self.codes: dict[int, str] = {}
        self.seen: list[tuple[str, str]] = []
        self.lengths: list[int] = []  # of the bodies of those requests
        place = urlsplit(upstream).netloc
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                with suppress(ConnectionError):  # a client that hangs up is what these tests are about
                    super().handle()

            def _pass(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                proxy.seen.append((self.command, self.path))
                proxy.lengths.append(length)
                if proxy.begun(self.command, self.path) is not None:
                    self._reset(length // 2)
                    return
                body = self.rfile.read(length)
                fault = proxy.rule(self.command, self.path)
                if fault is not None and fault >= 0:
                    self._fail(fault)
                    return
                with closing(http.client.HTTPConnection(place)) as server:
                    server.request(self.command, self.path, body, dict(self.headers.items()))
                    answer = server.getresponse()
                    whole = int(answer.getheader("Content-Length") or 0)
                    try:
                        data = answer.read()
                    except http.client.IncompleteRead as error:  # cut off there, so cut off here
                        data = error.partial
                        self.close_connection = True
                late = proxy.answered(self.command, self.path)
                if LOSE_ANSWER in (fault, late) or late is not None:
                    self._fail(max(late or HANG_UP, HANG_UP))
                    return
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(max(whole, len(data))))
                self.end_headers()
                self.wfile.write(data)

            def _fail(self, status: int) -> None:
                self.close_connection = True
                if status == HANG_UP:
                    return
                code = proxy.codes.get(status)
                body = f"<Error><Code>{code}</Code></Error>".encode() if code else b""
                self.send_response(status)
                self.send_header("Connection", "close")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def _reset(self, after: int) -> None:
                self.rfile.read(after)
                self.close_connection = True
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = _pass  # noqa: N815 - the base class's names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    for _ in range(500):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
            return
        threading.Event().wait(0.02)
    raise TimeoutError(f"nothing listens on {port}")
