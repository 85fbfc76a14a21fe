"""The keys of objects: which are legal on every store."""

from __future__ import annotations

import re

_MAX_SEGMENT = 190  # most file systems allow 255 bytes; a suffix and a temporary name need some of them


_ROOM_FOR_SUFFIX = 50  # of the longest record; see ``records``


_MAX_KEY = 900  # S3 and GCS allow 1024 bytes, the root's path included


def check_key(key: str) -> str:
    """The key itself, if it is one: safe characters, no empty, dot or dot-dot segment, of bounded length.

    Raises:
        ValueError: it is not; a mistake of the program, never of a person.
    """
    segments = key.split("/")
    if (
        len(key) > _MAX_KEY
        or not re.fullmatch(r"[A-Za-z0-9._=/-]+", key)
        or any(
            segment in ("", ".", "..") or len(segment) > _MAX_SEGMENT + _ROOM_FOR_SUFFIX
            for segment in segments
        )
    ):
        raise ValueError(f"not a key: {key[:100]!r}")
    return key


def is_key(text: str) -> bool:
    """Whether it can be a key: what somebody else has put there may be called anything."""
    try:
        check_key(text)
    except ValueError:
        return False
    return True
