"""Times, sizes and numbers as text: for people, and the one form of a time in documents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

#: The years that a document may name. Time zones and sums of others could overflow.
YEARS = range(1970, 3000)

_TIME = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_THOUSAND, _NEXT_UNIT, _THREE_DIGITS = 1000, 999.5, 99.95

GB = 10**9


def format_time(moment: datetime) -> str:
    """Return a moment as documents state it: ``2026-11-23T02:00:00Z``."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    """Read a moment that ``format_time`` wrote.

    Raises:
        ValueError: there is no such moment, or its year is not one of ``YEARS``.
    """
    if not _TIME.fullmatch(text):
        raise ValueError("not a time")
    moment = datetime.fromisoformat(text[:-1]).replace(tzinfo=timezone.utc)
    if moment.year not in YEARS:
        raise ValueError("a year out of range")
    return moment


def format_size(size: float) -> str:
    """Return bytes with about three digits, in decimal units: ``1.3 MB``."""
    units = iter(("B", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while size >= _NEXT_UNIT and unit != "TB":
        size, unit = size / _THOUSAND, next(units)
    return f"{size:.0f} {unit}" if unit == "B" or size >= _THREE_DIGITS else f"{size:.1f} {unit}"


def format_moment(at: datetime | None, zone: str = "UTC") -> str:
    """Return ``2026-11-23 02:00 UTC`` or ``2026-11-22 20:00 CST (America/Chicago)``; a dash for ``None``.

    Args:
        at: the moment.
        zone: IANA name of a time zone; UTC is used in place of an unknown one.
    """
    if at is None:
        return "-"
    local, known = _local(at, zone)
    named = local.tzname()
    return f"{local:%Y-%m-%d %H:%M} {named}" + ("" if named == known else f" ({known})")


def format_day(at: datetime, zone: str = "UTC") -> str:
    """Return the date in a time zone: ``2026-11-23``."""
    return f"{_local(at, zone)[0]:%Y-%m-%d}"


def _local(at: datetime, zone: str) -> tuple[datetime, str]:
    try:
        return at.astimezone(ZoneInfo(zone)), zone
    except (KeyError, ValueError, OSError):  # not found; no name; a folder of names
        return at.astimezone(timezone.utc), "UTC"


def format_duration(span: timedelta) -> str:
    """Return ``45 s``, ``12 min``, ``3 h 20 min`` or ``2 days``: two units at most."""
    seconds = max(0, round(span.total_seconds()))
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < _DAY:
        hours, minutes = seconds // _HOUR, seconds % _HOUR // _MINUTE
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return format_count(seconds // _DAY, "day")


def format_length(length: timedelta) -> str:
    """Return a length of time as a person would state it: ``2 days``, ``36 hours``, ``90 minutes``."""
    seconds = round(length.total_seconds())
    for unit, noun in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds and not seconds % unit:
            return format_count(seconds // unit, noun)
    return format_count(seconds, "second")


def format_count(number: int, noun: str) -> str:
    """Return ``1 course`` or ``2,000 courses``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def join_words(parts: Sequence[str]) -> str:
    """Return ``a``, ``a and b`` or ``a, b and c``."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)
