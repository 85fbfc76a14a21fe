"""The keys of objects that are legal on every store."""

from __future__ import annotations

import re

MAX_SEGMENT = 190  # most file systems allow 255 bytes; a suffix and a temporary name need some of them
_MAX_SUFFIX = 50  # of the longest record; see ``records``
_MAX_KEY = 900  # S3 and GCS allow 1024 bytes, the root's path included


def check_key(key: str) -> str:
    """Return the key if it is legal: safe characters, no empty, dot or dot-dot segment, bounded length.

    Raises:
        ValueError: it is not; a mistake of the program, never of a person.
    """
    segments = key.split("/")
    if (
        len(key) > _MAX_KEY
        or not re.fullmatch(r"[A-Za-z0-9._=/-]+", key)
        or any(segment in ("", ".", "..") or len(segment) > MAX_SEGMENT + _MAX_SUFFIX for segment in segments)
    ):
        raise ValueError(f"not a key: {key[:100]!r}")
    return key


def is_key(text: str) -> bool:
    """Return whether a name can be a key. Objects of other programs may have any name."""
    try:
        check_key(text)
    except ValueError:
        return False
    return True
