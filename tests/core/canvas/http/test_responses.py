from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canvas_exports.core.canvas.http.messages import Request, Response, lower_case
from canvas_exports.core.canvas.http.responses import is_throttled, read_json
from canvas_exports.errors import (
    BadRequestError,
    CanvasError,
    CanvasUnavailableError,
    CredentialError,
    NotFoundError,
    PermissionDeniedError,
    ThrottledError,
    UnexpectedResponseError,
)

REQUEST = Request("GET", "/api/v1/courses/101", "access=secret", context="course:101", export_id=5)
BEARER = {"WWW-Authenticate": 'Bearer realm="canvas-lms"'}


def answer(status: int, body: Any = b"", **headers: str) -> Response:
    if not isinstance(body, bytes):
        body, headers = json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
    return Response(status, lower_case({"X-Request-Context-Id": "r-1", **headers}.items()), body)


def text(status: int, body: str) -> Response:
    return answer(status, body.encode(), **{"Content-Type": "text/plain; charset=utf-8"})


def html(status: int) -> Response:
    return answer(status, b"<html>login</html>", **{"Content-Type": "text/html"})


def message(text: str, **more: Any) -> dict[str, Any]:
    return {"errors": [{"message": text}], **more}


# Situation, answer, error: the table of Canvas's error bodies.
TABLE = [
    ("no credentials", answer(401, {"status": "unauthenticated", **message("user authorization required")}, **BEARER), CredentialError),
    ("right missing, older Canvas", answer(401, {"status": "unauthorized", **message("not allowed")}), PermissionDeniedError),
    ("right missing, newer Canvas", answer(403, {"status": "unauthorized", **message("nicht erlaubt")}), PermissionDeniedError),
    ("unknown token", answer(401, message("Invalid access token."), **BEARER), CredentialError),
    ("revoked token", answer(401, message("Revoked access token."), **BEARER), CredentialError),
    ("expired token", answer(401, message("Expired access token.", expired_at="x"), **BEARER), CredentialError),
    ("credential problem whatever the body", answer(401, b"<html>", **BEARER), CredentialError),
    ("scope missing", answer(401, message("Insufficient scopes on access token.")), PermissionDeniedError),
    ("not found", answer(404, message("The specified resource does not exist.")), NotFoundError),
    ("page not found", answer(404, message("An error occurred.", error_code="not_found")), NotFoundError),
    ("gone", answer(410, message("gone")), NotFoundError),
    ("parameter missing", answer(400, message("export_type is missing")), BadRequestError),
    ("stale bookmark", answer(400, {"status": "bad_request", "errors": [{"page": "Invalid page"}]}), BadRequestError),
    ("crash", answer(500, message("An error occurred.", error_report_id=123)), CanvasUnavailableError),
    ("masquerade", answer(401, {"errors": "Invalid as_user_id"}), PermissionDeniedError),
    ("search too short", answer(400, {"errors": [{"field": "search_term", "message": "3 or more"}]}), BadRequestError),
    ("controller's own validation", answer(400, {"message": "invalid export_type"}), BadRequestError),
    ("unprocessable", answer(422, {"errors": {"base": [{"message": "x"}]}}), BadRequestError),
    ("throttled, older Canvas", text(403, "403 Forbidden (Rate Limit Exceeded)\n"), ThrottledError),
    ("throttled, newer Canvas", text(429, "429 Too Many Requests (Rate Limit Exceeded)\n"), ThrottledError),
    ("throttled by something in front", html(429), ThrottledError),
    ("no user agent", answer(403, {"error": "Forbidden", "message": "no valid user agent"}), PermissionDeniedError),
    ("denial that quotes the throttle", answer(403, message("Rate Limit Exceeded")), PermissionDeniedError),
    ("firewall", html(403), UnexpectedResponseError),
    ("text that is no refusal", text(403, "Forbidden"), UnexpectedResponseError),
    ("page for an unknown host", html(404), UnexpectedResponseError),
    ("maintenance", html(503), CanvasUnavailableError),
    ("bad gateway", answer(502), CanvasUnavailableError),
    ("request time-out", html(408), CanvasUnavailableError),
    ("redirect", answer(302, b"", Location="https://sso.example.edu/login?x=1"), UnexpectedResponseError),
    ("login page as success", html(200), UnexpectedResponseError),
    ("cut JSON", answer(200, b'{"id": 5', **{"Content-Type": "application/json"}), UnexpectedResponseError),
    ("empty success", answer(200), UnexpectedResponseError),
    ("nothing", answer(204), UnexpectedResponseError),
    ("text as success", text(200, "fine"), UnexpectedResponseError),
]  # fmt: skip


@pytest.mark.parametrize(("result", "kind"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_every_answer_raises_the_error_that_fits_and_carries_what_support_asks_for(
    result: Response, kind: type[CanvasError]
) -> None:
    with pytest.raises(CanvasError) as caught:
        read_json(result, REQUEST)
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.request_id, error.request) == (
        result.status,
        "r-1",
        "GET /api/v1/courses/101",
    )
    assert (error.context, error.export_id) == ("course:101", 5)
    assert "secret" not in str(error)
    assert "sso.example.edu" not in str(error)


def test_json_of_any_kind_is_an_answer() -> None:
    assert read_json(answer(200, {"id": 1}), REQUEST) == {"id": 1}
    assert read_json(answer(200, []), REQUEST) == []
    assert read_json(answer(200, None), REQUEST) is None


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"message": "invalid export_type"}, "it says: invalid export_type"),
        ({"errors": "Invalid as_user_id"}, "it says: Invalid as_user_id"),
        (message("a\n  b"), "it says: a b"),
        ({"errors": [{"page": "Invalid page"}, "x", {"message": 5}]}, "it says: Invalid page"),
        ({"error": "Forbidden", "message": "no"}, "it says: no"),
        (message("x" * 900), "x" * 200),
        (message("An error occurred.", error_report_id=123), "(error report 123)"),
    ],
)
def test_a_refusal_of_arguments_quotes_canvas(body: Any, says: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        read_json(answer(400, body), REQUEST)
    assert says in str(caught.value)
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    "body",
    [message("see https://s.example/x?sig=1"), message("\x1b[31m"), {"errors": {"a": 1}}, [], message("")],
)
def test_links_and_control_characters_are_not_quoted(body: Any) -> None:
    with pytest.raises(BadRequestError) as caught:
        read_json(answer(400, body), REQUEST)
    assert caught.value.message == "Canvas refuses the arguments"


def test_a_refusal_is_known_by_status_and_type_alone() -> None:
    assert is_throttled(text(403, "403 Forbidden (Rate Limit Exceeded)"))
    assert is_throttled(answer(429, message("x")))
    assert not is_throttled(answer(403, message("Rate Limit Exceeded")))
    assert not is_throttled(answer(200, message("Rate Limit Exceeded")))


@given(
    status=st.integers(200, 599),
    body=st.binary(max_size=60),
    media=st.sampled_from(["", "text/html", "application/json"]),
)
@settings(derandomize=True, max_examples=200)
def test_whatever_comes_back_is_a_value_or_an_error_of_the_tree(status: int, body: bytes, media: str) -> None:
    with suppress(CanvasError):
        read_json(answer(status, body, **{"Content-Type": media}), REQUEST)
        assert 200 <= status < 300


def test_deeply_nested_json_does_not_break_the_reader() -> None:
    with pytest.raises(UnexpectedResponseError):
        read_json(answer(200, b"[" * 200_000), REQUEST)
