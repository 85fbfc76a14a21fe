"""Responses that are too large, packed or not, cost a bounded amount of memory in both clients."""

from __future__ import annotations

import gzip
import json
import tracemalloc

import pytest
from tests.support.canvas.scripted_canvas import COURSE, Either, ScriptedServer

from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.http.messages import Response
from canvas_exports.core.canvas.http.transports.response_body import LARGEST, LARGEST_ERROR, ResponseBody
from canvas_exports.errors import (
    CanvasUnavailableError,
    CredentialError,
    NotFoundError,
    ResponseLostError,
    UnexpectedResponseError,
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
    with pytest.raises(UnexpectedResponseError, match="more than 64 MiB"):
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
    with pytest.raises(ResponseLostError):
        either.create_export(COURSE, ExportRequest.build("zip"))
    assert len(server.seen) == 1


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (503, CanvasUnavailableError),
        (401, CredentialError),
        (404, UnexpectedResponseError),
        (418, UnexpectedResponseError),
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
    with pytest.raises(UnexpectedResponseError):
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
