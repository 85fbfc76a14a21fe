"""Get a new access token for a refresh token by OAuth 2. ``POST /login/oauth2/token``.

A refresh replaces the access token: Canvas rejects the one before at once, for all that use it. The refresh token stays the
same. So programs that share a refresh token must agree on which of them uses it; this module does not coordinate them.
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
    UnexpectedResponseError,
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
    "invalid_request": "Canvas no longer knows the refresh token: it was revoked; obtain a new one",
    "invalid_grant": "Canvas says that the refresh token is another developer key's: check client_id, or obtain a new one",
}


@dataclass(frozen=True)
class RefreshGrant:
    """The credentials of a refresh.

    Attributes:
        client_id: number of the developer key.
        client_secret: secret of the developer key.
        refresh_token: issued by Canvas once, when a user authorised the key.
    """

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)

    def __post_init__(self) -> None:
        mask_secrets(self.client_secret, self.refresh_token)


@dataclass(frozen=True)
class AccessToken:
    """A new access token.

    Attributes:
        value: the token.
        lifetime: seconds until it expires, where Canvas says so.
    """

    value: str = field(repr=False)
    lifetime: float | None = None

    def __post_init__(self) -> None:
        mask_secrets(self.value)


def refresh(grant: RefreshGrant, origin: Origin, send: Callable[[PreparedRequest], Result]) -> AccessToken:
    """Get a new access token, with one request. ``POST /login/oauth2/token`` with ``grant_type=refresh_token``.

    Repeating a refresh is always safe: each one replaces the one before, whether its response arrived or not. The request
    carries no token, so it does not count against the token's rate limit.

    Raises:
        CredentialError: the developer key or the refresh token is not valid; the message says what to do (permanent).
        CanvasUnavailableError: no response, a server error, or too many requests from this address (retryable).
        UnexpectedResponseError: not a response of Canvas (retryable).
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


def _read(document: Any, request: Request, response: Response) -> AccessToken:
    found = document if isinstance(document, dict) else {}
    value = found.get("access_token")
    if not isinstance(value, str) or not is_sendable(value):
        raise with_request(UnexpectedResponseError("a response without an access token"), request, response)
    lifetime = bounded_float(found.get("expires_in"), least=0, most=_LONGEST_LIFE)
    return AccessToken(value, lifetime or None)
