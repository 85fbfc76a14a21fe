"""Canvas's OAuth2: an access token for a refresh token. ``POST /login/oauth2/token``.

A refresh rewrites Canvas's one row: the access token before dies at that moment, for everybody who holds it, and the
refresh token stays what it is. So whoever shares a refresh token must agree on who uses it; that is not for this module.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from canvas_exports.core.canvas.http.bounded_values import bounded_float, parse_json
from canvas_exports.core.canvas.http.messages import Failure, PreparedRequest, Request, Response, Result
from canvas_exports.core.canvas.http.origin import Origin
from canvas_exports.core.canvas.http.responses import error_of_failure, is_throttled, read_json, with_request
from canvas_exports.core.canvas.http.session import USER_AGENT
from canvas_exports.core.canvas.http.token_source import is_sendable
from canvas_exports.core.text.log_redaction import mask_secrets
from canvas_exports.errors import (
    CanvasError,
    CanvasUnavailableError,
    CredentialError,
    UnexpectedAnswerError,
)

_PATH = "/login/oauth2/token"
_CODE = re.compile(r"[a-z_]{1,40}")
_LONGEST_LIFE = 366 * 86400.0  # seconds
_BAD_REQUEST, _UNAUTHORIZED = 400, 401
_ADVICE = {
    "invalid_client": (
        "Canvas does not know this developer key, or its secret is another: check client_id and client_secret of the "
        "connection, and that the key is switched on in Canvas"
    ),
    "invalid_request": "Canvas no longer knows the refresh token: somebody has revoked it; obtain a new one",
    "invalid_grant": "Canvas says that the refresh token is another developer key's: check client_id, or obtain a new one",
}


@dataclass(frozen=True)
class RefreshGrant:
    """What a refresh needs.

    Attributes:
        client_id: number of the developer key.
        client_secret: its secret.
        refresh_token: what Canvas handed out once, when a user allowed the key.
    """

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)

    def __post_init__(self) -> None:
        mask_secrets(self.client_secret, self.refresh_token)


@dataclass(frozen=True)
class AccessToken:
    """What a refresh brings.

    Attributes:
        value: the token.
        lifetime: seconds that it lasts, where Canvas says so.
    """

    value: str = field(repr=False)
    lifetime: float | None = None

    def __post_init__(self) -> None:
        mask_secrets(self.value)


def refresh(grant: RefreshGrant, origin: Origin, send: Callable[[PreparedRequest], Result]) -> AccessToken:
    """Ask for a new access token, once. ``POST /login/oauth2/token`` with ``grant_type=refresh_token``.

    Asking again is always safe: each refresh takes the place of the one before, whether its answer arrived or not. It
    carries no token, so it does not touch the token's rate budget.

    Raises:
        CredentialError: the developer key or the refresh token is not good, and what to do about it (permanent).
        CanvasUnavailableError: no answer, a server error, or too many requests from this address (retryable).
        UnexpectedAnswerError: not an answer of Canvas's (retryable).
    """
    form = urlencode(
        {
            "grant_type": "refresh_token",
            "client_id": grant.client_id,
            "client_secret": grant.client_secret,
            "refresh_token": grant.refresh_token,
        }
    )
    request = Request("POST", _PATH, form=form)
    headers = {
        "User-Agent": USER_AGENT,
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    result = send(PreparedRequest(request.method, f"{origin}{request.target}", headers, form.encode()))
    if isinstance(result, Failure):
        raise with_request(error_of_failure(result, origin.host), request)
    error = _error(result)
    if error is not None:
        raise with_request(error, request, result)
    return _read(read_json(result, request), request, result)


def _error(response: Response) -> CanvasError | None:
    if is_throttled(response):
        return CanvasUnavailableError("Canvas is asked for access tokens too often from this address")
    if response.status not in (_BAD_REQUEST, _UNAUTHORIZED):
        return None
    found = parse_json(response.body)
    code = found[0].get("error") if found and isinstance(found[0], dict) else None
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        return None
    return CredentialError(
        _ADVICE.get(code, f"Canvas grants no access token ({code}); obtain a new refresh token")
    )


def _read(said: Any, request: Request, response: Response) -> AccessToken:
    found = said if isinstance(said, dict) else {}
    value = found.get("access_token")
    if not isinstance(value, str) or not is_sendable(value):
        raise with_request(UnexpectedAnswerError("an answer without an access token"), request, response)
    lifetime = bounded_float(found.get("expires_in"), least=0, most=_LONGEST_LIFE)
    return AccessToken(value, lifetime or None)
