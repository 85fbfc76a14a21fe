"""The temporary names under which files are written before they get their own."""

from __future__ import annotations

import re
import secrets

# No key is taken for one: its last segment would have to start with a dot, and only the probe's does.
_PART = re.compile(r"(?P<folder>(?:[^/]+/)*)\.(?P<name>[^/]+)\.[0-9a-f]{8}\.part")


def part_name(name: str) -> str:
    """A temporary name for a file's name, another one at each call."""
    return f".{name}.{secrets.token_hex(4)}.part"


def whole_name(key: str) -> str | None:
    """The key that a temporary file was to become; ``None`` if it is none of ours."""
    found = _PART.fullmatch(key)
    return None if found is None else found["folder"] + found["name"]
