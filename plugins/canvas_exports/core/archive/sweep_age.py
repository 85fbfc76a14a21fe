"""How old the leftovers of killed runs have to be before a sweep removes them."""

from __future__ import annotations

from datetime import timedelta

from canvas_exports.core.model.durations import Duration, read_duration
from canvas_exports.errors import InputError

GRACE = timedelta(days=2)
SHORTEST_GRACE = timedelta(days=1)  # longer than the transfer of any package


def read_grace(value: Duration | None, *, field: str = "sweep_after") -> timedelta | None:
    """Read the age from which leftovers are swept: a length of time, or ``None`` for ``never``.

    Raises:
        InputError: neither, or so short that a transfer could still be in progress.
    """
    if value is None or (isinstance(value, str) and value.strip().lower() == "never"):
        return None
    grace = read_duration(value, field=field)
    if grace < SHORTEST_GRACE:
        raise InputError(field, f"{value} is too short", accepted="P1D or longer, or never")
    return grace
