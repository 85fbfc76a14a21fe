"""Read numbers, dates and texts from headers and JSON within bounds; a malformed value raises nothing.

A number out of range is cut to the range where any value will do (a percentage, a number of seconds). It counts as absent where
a wrong one would do harm (an id, a size, a date).
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

LARGEST = 2**63 - 1  # the ids of Canvas's database, and sizes
LONGEST_TEXT = 64 * 1024  # characters of one value: a URL with its signature has a few thousand

_DIGITS = re.compile(r"[0-9]{1,19}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,300}(?:\.[0-9]{0,300})?(?:[eE][+-]?[0-9]{1,3})?")
_ISO = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,20})?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_HTTP_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4} "
    r"[0-9]{2}:[0-9]{2}:[0-9]{2} (?:GMT|UTC|\\+0000)"
)
_EARLIEST, _LATEST = 1990, 2199  # years of plausible dates


def parse_json(body: bytes) -> tuple[Any] | None:
    """Parse the JSON of a body into a one-tuple, so that ``null`` differs from no JSON. ``NaN`` and ``Infinity`` are no JSON."""
    try:
        return (json.loads(body, parse_constant=_refuse),)
    except (ValueError, RecursionError):  # text in no encoding, too deep, or a number of thousands of digits
        return None


def _refuse(name: str) -> None:
    raise ValueError(name)


def bounded_int(value: Any, *, least: int = 0, most: int = LARGEST) -> int | None:
    """Return a whole number, given as such or as digits; ``None`` for anything else, and out of range."""
    if isinstance(value, str):
        value = int(value) if _DIGITS.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if least <= value <= most else None


def bounded_float(value: Any, *, least: float, most: float) -> float | None:
    """Return a finite number, given as such or as a decimal, cut to the range; ``None`` for anything else."""
    if isinstance(value, str):
        value = float(value) if _DECIMAL.fullmatch(value.strip()) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124 -- not NaN
        return None
    return float(min(max(value, least), most))


def bounded_text(value: Any, *, most: int = LONGEST_TEXT) -> str | None:
    """Return a text that is valid UTF-8, with lone surrogates replaced; ``None`` for anything else, and for a longer one."""
    if not isinstance(value, str) or len(value) > most:
        return None
    return value.encode("utf-8", "replace").decode("utf-8")


def cut_text(value: Any, *, most: int = 1024) -> str | None:
    """Return a text for people, cut to a length."""
    return bounded_text(value[:most]) if isinstance(value, str) else None


def parse_iso_time(value: Any) -> datetime | None:
    """Return a time as Canvas writes it, in UTC; ``None`` for anything else, and for an implausible year."""
    found = _ISO.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return None
    second, fraction, zone = found.groups()
    micro = (fraction or ".0")[1:7].ljust(6, "0")
    offset = "+00:00" if zone in (None, "Z") else zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
    try:
        return _plausible(datetime.fromisoformat(f"{second}.{micro}{offset}"))
    except ValueError:
        return None


def iso_text(value: Any) -> str | None:
    """Return a time as the text in which Canvas wrote it; ``None`` as ``parse_iso_time``, and for a time without its zone."""
    found = _ISO.fullmatch(value) if isinstance(value, str) else None
    return value if found and found[3] and parse_iso_time(value) is not None else None


def parse_http_date(value: str) -> datetime | None:
    """Return a time as HTTP writes it, in UTC; ``None`` as ``parse_iso_time``."""
    if not _HTTP_DATE.fullmatch(value):
        return None
    try:
        found = parsedate_to_datetime(value)
    except ValueError:
        return None
    return _plausible(found)


def _plausible(moment: datetime) -> datetime | None:
    return moment.astimezone(timezone.utc) if _EARLIEST <= moment.year <= _LATEST else None
