"""Read durations from YAML, forms and arguments."""

from __future__ import annotations

from datetime import timedelta

import pendulum

from canvas_exports.errors import InputError

Duration = timedelta | str
MIN_WAIT = 10.0  # seconds of a deferral; Airflow can fail a task that is back before its scheduler has noticed that it left


def read_duration(value: Duration, *, field: str) -> timedelta:
    """Return a timedelta, from a timedelta or from ISO 8601 such as ``PT12H``.

    Raises:
        InputError: neither.
    """
    if isinstance(value, timedelta):
        return value
    try:
        parsed = pendulum.parse(str(value).strip())
    except (ValueError, OverflowError):
        parsed = None
    if not isinstance(parsed, pendulum.Duration):
        raise InputError(field, f"{value!r} is not a length of time", accepted="ISO 8601: PT12H, PT90M, P1D")
    return timedelta(seconds=parsed.total_seconds())


def write_duration(length: timedelta) -> str:
    """Return a length of time of whole seconds in ISO 8601, as ``read_duration`` reads it: ``P2D``, ``PT36H``, ``PT90M``."""
    seconds = int(length.total_seconds())
    for unit, suffix in ((86_400, "D"), (3600, "H"), (60, "M")):
        if seconds and not seconds % unit:
            return f"P{'' if suffix == 'D' else 'T'}{seconds // unit}{suffix}"
    return f"PT{seconds}S"
