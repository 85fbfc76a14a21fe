from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from canvas_exports.core.canvas.auth.oauth import AccessToken, RefreshGrant, refresh
from canvas_exports.core.canvas.http.messages import Failure, PreparedRequest, Response, Result
from canvas_exports.core.canvas.http.origin import Origin
from canvas_exports.errors import (
    CanvasError,
    CanvasUnavailableError,
    CredentialError,
    UnexpectedResponseError,
)

ORIGIN = Origin.parse("canvas.example.edu")
GRANT = RefreshGrant("31", "hush&", "7~refresh")


def answer(status: int = 200, document: Any = None, **headers: str) -> Response:
    return Response(status, {"content-type": "application/json", **headers}, json.dumps(document).encode())


def ask(result: Result) -> AccessToken:
    return refresh(GRANT, ORIGIN, lambda _: result)


def test_it_is_one_form_to_canvas_itself_without_a_token() -> None:
    seen: list[PreparedRequest] = []

    def send(prepared: PreparedRequest) -> Result:
        seen.append(prepared)
        return answer(document={"access_token": "7~new", "expires_in": 3600})

    assert refresh(GRANT, ORIGIN, send) == AccessToken("7~new", 3600.0)
    (prepared,) = seen
    assert (prepared.method, prepared.url) == ("POST", "https://canvas.example.edu/login/oauth2/token")
    assert "Authorization" not in prepared.headers
    assert parse_qs((prepared.body or b"").decode()) == {
        "grant_type": ["refresh_token"],
        "client_id": ["31"],
        "client_secret": ["hush&"],
        "refresh_token": ["7~refresh"],
    }


@pytest.mark.parametrize("lifetime", [None, 0, -1, "soon", True, [3600], {}])
def test_without_an_end_that_makes_sense_the_token_lasts(lifetime: object) -> None:
    assert ask(answer(document={"access_token": "7~new", "expires_in": lifetime})).lifetime is None


@pytest.mark.parametrize(
    ("status", "error", "advice"),
    [
        (401, "invalid_client", "check client_id and client_secret"),
        (400, "invalid_request", "obtain a new one"),
        (400, "invalid_grant", "check client_id"),
        (400, "unsupported_grant_type", "obtain a new refresh token"),
    ],
)
def test_an_error_that_only_a_person_can_fix_is_permanent_and_says_how(
    status: int, error: str, advice: str
) -> None:
    with pytest.raises(CredentialError, match=advice) as raised:
        ask(answer(status, {"error": error, "error_description": "7~refresh"}))
    assert not raised.value.retryable
    assert raised.value.status == status
    assert "7~refresh" not in str(raised.value)


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        (Failure.LOST, CanvasUnavailableError),
        (Failure.NOT_SENT, CanvasUnavailableError),
        (answer(500, {}), CanvasUnavailableError),
        (Response(503, {"content-type": "text/html"}, b"<html>"), CanvasUnavailableError),
        (Response(429, {"content-type": "text/plain"}, b"(Rate Limit Exceeded)"), CanvasUnavailableError),
        (Response(400, {"content-type": "text/html"}, b"<html>"), UnexpectedResponseError),
        (Response(200, {"content-type": "text/html"}, b"<html>"), UnexpectedResponseError),
        (answer(document={}), UnexpectedResponseError),
        (answer(document=[]), UnexpectedResponseError),
        (answer(document={"access_token": "two words"}), UnexpectedResponseError),
    ],
)
def test_everything_else_may_be_better_later(result: Result, kind: type[CanvasError]) -> None:
    with pytest.raises(kind) as raised:
        ask(result)
    assert raised.value.retryable


def test_nothing_that_is_shown_holds_a_secret() -> None:
    shown = repr(GRANT) + repr(AccessToken("7~new"))
    assert not any(secret in shown for secret in ("hush", "7~refresh", "7~new"))
