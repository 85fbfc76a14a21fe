"""What obstore does not ask Google Cloud Storage: tokens for our own requests, and locks."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from canvas_exports.core.storage.cloud.locks import HELD, Locks, expect, latest, moment, written
from canvas_exports.core.storage.cloud.signed_requests import Request, Rest
from canvas_exports.core.storage.options import LockMode, StoreOptions
from canvas_exports.errors import ArchiveDeniedError, ArchiveUnavailableError

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_LIFETIME = 3600
_ADVICE = "switch on object retention when the bucket is made"

TokenProvider = Callable[[], str]


def token_provider(options: StoreOptions) -> TokenProvider | None:
    """Who gives tokens: the service account's key, or Google's library where it is installed; ``None``: nobody."""
    text = options.service_account
    if text is None and options.key_file:
        text = Path(options.key_file).read_text()
    if text is not None:
        account: dict[str, Any] = json.loads(text)
        return None if account.get("disable_oauth") else lambda: _own_token(account)
    return _GoogleTokens() if find_spec("google") and find_spec("google.auth") else None


def _own_token(account: Mapping[str, Any]) -> str:
    """A token that the account signs for itself, as obstore's are."""
    import jwt  # noqa: PLC0415 - only for who opens such a store

    now = int(time.time())
    claims = {
        "iss": account["client_email"],
        "sub": account["client_email"],
        "scope": _SCOPE,
        "iat": now,
        "exp": now + _LIFETIME,
    }
    return jwt.encode(
        claims, account["private_key"], algorithm="RS256", headers={"kid": account["private_key_id"]}
    )


class _GoogleTokens:
    """Application default credentials, refreshed when they end. Used by several threads at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: Any = None

    def __call__(self) -> str:
        import google.auth  # noqa: PLC0415 - optional
        import google.auth.exceptions  # noqa: PLC0415 - as above
        from google.auth.transport.requests import Request as Transport  # noqa: PLC0415 - as above

        try:
            with self._lock:
                if self._found is None:
                    self._found, _ = google.auth.default(scopes=[_SCOPE])
                if not self._found.valid:
                    self._found.refresh(Transport())
                return str(self._found.token)
        except google.auth.exceptions.DefaultCredentialsError:
            raise ArchiveDeniedError(
                "no Google credentials; name a connection that has them, or log in to gcloud"
            ) from None
        except google.auth.exceptions.GoogleAuthError as error:
            raise ArchiveUnavailableError(
                f"Google gives no token at present: {type(error).__name__}"
            ) from None


class GcsRest(Rest):
    """Requests to Google Cloud Storage, with a bearer token.

    Args:
        endpoint: URL of the server.
        bucket: its name.
        tokens: asked at each request; ``None`` where only obstore can get one.
        verify: as in ``StoreOptions``.
        retries: likewise.
    """

    def __init__(
        self,
        endpoint: str,
        bucket: str,
        tokens: TokenProvider | None,
        verify: bool | str = True,
        retries: int = 0,
    ) -> None:
        super().__init__(endpoint, bucket, verify, retries)
        self._tokens = tokens

    def sign(self, request: Request) -> tuple[Mapping[str, str], str]:
        """A token."""
        if self._tokens is None:
            raise ArchiveDeniedError(f"no token to ask {self.place} with; install google-auth")
        return {**request.headers, "authorization": f"Bearer {self._tokens()}"}, request.line


class GcsLocks(Locks):
    """Object retention and holds. Rests on ``GET`` and ``PATCH /storage/v1/b/<bucket>/o/<object>``.

    Args:
        rest: where to ask.
        bucket: its name.
        path: of the archive's root in it.
    """

    def __init__(self, rest: Rest, bucket: str, path: str) -> None:
        self._rest = rest
        self._bucket = f"/storage/v1/b/{bucket}"
        self._root = f"{path}/" if path else ""

    def retain(self, key: str, mode: LockMode, until: datetime) -> None:
        """Google's ``Unlocked`` is ``governance``, its ``Locked`` is ``compliance``."""
        name = "Locked" if mode == "compliance" else "Unlocked"
        self._patch(key, {"retention": {"mode": name, "retainUntilTime": written(until)}})

    def hold(self, key: str) -> None:
        """A temporary hold."""
        self._patch(key, {"temporaryHold": True})

    def until(self, key: str) -> datetime | None:
        """Retention of the object or by the bucket's policy, and both kinds of hold."""
        answer = self._rest.send("GET", self._path(key), action="look up locks")
        if not answer.ok:
            return None
        told: dict[str, Any] = answer.json()
        held = told.get("temporaryHold") or told.get("eventBasedHold")
        retention = told.get("retention") or {}
        return latest(
            HELD if held else None,
            moment(retention.get("retainUntilTime")),
            moment(told.get("retentionExpirationTime")),
        )

    def check(self) -> None:
        """The bucket's metadata."""
        answer = self._rest.send("GET", self._bucket, action="see whether it locks")
        if not answer.ok or (answer.json().get("objectRetention") or {}).get("mode") != "Enabled":
            raise ArchiveDeniedError(f"{self._rest.place} cannot lock objects; {_ADVICE}")

    def _patch(self, key: str, change: dict[str, Any]) -> None:
        answer = self._rest.send(
            "PATCH",
            self._path(key),
            headers={"content-type": "application/json"},
            body=json.dumps(change).encode(),
            action="lock objects",
        )
        expect(answer, key, _ADVICE)

    def _path(self, key: str) -> str:
        return f"{self._bucket}/o/{f'{self._root}{key}'.replace('/', '%2F')}"
