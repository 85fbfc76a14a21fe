"""Developer keys, and what users have allowed them: codes, refresh tokens and the access tokens of the moment."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from canvas_sandbox.campus import DeveloperKey, User

_CODE_LIFETIME = 600.0  # seconds


@dataclass
class Token:
    """An access token. ``problem`` is ``None`` while it works, else ``revoked`` or ``expired``.

    ``expires_at`` is when it stops by itself, in seconds since the epoch.
    """

    value: str
    user: User
    problem: str | None = None
    expires_at: float | None = None


@dataclass
class Grant:
    """Canvas's one row for a user and a key: its refresh token stays, each refresh writes over its access token."""

    key: DeveloperKey
    user: User
    refresh_token: str
    token: Token
    refreshes: int = 0


@dataclass(frozen=True)
class Code:
    """What a user who allows a key sends it with, good for ten minutes and one exchange."""

    key: DeveloperKey
    user: User
    issued_at: float

    def is_good(self, now: float) -> bool:
        """Whether it may still be exchanged."""
        return now < self.issued_at + _CODE_LIFETIME


@dataclass
class Grants:
    """All of them. Every secret follows from the seed and the order of what happens, so that it can happen again."""

    seed: int
    tokens: dict[str, Token]
    """All access tokens by value, also those that no key issued."""
    keys: dict[str, DeveloperKey] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    by_refresh_token: dict[str, Grant] = field(default_factory=dict)
    _issued: int = 0

    def add_keys(self, keys: Iterable[DeveloperKey]) -> None:
        """Developer keys, by the ``client_id`` they are called with."""
        self.keys |= {str(key.id): key for key in keys}

    def authorize(self, key: DeveloperKey, user: User, now: float) -> str:
        """The user allows the key: a code."""
        code = self._secret("code")
        self.codes[code] = Code(key, user, now)
        return code

    def exchange(self, code: str, now: float) -> Grant:
        """A grant for a code, which is used up."""
        used = self.codes.pop(code)
        token = self._token(used.key, used.user, now)
        grant = Grant(used.key, used.user, self._secret("refresh"), token)
        self.by_refresh_token[grant.refresh_token] = grant
        return grant

    def refresh(self, refresh_token: str, now: float) -> Grant:
        """Another access token; the one before is forgotten at once."""
        grant = self.by_refresh_token[refresh_token]
        del self.tokens[grant.token.value]
        grant.token = self._token(grant.key, grant.user, now)
        grant.refreshes += 1
        return grant

    def revoke(self, token: Token) -> None:
        """An access token and its refresh token no longer work."""
        token.problem = "revoked"

    def find(self, refresh_token: str) -> Grant | None:
        """The grant of a refresh token that works."""
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
