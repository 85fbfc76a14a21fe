"""Bytes that are hardly HTTP end in a value or an error of our own tree, for both clients."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from tests.support.canvas.scripted_canvas import COURSE, Clock, export_json, open_either

from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.api.parsing import read_export
from canvas_exports.errors import (
    CanvasExportsError,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BODY = b'{"id": 9}'


ODD: dict[str, bytes] = {
    "a length below zero": OK + b"Content-Length: -5\r\n\r\n" + BODY,
    "a length beyond all numbers": OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n" + BODY,
    "a length that is no number": OK + b"Content-Length: nine\r\n\r\n" + BODY,
    "two lengths": OK + b"Content-Length: 9\r\nContent-Length: 8\r\n\r\n" + BODY,
    "a chunk below zero": OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n" + BODY,
    "a chunk beyond all numbers": OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"F" * 5000 + b"\r\n" + BODY,
    "a chunk that is no number": OK + b"Transfer-Encoding: chunked\r\n\r\nlots\r\n" + BODY,
    "an encoding nobody knows": OK + b"Transfer-Encoding: rot13\r\nContent-Length: 9\r\n\r\n" + BODY,
    "a line without a colon": OK + b"nonsense\r\nContent-Length: 9\r\n\r\n" + BODY,
    "a folded header": OK + b"X: a\r\n b\r\nContent-Length: 9\r\n\r\n" + BODY,
    "bytes that are no text": OK + b"X-Request-Context-Id: \xff\xfe\r\nContent-Length: 9\r\n\r\n" + BODY,
    "a header of 100 kB": OK + b"X: " + b"y" * 100_000 + b"\r\nContent-Length: 9\r\n\r\n" + BODY,
    "five hundred headers": OK + b"X: y\r\n" * 500 + b"Content-Length: 9\r\n\r\n" + BODY,
    "a zero byte": OK + b"X: \0\r\nContent-Length: 9\r\n\r\n" + BODY,
    "no status": b"HTTP/1.1\r\n\r\n",
    "a status below all": b"HTTP/1.1 007 X\r\n\r\n",
    "a status beyond all": b"HTTP/1.1 99999 X\r\n\r\n",
    "a switch of protocols": b"HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "HTTP of the future": b"HTTP/9.9 200 OK\r\nContent-Length: 9\r\n\r\n" + BODY,
    "nothing": b"",
    "no content": b"HTTP/1.1 204 X\r\n\r\n",
    "a redirect to nowhere": b"HTTP/1.1 302 X\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n",
}


@contextmanager
def saying(answer: bytes) -> Iterator[str]:
    """A server that answers everything with these bytes, and closes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with suppress(OSError), connection:
                        connection.recv(65536)
                        connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize("kind", ["requests", "aiohttp"])
@pytest.mark.parametrize("odd", ODD)
def test_what_is_hardly_http_is_a_value_or_an_error_of_ours(clock: Clock, kind: str, odd: str) -> None:
    with saying(ODD[odd]) as url, open_either(kind, url, clock) as client:
        with suppress(CanvasExportsError):
            assert client.whoami().id == 9
        with suppress(CanvasExportsError):
            client.create_export(COURSE, ExportRequest.build("zip"))
        assert client.client.rate_limiter.in_flight == 0
        if kind == "requests":
            attachment = {"id": 7, "filename": "x", "size": 9, "url": f"{url}/files/7"}
            with pytest.raises(CanvasExportsError):
                b"".join(client.download(COURSE, read_export(export_json(attachment=attachment))))
        assert client.client.rate_limiter.in_flight == 0
