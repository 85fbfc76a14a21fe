"""Hold the copies from before an alarm, once for each alarm, however often it is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from canvas_exports.core.archive.alarms.judge_course import CourseAlarm
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.records import RecordKind
from canvas_exports.core.archive.retention.holds import ALARM, SET, put_tag, tags_on
from canvas_exports.core.model.alarm import Alarm
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveError

#: A loss that no report has told is told, and held, within this time: by the next run of a weekly backup, too.
LATE = timedelta(days=8)
#: Before a copy there were others, now deleted, if there is none for so long, and for so many times the time between later ones.
_GAP, _TIMES = timedelta(days=2), 3


def is_late(found: CourseAlarm, now: datetime) -> bool:
    """Return whether the copy after an alarm is too old for it to be told."""
    return now - found.after.created_at > LATE


def is_missed(found: CourseAlarm, copies: Sequence[Copy], now: datetime) -> bool:
    """Return whether an alarm of the last days has no record, although its night was judged by no report.

    Where retention has deleted copies, the ones that are left differ by more than a night: that is no alarm, because the report
    of the night had the copy before. The newest copy is always judged.

    Args:
        found: the alarm.
        copies: of its context, oldest first.
        now: the time.
    """
    return not (is_late(found, now) or is_recorded(found) or _is_after_deleted_copies(found.after, copies))


def is_recorded(found: CourseAlarm) -> bool:
    """Return whether each copy from before has a record that set the hold for the alarm, or one has, and was released since."""
    recorded = [copy for copy in found.before if _has_record(copy, found.after)]
    return len(recorded) == len(found.before) or any(ALARM not in tags_on(copy.records) for copy in recorded)


def _has_record(copy: Copy, after: Copy) -> bool:
    """Return whether a record set the hold since the copy after was stored: earlier ones are of earlier alarms.

    That a hold was lifted says nothing: that may have been the hold of an earlier alarm, too.
    """
    return any(
        record.kind is RecordKind.HOLD
        and (record.detail, record.result) == (ALARM, SET)
        and record.at >= after.stored_at
        for record in copy.records
    )


def _is_after_deleted_copies(after: Copy, copies: Sequence[Copy]) -> bool:
    times = [
        copy.created_at for copy in copies if copy.export.type == after.export.type and not copy.is_selection
    ]
    at = times.index(after.created_at)
    if not 0 < at < len(times) - 1:
        return False
    how_often = min(later - earlier for earlier, later in pairwise(times[at:]))
    return times[at] - times[at - 1] > max(_GAP, _TIMES * how_often)


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


def record_alarms(store: Store, found: Sequence[CourseAlarm], *, at: datetime) -> None:
    """Write a record with the tag ``alarm`` beside the manifest of each package from before an alarm that has none.

    A record is never older than the copy after, whose worker's clock may be ahead: see ``is_recorded``.

    Args:
        store: the archive.
        found: alarms of one context.
        at: the time, with its time zone.

    Raises:
        ArchiveDeniedError: no right to write (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    to_hold: dict[str, tuple[Copy, list[Alarm]]] = {}
    moment = max([at, *(each.after.stored_at for each in found)])
    for each in found:
        if not is_recorded(each):
            for copy in (copy for copy in each.before if not _has_record(copy, each.after)):
                to_hold.setdefault(copy.package.key, (copy, []))[1].append(_with_held(each))
    for copy, reasons in to_hold.values():
        put_tag(store, [copy], ALARM, at=moment, alarms=reasons)


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
