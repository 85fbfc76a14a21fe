"""Times and numbers as a person says them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from canvas_exports.text import harmless

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def moment(at: datetime | None) -> str:
    """``2026-11-23 02:00 UTC``; a dash where there is none."""
    return "-" if at is None else at.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


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
