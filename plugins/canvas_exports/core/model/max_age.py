"""The promise of a backup: how old the newest proven copy of each of its courses may be (its recovery point objective)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from canvas_exports.core.model.durations import Duration, read_duration, write_duration
from canvas_exports.errors import InputError

SHORTEST, LONGEST = timedelta(hours=1), timedelta(days=3660)

_LONGEST_TEXT = 40
_ACCEPTED = "from an hour to ten years, in ISO 8601: P2D, PT36H, P8D"


def read_max_age(value: Duration | None, *, field: str = "max_age") -> timedelta | None:
    """Read the promised age; ``None`` and an empty text promise nothing.

    Raises:
        InputError: it is not a length of time, or none of ``SHORTEST`` to ``LONGEST`` (permanent).
    """
    if value is None or value == "":
        return None
    length = read_duration(value, field=field)
    if not SHORTEST <= length <= LONGEST:
        raise InputError(
            field, f"{write_duration(length)} is no age that can be promised", accepted=_ACCEPTED
        )
    return length


def parse_max_age(value: Any) -> timedelta | None:
    """Return the promise in a document of the archive; ``None`` if there is none that can be read."""
    try:
        return read_max_age(value) if isinstance(value, str) and len(value) <= _LONGEST_TEXT else None
    except InputError:
        return None
