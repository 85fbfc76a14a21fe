"""Read the digest that an archive's connection requires."""

from __future__ import annotations

from typing import Any

from canvas_exports.core.packages.digests import SHA256
from canvas_exports.errors import InputError

#: The extra of the connection.
DIGEST = "digest"


def read_required_digest(value: Any, *, connection: str) -> str | None:
    """Return the only algorithm by which packages may be digested; ``None`` if the connection leaves the choice.

    Args:
        value: of the extra; ``None`` if the connection has none.
        connection: its id, for the message.

    Raises:
        InputError: it is another value.
    """
    if value is None:
        return None
    if value != SHA256:
        raise InputError(
            f"connection {connection}, extra {DIGEST}",
            f"{value!r} is not a digest that can be required",
            accepted=f"{SHA256}, or nothing",
        )
    return SHA256
