"""Leave out copies and records that are dated in the future: they must not decide which copy is the newest, or its age."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from canvas_exports.core.archive.catalog.copies import INTACT, PASSED, Copy
from canvas_exports.core.archive.catalog.read import Holding, UnreadableDocument
from canvas_exports.core.archive.records import RecordKind
from canvas_exports.core.text.wording import format_time

#: How far the clocks of Canvas and of workers may be ahead of ours.
CLOCK_TOLERANCE = timedelta(days=1)


def is_in_future(moment: datetime, now: datetime) -> bool:
    """Return whether a moment is more than ``CLOCK_TOLERANCE`` after now."""
    return moment > now + CLOCK_TOLERANCE


def without_future_dates(holding: Holding, *, now: datetime) -> Holding:
    """Return the copies of a context without those that are dated more than ``CLOCK_TOLERANCE`` after now.

    A copy that was created or stored in the future counts as unreadable: which copy is the newest is then unknown. A
    verification or drill in the future is left out if it succeeded. Failed ones, and holds, always count.
    """
    late = [copy for copy in holding.copies if is_in_future(max(copy.created_at, copy.stored_at), now)]
    if not late and not any(
        is_in_future(record.at, now) for copy in holding.copies for record in copy.records
    ):
        return holding
    return replace(
        holding,
        copies=tuple(_without_future_records(copy, now) for copy in holding.copies if copy not in late),
        unreadable=(*holding.unreadable, *(UnreadableDocument(copy.key, _problem(copy)) for copy in late)),
    )


def _problem(copy: Copy) -> str:
    return f"it is dated {format_time(max(copy.created_at, copy.stored_at))}, which is in the future"


def _without_future_records(copy: Copy, now: datetime) -> Copy:
    records = tuple(
        record
        for record in copy.records
        if record.kind is RecordKind.HOLD
        or not is_in_future(record.at, now)
        or record.result not in (INTACT, PASSED)
    )
    return copy if len(records) == len(copy.records) else replace(copy, records=records)
