"""Times and numbers as a person says them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from canvas_exports.foreign_text import harmless

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def moment(at: datetime | None, zone: str = "UTC") -> str:
    """``2026-11-23 02:00 UTC``, ``2026-11-22 20:00 CST (America/Chicago)``; a dash where there is none.

    Args:
        at: the moment.
        zone: the IANA name of a time zone; UTC in place of one that nobody knows.
    """
    if at is None:
        return "-"
    local, known = _local(at, zone)
    named = local.tzname()
    return f"{local:%Y-%m-%d %H:%M} {named}" + ("" if named == known else f" ({known})")


def day(at: datetime, zone: str = "UTC") -> str:
    """``2026-11-23``, as it was in a zone at that moment."""
    return f"{_local(at, zone)[0]:%Y-%m-%d}"


def _local(at: datetime, zone: str) -> tuple[datetime, str]:
    """The moment in a zone, and the zone's name."""
    try:
        return at.astimezone(ZoneInfo(zone)), zone
    except (KeyError, ValueError, OSError):  # not found; no name; a folder of names
        return at.astimezone(timezone.utc), "UTC"


def length(span: timedelta) -> str:
    """``45 s``, ``12 min``, ``3 h 20 min``, ``2 days``: two units at most."""
    seconds = max(0, round(span.total_seconds()))
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < _DAY:
        hours, minutes = seconds // _HOUR, seconds % _HOUR // _MINUTE
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return some(seconds // _DAY, "day")


def some(number: int, noun: str) -> str:
    """``1 course``, ``2,000 courses``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def clipped(text: str, most: int) -> str:
    """A text from outside in one harmless line of at most so many characters; markup is escaped by the templates."""
    return harmless(text, most=most)
