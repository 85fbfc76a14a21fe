"""Where the access token of a request comes from: a plain one that a person made, or one that has to be renewed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from canvas_exports.core.text.log_redaction import mask_secrets
from canvas_exports.errors import InputError

_LONGEST = 4096  # characters; Canvas's have some 70


class TokenSource(Protocol):
    """What a client asks for the token, before each request and after one that was refused.

    Threads and event loops may share one. ``repr`` shows no token.
    """

    @property
    def identity(self) -> str:
        """What stays the same while tokens come and go; the rate budget is shared by it. Secret."""

    def current(self) -> str | None:
        """The token to send now, without I/O or waiting; ``None`` where there is none, or it is about to expire."""

    def renew(self, rejected: str | None) -> None:
        """See to it that ``current`` is another token than the one that Canvas rejected. Blocks.

        Where nothing can be done, ``current`` stays what it is: Canvas's answer is final then.

        Args:
            rejected: the token that was sent; ``None`` where there was none to send.

        Raises:
            CredentialError: no token can be had until a person does something (permanent).
            CanvasUnavailableError: not now (retryable).
        """

    async def arenew(self, rejected: str | None) -> None:
        """The same, without holding up the event loop."""


@dataclass(frozen=True)
class StaticToken:
    """An access token that somebody made in Canvas. It lasts until its end date, and nothing renews it.

    Raises:
        InputError: it is empty, or cannot be sent. Never shows the token.
    """

    identity: str = field(repr=False)

    def __post_init__(self) -> None:
        if not is_sendable(self.identity):
            raise InputError("token", "is empty, or holds characters that no token of Canvas has")
        mask_secrets(self.identity)

    def current(self) -> str:
        """The token."""
        return self.identity

    def renew(self, rejected: str | None) -> None:
        """Nothing can be done."""

    async def arenew(self, rejected: str | None) -> None:
        """Nothing can be done."""


def is_sendable(token: str) -> bool:
    """Whether this can stand in a header: some printable ASCII without a space, and not longer than a header may be."""
    return 0 < len(token) <= _LONGEST and token.isascii() and token.isprintable() and " " not in token
