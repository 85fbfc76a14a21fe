"""Describe a schedule in English, so that nobody has to read cron."""

from __future__ import annotations

_PRESETS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
}
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MINUTES, _HOURS, _MONTH_DAYS = 60, 24, 31


def describe_cron(expression: str) -> str:
    """Return when a cron expression fires: ``every day at 02:00``; the expression itself, if it is not a simple one."""
    fields = _PRESETS.get(expression, expression).split()
    return (len(fields) == len("mhdMD") and _describe(*fields)) or f"at `{expression}`"


def _describe(minute: str, hour: str, month_day: str, month: str, weekday: str) -> str:
    """Return the words for the usual schedules, or an empty text."""
    if not _is_below(minute, _MINUTES):
        return ""
    if (hour, month_day, month, weekday) == ("*", "*", "*", "*"):
        return "every hour" if int(minute) == 0 else f"every hour, at minute {int(minute)}"
    days = _describe_days(month_day, month, weekday)
    return f"{days} at {int(hour):02}:{int(minute):02}" if days and _is_below(hour, _HOURS) else ""


def _describe_days(month_day: str, month: str, weekday: str) -> str:
    if (month_day, month, weekday) == ("*", "*", "*"):
        return "every day"
    if (month_day, month) == ("*", "*"):
        day = _weekday(weekday)
        return f"every {day}" if day else ""
    is_day = _is_below(month_day, _MONTH_DAYS + 1) and int(month_day)
    return f"on day {int(month_day)} of every month" if is_day and (month, weekday) == ("*", "*") else ""


def _is_below(text: str, limit: int) -> bool:
    return text.isascii() and text.isdecimal() and int(text) < limit


def _weekday(text: str) -> str:
    if _is_below(text, len(_DAYS)):
        return _DAYS[int(text)]
    return next((day for day in _DAYS if day[:3].lower() == text.lower()), "")
