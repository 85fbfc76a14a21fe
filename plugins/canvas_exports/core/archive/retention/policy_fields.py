"""Read a retention policy from the fields of ``keep``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from canvas_exports.core.archive.retention.holds import Holds
from canvas_exports.core.archive.retention.policy import COUNTS, Policy
from canvas_exports.core.model.durations import read_duration, write_duration
from canvas_exports.errors import InputError

#: The fields of ``keep``, and of its field ``hold``.
FIELDS = (*COUNTS, "within", "proven", "hold")
HOLD_FIELDS = ("courses", "terms")


def read_keep(keep: Mapping[str, Any], *, timezone: str = "UTC") -> Policy:
    """Read the policy.

    Args:
        keep: ``last``, ``daily``, ``weekly``, ``monthly``, ``yearly`` and ``proven`` are whole numbers, ``within`` is a
            timedelta or ISO 8601 (``P30D``; a month counts 30 days, a year 365), ``hold`` holds lists of ``courses`` (any
            context by number, SIS id or uuid) and ``terms`` (their names). ``None`` counts as absent.
        timezone: time zone in which days begin, by its name in the IANA database.

    Raises:
        InputError: an unknown field, a value of another type, or a policy that ``Policy`` refuses (permanent).
    """
    written = {name: value for name, value in keep.items() if value is not None}
    _refuse_unknown("keep", written, FIELDS)
    hold = written.pop("hold", {})
    if not isinstance(hold, Mapping):
        raise InputError("hold", f"{hold!r} is not a mapping", accepted=HOLD_FIELDS)
    _refuse_unknown("hold", hold, HOLD_FIELDS)
    within = written.pop("within", None)
    for name, number in written.items():
        if not isinstance(number, int) or isinstance(number, bool):
            raise InputError(name, f"{number!r} is not a whole number", accepted="1 or more")
    return Policy(
        **written,
        within=None if within is None else read_duration(within, field="within"),
        holds=Holds.of(**{name: _read_list(name, values) for name, values in hold.items()}),
        timezone=timezone,
    )


def write_keep(policy: Policy) -> dict[str, Any]:
    """Return the fields of ``keep`` from which ``read_keep`` reads the policy, without its time zone, as JSON data."""
    fields: dict[str, Any] = {name: getattr(policy, name) for name in (*COUNTS, "proven")}
    fields["within"] = None if policy.within is None else write_duration(policy.within)
    hold = {"courses": [str(context) for context in policy.holds.contexts], "terms": list(policy.holds.terms)}
    fields["hold"] = {name: values for name, values in hold.items() if values} or None
    return {name: value for name, value in fields.items() if value is not None}


def _refuse_unknown(field: str, written: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in written:
        if name not in known:
            raise InputError(f"{field}.{name}", "there is no such field", accepted=known)


def _read_list(name: str, values: Any) -> list[Any]:
    if isinstance(values, (str, int)) or values is None:
        raise InputError(f"hold.{name}", f"{values!r} is not a list", accepted="a list such as [101]")
    return list(values)
