"""Answers without bounds: too many bytes, packed or not, and bytes that never end, for both clients."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from tests.support.scripted_canvas import COURSE, Clock, Either, ScriptedServer, export_json, open_either

from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.api.parsing import read_export
from canvas_exports.core.canvas.http.messages import Response
from canvas_exports.core.canvas.http.transports.response_body import LARGEST, LARGEST_ERROR, ResponseBody
from canvas_exports.errors import (
    AnswerLostError,
    CanvasExportsError,
    CanvasUnavailableError,
    CredentialError,
    NotFoundError,
    UnexpectedAnswerError,
)

SELF = "GET /api/v1/users/self"
EXPORTS = "POST /api/v1/courses/101/content_exports"
MiB = 1024 * 1024
ONCE = gzip.compress(b" " * (100 * MiB) + b'{"id": 9}', 9)
PACKED = {"Content-Encoding": "gzip", "Content-Type": "application/json"}


def test_an_answer_larger_than_any_of_canvas_is_an_error_and_not_asked_for_again(
    either: Either, server: ScriptedServer
) -> None:
    server.on(SELF, {"body": ONCE, "headers": PACKED})
    with pytest.raises(UnexpectedAnswerError, match="more than 64 MiB"):
        either.whoami()
    assert len(server.seen) == 1
    assert either.client.rate_limiter.in_flight == 0


def test_a_large_answer_within_the_bound_is_read(either: Either, server: ScriptedServer) -> None:
    document = b'{"id": 9, "name": "' + b"x" * (10 * MiB) + b'"}'
    server.on(SELF, {"body": document, "headers": {"Content-Type": "application/json"}})
    assert either.whoami().id == 9
    server.on(SELF, {"body": gzip.compress(document), "headers": PACKED})
    assert either.whoami().id == 9


def test_after_a_post_an_answer_too_large_may_have_taken_effect(
    either: Either, server: ScriptedServer
) -> None:
    server.on(EXPORTS, {"body": ONCE, "headers": PACKED})
    with pytest.raises(AnswerLostError):
        either.create_export(COURSE, ExportRequest.build("zip"))
    assert len(server.seen) == 1


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (503, CanvasUnavailableError),
        (401, CredentialError),
        (404, UnexpectedAnswerError),
        (418, UnexpectedAnswerError),
    ],
)
def test_of_a_refusal_only_its_beginning_is_read(
    either: Either, server: ScriptedServer, status: int, kind: type[Exception], *, packed: bool
) -> None:
    page = json.dumps({"message": "x" * (3 * MiB)}).encode()
    headers = {**PACKED, "WWW-Authenticate": "Bearer" if status == 401 else None}
    body = gzip.compress(page) if packed else page
    if not packed:
        headers["Content-Encoding"] = None
    server.on(SELF, {"status": status, "body": body, "headers": headers})
    with pytest.raises(kind) as caught:
        either.whoami()
    assert len(str(caught.value)) < 500


def test_a_refusal_that_is_packed_is_understood(either: Either, server: ScriptedServer) -> None:
    server.on(SELF, {"status": 404, "body": gzip.compress(b'{"errors": []}'), "headers": PACKED})
    with pytest.raises(NotFoundError):
        either.whoami()


@pytest.mark.parametrize("packing", ["br", "zstd", "gzip, gzip", "deflate", "gzip"])
def test_what_is_packed_in_another_way_or_damaged_is_no_answer_of_canvas(
    either: Either, server: ScriptedServer, packing: str
) -> None:
    server.on(SELF, {"body": b"\x8b\x02\x80{}", "headers": {**PACKED, "Content-Encoding": packing}})
    with pytest.raises(UnexpectedAnswerError):
        either.whoami()


def content(body: ResponseBody) -> bytes:
    result = body.result()
    assert isinstance(result, Response)
    return result.body


def test_unpacking_takes_no_more_memory_than_the_bound() -> None:
    body = ResponseBody(400, {"content-encoding": "gzip"})
    tracemalloc.start()
    try:
        wanted = body.add(ONCE)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert not wanted
    assert body.is_too_large
    assert len(content(body)) == MiB
    assert most < 4 * MiB


def test_what_unpacks_to_nothing_for_ever_is_bounded_as_well() -> None:
    body = ResponseBody(400, {"content-encoding": "gzip"})
    empty = gzip.compress(b"") * 100
    takes = 0
    while body.add(empty):
        takes += 1
        assert takes < MiB
    assert body.is_too_large


def test_bounds_are_those_that_are_documented() -> None:
    assert (64 * MiB, MiB) == (LARGEST, LARGEST_ERROR)


# -- time ------------------------------------------------------------------------------------------------------------


@contextmanager
def dripping(begin: bytes, drop: bytes) -> Iterator[str]:
    """A server that answers with a beginning, and then some bytes every few hundredths of a second, for ever."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip(connection: socket.socket) -> None:
            with suppress(OSError), connection:
                connection.recv(65536)
                connection.sendall(begin)
                while not over.wait(0.05):
                    connection.sendall(drop)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=drip, args=listener.accept()[:1], daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


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
        with pytest.raises((CanvasUnavailableError, UnexpectedAnswerError)):
            client.whoami()
    assert time.monotonic() - began < 30  # the server never ends; five attempts of twice the read time-out do
    assert client.client.rate_limiter.in_flight == 0


# -- what is hardly HTTP ---------------------------------------------------------------------------------------------

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
