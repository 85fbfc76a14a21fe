"""The temporary names under which files are written before they get their final name."""

from __future__ import annotations

import re
import secrets

# No key is mistaken for one: its last segment would have to start with a dot, and only a probe's does.
_TEMPORARY = re.compile(r"(?P<folder>(?:[^/]+/)*)\.(?P<name>[^/]+)\.[0-9a-f]{8}\.part")


def temporary_name(name: str) -> str:
    """Return a temporary name for a file; another one at each call."""
    return f".{name}.{secrets.token_hex(4)}.part"


def final_name(key: str) -> str | None:
    """Return the key that a temporary file was to become; ``None`` if the key is no temporary name."""
    found = _TEMPORARY.fullmatch(key)
    return None if found is None else found["folder"] + found["name"]
