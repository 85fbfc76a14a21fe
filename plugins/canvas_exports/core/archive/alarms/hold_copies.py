"""Hold the copies from before an alarm, once for each alarm, however often it is found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from canvas_exports.core.archive.alarms.judge_course import CourseAlarm
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.records import RecordKind
from canvas_exports.core.archive.retention.holds import ALARM, put_tag
from canvas_exports.core.model.alarm import Alarm
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveError

#: A loss that no report has told is told, and held, within this time.
LATE = timedelta(days=7)


def is_late(found: CourseAlarm, now: datetime) -> bool:
    """Return whether the copy after an alarm is too old for it to be told."""
    return now - found.after.created_at > LATE


def is_recorded(found: CourseAlarm) -> bool:
    """Return whether a copy from before has a record of the alarm, set or lifted: one that is younger than the copy after."""
    return any(
        record.kind is RecordKind.HOLD and record.detail == ALARM and record.at >= found.after.stored_at
        for copy in found.before
        for record in copy.records
    )


def hold_copies(store: Store, found: Sequence[CourseAlarm], *, at: datetime) -> list[Alarm]:
    """Hold the copies from before each alarm that is not recorded yet, and return all alarms with the held copies as evidence.

    If a record cannot be written, the alarms say so.

    Args:
        store: the archive.
        found: alarms of one context.
        at: the time, with its time zone.
    """
    try:
        record_alarms(store, found, at=at)
    except ArchiveError as error:
        return [_not_held(_with_held(each), error) for each in found]
    return [_with_held(each) for each in found]


def record_alarms(store: Store, found: Iterable[CourseAlarm], *, at: datetime) -> None:
    """Write a record with the tag ``alarm`` beside the manifest of each package from before an alarm that has none.

    Args:
        store: the archive.
        found: alarms of one context.
        at: the time, with its time zone.

    Raises:
        ArchiveDeniedError: no right to write (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    to_hold: dict[str, tuple[Copy, list[Alarm]]] = {}
    for each in found:
        if not is_recorded(each):
            for copy in each.before:
                to_hold.setdefault(copy.package.key, (copy, []))[1].append(_with_held(each))
    for copy, reasons in to_hold.values():
        put_tag(store, [copy], ALARM, at=at, alarms=reasons)


def _with_held(found: CourseAlarm) -> Alarm:
    held = [copy.key for copy in found.before]
    return replace(found.alarm, evidence={**found.alarm.evidence, "held": held})


def _not_held(alarm: Alarm, error: ArchiveError) -> Alarm:
    held = alarm.evidence["held"]
    step = (
        f"Its copies are not held ({error.message}): hold them now (canvas-archive hold COURSE --tag alarm). "
    )
    return replace(
        alarm, next_step=step + alarm.next_step, evidence={**alarm.evidence, "held": [], "not_held": held}
    )
