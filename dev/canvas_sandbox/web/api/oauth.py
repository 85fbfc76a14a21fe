"""OAuth2: ``/login/oauth2/token``."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from canvas_sandbox.campus import DeveloperKey
from canvas_sandbox.changes import apply
from canvas_sandbox.oauth import Grant
from canvas_sandbox.web.http import errors
from canvas_sandbox.web.http.messages import Call, Response
from canvas_sandbox.web.http.router import Router
from canvas_sandbox.world import World

_SHARD = 10_000_000_000_000


class OAuthEndpoints:
    """Exchange codes, refresh and revoke tokens. The page that authorizes a key is not here: see `Sandbox.authorize`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._types: dict[str, Callable[[Call, DeveloperKey], dict[str, Any]]] = {
            "authorization_code": self._exchange,
            "refresh_token": self._refresh,
        }

    def add_to(self, router: Router) -> None:
        """Add the routes."""
        router.add("POST", "/login/oauth2/token", self.issue)
        router.add("DELETE", "/login/oauth2/token", self.revoke)

    def issue(self, call: Call) -> Response:
        """``POST /login/oauth2/token``."""
        kind = call.params.get("grant_type") or ("authorization_code" if call.params.get("code") else "")
        answer = self._types.get(str(kind))
        if answer is None:
            raise errors.oauth(
                "unsupported_grant_type", "The grant_type you requested is not currently supported"
            )
        return Response(
            data=answer(call, self._client(call)),
            headers={"Cache-Control": "no-store", "Pragma": "no-cache"},
        )

    def revoke(self, call: Call) -> Response:
        """``DELETE /login/oauth2/token``: revoke the calling token and its refresh token."""
        if not call.token:
            raise errors.invalid("can't delete OAuth access token when not using an OAuth access token")
        apply(self._world, "revoke_token", call.token)
        return Response(data={})

    def _client(self, call: Call) -> DeveloperKey:
        user, password = _basic(call.headers.get("Authorization", ""))
        key = self._world.grants.keys.get(str(call.params.get("client_id") or user))
        if key is None:
            raise errors.oauth("invalid_client", "unknown client")
        if str(call.params.get("client_secret") or password) != key.secret:
            raise errors.oauth("invalid_client", "invalid client")
        return key

    def _exchange(self, call: Call, key: DeveloperKey) -> dict[str, Any]:
        given = str(call.params.get("code") or "")
        if not given:
            raise errors.oauth("invalid_request", _MISSING.format("code", "authorization_code"))
        code = self._world.grants.codes.get(given)
        if code is None or not code.is_good(call.now):
            raise errors.oauth("invalid_grant", "authorization_code not found")
        if code.key is not key:
            raise errors.oauth("invalid_grant", "incorrect client")
        if call.params.get("redirect_uri", key.redirect_uri) != key.redirect_uri:
            raise errors.oauth("invalid_request", "redirect_uri does not match client settings")
        grant: Grant = apply(self._world, "exchange_code", given)
        return _body(grant) | {"refresh_token": grant.refresh_token}

    def _refresh(self, call: Call, key: DeveloperKey) -> dict[str, Any]:
        given = str(call.params.get("refresh_token") or "")
        if not given:
            raise errors.oauth("invalid_request", _MISSING.format("refresh_token", "refresh_token"))
        grant = self._world.grants.find(given)
        if grant is None:
            raise errors.oauth("invalid_request", "refresh_token not found")
        if grant.key is not key:
            raise errors.oauth("invalid_grant", "incorrect client")
        apply(self._world, "refresh_token", given)
        return _body(grant)


_MISSING = "You must provide the {} parameter when using the {} grant type"


def _body(grant: Grant) -> dict[str, Any]:
    """Return Canvas's response, with ``expires_in`` only if the tokens of the key expire."""
    user = grant.user
    body: dict[str, Any] = {
        "access_token": grant.token.value,
        "token_type": "Bearer",
        "user": {
            "id": user.id,
            "name": user.name,
            "global_id": str(_SHARD + user.id),
            "effective_locale": "en",
        },
        "canvas_region": "us-east-1",
    }
    if grant.key.lifetime is not None:
        body["expires_in"] = int(grant.key.lifetime)
    return body


def _basic(header: str) -> tuple[str, str]:
    """Return user and password of HTTP Basic."""
    kind, _, value = header.partition(" ")
    if kind != "Basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password
