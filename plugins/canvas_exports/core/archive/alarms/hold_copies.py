"""Hold the copies from before an alarm, once for each alarm, however often it is found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from canvas_exports.core.archive.alarms.judge_course import CourseAlarm
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.records import RecordKind
from canvas_exports.core.archive.retention.holds import ALARM, put_tag
from canvas_exports.core.model.alarm import Alarm
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveError


def is_recorded(found: CourseAlarm) -> bool:
    """Return whether a copy from before has a record of the alarm, set or lifted: one that is younger than the copy after."""
    return any(
        record.kind is RecordKind.HOLD and record.detail == ALARM and record.at >= found.after.stored_at
        for copy in found.before
        for record in copy.records
    )


def hold_copies(store: Store, found: Iterable[CourseAlarm], *, at: datetime) -> list[Alarm]:
    """Hold the copies from before each alarm that is not recorded yet, and return all alarms with the held copies as evidence.

    Writes a record with the tag ``alarm`` beside the manifest of each package. If that fails, the alarm says so.

    Args:
        store: the archive.
        found: alarms of one context.
        at: the time, with its time zone.
    """
    alarms = []
    to_hold: dict[str, tuple[Copy, list[Alarm]]] = {}
    for each in found:
        held = [copy.key for copy in each.before]
        alarm = replace(each.alarm, evidence={**each.alarm.evidence, "held": held})
        alarms.append(alarm)
        if not is_recorded(each):
            for copy in each.before:
                to_hold.setdefault(copy.package.key, (copy, []))[1].append(alarm)
    try:
        for copy, reasons in to_hold.values():
            put_tag(store, [copy], ALARM, at=at, alarms=reasons)
    except ArchiveError as error:
        return [_not_held(alarm, error) for alarm in alarms]
    return alarms


def _not_held(alarm: Alarm, error: ArchiveError) -> Alarm:
    held = alarm.evidence["held"]
    step = (
        f"Its copies are not held ({error.message}): hold them now (canvas-archive hold COURSE --tag alarm). "
    )
    return replace(
        alarm, next_step=step + alarm.next_step, evidence={**alarm.evidence, "held": [], "not_held": held}
    )
