"""Developer keys and their grants: codes, refresh tokens and access tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from canvas_sandbox.campus import DeveloperKey, User

_CODE_LIFETIME = 600.0  # seconds


@dataclass
class Token:
    """An access token. ``problem`` is ``None`` while it works, else ``revoked`` or ``expired``.

    ``expires_at`` is when it expires, in seconds since the epoch.
    """

    value: str
    user: User
    problem: str | None = None
    expires_at: float | None = None


@dataclass
class Grant:
    """The authorization of a key by a user. The refresh token is permanent; each refresh replaces the access token."""

    key: DeveloperKey
    user: User
    refresh_token: str
    token: Token
    refreshes: int = 0


@dataclass(frozen=True)
class Code:
    """An authorization code, valid for ten minutes and one exchange."""

    key: DeveloperKey
    user: User
    issued_at: float

    def is_good(self, now: float) -> bool:
        """Return whether the code may still be exchanged."""
        return now < self.issued_at + _CODE_LIFETIME


@dataclass
class Grants:
    """All grants. Secrets depend on the seed and the order of events only, so that a replay makes the same ones."""

    seed: int
    tokens: dict[str, Token]
    """All access tokens by value, including those without a developer key."""
    keys: dict[str, DeveloperKey] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    by_refresh_token: dict[str, Grant] = field(default_factory=dict)
    _issued: int = 0

    def add_keys(self, keys: Iterable[DeveloperKey]) -> None:
        """Add developer keys by ``client_id``."""
        self.keys |= {str(key.id): key for key in keys}

    def authorize(self, key: DeveloperKey, user: User, now: float) -> str:
        """Authorize a key for a user and return the code."""
        code = self._secret("code")
        self.codes[code] = Code(key, user, now)
        return code

    def exchange(self, code: str, now: float) -> Grant:
        """Use up a code and return its grant."""
        used = self.codes.pop(code)
        token = self._token(used.key, used.user, now)
        grant = Grant(used.key, used.user, self._secret("refresh"), token)
        self.by_refresh_token[grant.refresh_token] = grant
        return grant

    def refresh(self, refresh_token: str, now: float) -> Grant:
        """Replace the access token of a grant. The old one stops at once."""
        grant = self.by_refresh_token[refresh_token]
        del self.tokens[grant.token.value]
        grant.token = self._token(grant.key, grant.user, now)
        grant.refreshes += 1
        return grant

    def revoke(self, token: Token) -> None:
        """Revoke an access token, and with it its refresh token."""
        token.problem = "revoked"

    def find(self, refresh_token: str) -> Grant | None:
        """Return the grant of a refresh token, or ``None`` if the token does not work."""
        grant = self.by_refresh_token.get(refresh_token)
        return grant if grant is not None and grant.token.problem is None else None

    def _token(self, key: DeveloperKey, user: User, now: float) -> Token:
        expires_at = None if key.lifetime is None else now + key.lifetime
        token = Token(self._secret("access"), user, expires_at=expires_at)
        self.tokens[token.value] = token
        return token

    def _secret(self, kind: str) -> str:
        self._issued += 1
        return "7~" + hashlib.sha256(f"{self.seed}:{kind}:{self._issued}".encode()).hexdigest()
