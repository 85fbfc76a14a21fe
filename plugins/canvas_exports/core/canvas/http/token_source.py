"""Provide the access token of a request: one that a person made in Canvas, or one that is renewed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from canvas_exports.core.text.log_redaction import mask_secrets
from canvas_exports.errors import InputError

_LONGEST = 4096  # characters; Canvas's have some 70


class TokenSource(Protocol):
    """Gives a client the token before each request, and renews it after Canvas rejected it.

    Safe between threads and event loops. ``repr`` shows no token.
    """

    @property
    def identity(self) -> str:
        """Return a secret that stays the same when the token is renewed. Clients with the same one share a rate limiter."""

    def current(self) -> str | None:
        """Return the token to send now, without I/O or waiting; ``None`` where there is none, or it is about to expire."""

    def renew(self, rejected: str | None) -> None:
        """Replace the token that Canvas rejected. Blocks.

        Where it cannot be renewed, ``current`` stays the same, and Canvas's response is final.

        Args:
            rejected: the token that was sent; ``None`` where there was none.

        Raises:
            CredentialError: there is no token until a person provides one (permanent).
            CanvasUnavailableError: the token cannot be renewed now (retryable).
        """

    async def arenew(self, rejected: str | None) -> None:
        """Replace the token, as ``renew``, without blocking the event loop."""


@dataclass(frozen=True)
class StaticToken:
    """An access token that a person made in Canvas. It lasts until its end date, and cannot be renewed.

    Raises:
        InputError: it is empty, or cannot be sent. Never shows the token.
    """

    identity: str = field(repr=False)

    def __post_init__(self) -> None:
        if not is_sendable(self.identity):
            raise InputError("token", "is empty, or holds characters that no token of Canvas has")
        mask_secrets(self.identity)

    def current(self) -> str:
        """Return the token."""
        return self.identity

    def renew(self, rejected: str | None) -> None:
        """Do nothing: the token cannot be renewed."""

    async def arenew(self, rejected: str | None) -> None:
        """Do nothing: the token cannot be renewed."""


def is_sendable(token: str) -> bool:
    """Return whether a token can be sent in a header: printable ASCII without a space, of bounded length."""
    return 0 < len(token) <= _LONGEST and token.isascii() and token.isprintable() and " " not in token
