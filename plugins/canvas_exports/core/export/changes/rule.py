"""Decide whether a course is exported tonight, or skipped because nothing has changed since its last export.

A course is skipped only if every condition of ``reason_to_export`` holds. Whatever is missing, unreadable or odd is a reason
to export: one export too many costs a few minutes of Canvas, one too few may cost a course.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from canvas_exports.core.canvas.http.bounded_values import iso_text, parse_iso_time
from canvas_exports.core.model.probes import ProbeFacts

#: How old ``updated_at`` must have been when it was read before the last export: a later edit then has another value.
SETTLED = timedelta(minutes=5)

#: How old tonight's probe may be: a list takes a night, but a run that is cleared or taken up days later is asked about today.
FRESH = timedelta(days=1)

_CLOCK_PRECISION = timedelta(
    seconds=5
)  # Canvas's times are whole seconds, and the clocks of its hosts differ a little


class ExportReason(str, Enum):
    """Why a course is exported: the end of the sentence "exported, because ..."."""

    NO_COPY = "the archive has no proven copy of it"
    OTHER_USER = "another Canvas user made the last copy"
    OTHER_HOST = "the last copy comes from another Canvas"
    OTHER_OPTIONS = "the last copy was exported with other options"
    NEVER_PROBED = "nothing was read of it before its last export"
    NOT_PROBED = "Canvas did not say whether it has changed"
    UPDATED = "it has been updated since its last export"
    NOT_SETTLED = "it was being edited when it was last exported"
    NO_FINGERPRINT = "Canvas did not show its contents"
    FINGERPRINT = "its contents have changed since its last export"
    NEW_QUIZZES = "it holds New Quizzes, or may hold some: their changes cannot be seen"
    ODD_TIMES = "the times of its last export and of what was read of it do not fit together"
    NOT_FRESH = "what was read of it is older than a day"
    LIMIT = "its last export is older than the limit"

    @property
    def is_forced(self) -> bool:
        """Return whether everything else says that the course has not changed. Its new package shows whether that is true."""
        return self is ExportReason.LIMIT


@dataclass(frozen=True)
class LastExport:
    """The newest copy of a course, as far as it matters here.

    Attributes:
        is_proven: whether it is a whole copy of the whole course, as deeply proven as tonight's would be, and its package is
            present and not damaged.
        created_at: when Canvas created the export: the last real one, if that was confirmed since.
        canvas_host: host name of the Canvas.
        user_id: the Canvas user who exported it.
        export_type: its type.
        select: the objects that were selected; ``None`` for the whole course.
        version: the cartridge version that was asked for.
        probe: what was read of the course before.
        confirmed_at: when the copy was last confirmed without an export; ``None`` if it never was.
        new_quizzes: how many New Quizzes were found in the package; ``None`` where its proof does not count them.
    """

    is_proven: bool
    created_at: datetime
    canvas_host: str
    user_id: int | None
    export_type: str
    select: Mapping[str, Any] | None = None
    version: str | None = None
    probe: ProbeFacts | None = None
    confirmed_at: datetime | None = None
    new_quizzes: int | None = None


@dataclass(frozen=True)
class NextExport:
    """The export that would be asked for tonight. ``canvas_host`` is a host name, as manifests state it."""

    canvas_host: str
    user_id: int | None
    export_type: str
    select: Mapping[str, Any] | None = None
    version: str | None = None


def reason_to_export(
    last: LastExport | None,
    tonight: ProbeFacts | None,
    wanted: NextExport,
    *,
    limit: timedelta,
    now: datetime,
) -> ExportReason | None:
    """Return why a course must be exported; ``None`` if it may be skipped, as all of this holds.

    * The last copy is proven, of the whole course, and made by the same Canvas user from the same Canvas with the same options.
    * ``updated_at``, read before that export was asked for, is the same text tonight, and was at least ``SETTLED`` old when
      it was read.
    * The fingerprint is the same, by the same rules.
    * The course holds no New Quizzes: by both probes, and by the counts of the package where these tell.
    * Tonight's probe is at most ``FRESH`` old, and younger than the last export, which is younger than the limit.

    Args:
        last: the newest copy; ``None`` if there is none.
        tonight: what was read of the course tonight.
        wanted: the export that would be asked for.
        limit: the longest time without an export of this course; see ``limits``.
        now: Canvas's time.
    """
    if last is None or not last.is_proven or last.select is not None:
        return ExportReason.NO_COPY
    return (
        _other_request(last, wanted)
        or _difference(last, tonight)
        or _odd_times(last, tonight, now)
        or (ExportReason.NOT_FRESH if tonight is None or now - tonight.read_at > FRESH else None)
        or (ExportReason.LIMIT if now - last.created_at >= limit else None)
    )


def _other_request(last: LastExport, wanted: NextExport) -> ExportReason | None:
    if last.user_id is None or last.user_id != wanted.user_id:
        return ExportReason.OTHER_USER
    if not last.canvas_host or last.canvas_host != wanted.canvas_host:
        return ExportReason.OTHER_HOST
    if wanted.select is not None or (last.export_type, last.version) != (wanted.export_type, wanted.version):
        return ExportReason.OTHER_OPTIONS
    return None


def _difference(last: LastExport, tonight: ProbeFacts | None) -> ExportReason | None:
    before = last.probe
    if before is None or not before.updated_at:
        return ExportReason.NEVER_PROBED
    if tonight is None or not tonight.updated_at:
        return ExportReason.NOT_PROBED
    differences = {
        ExportReason.UPDATED: before.updated_at != tonight.updated_at,
        ExportReason.NOT_SETTLED: not _had_settled(before.updated_at, before.read_at),
        ExportReason.NO_FINGERPRINT: not before.fingerprint or not tonight.fingerprint,
        ExportReason.FINGERPRINT: before.fingerprint != tonight.fingerprint
        or before.fingerprint_version != tonight.fingerprint_version,
        ExportReason.NEW_QUIZZES: before.new_quizzes is not False
        or tonight.new_quizzes is not False
        or bool(last.new_quizzes),
    }
    return next((reason for reason, is_so in differences.items() if is_so), None)


def _had_settled(text: str, read_at: datetime) -> bool:
    updated_at = parse_iso_time(iso_text(text))
    return updated_at is not None and read_at - updated_at >= SETTLED


def _odd_times(last: LastExport, tonight: ProbeFacts | None, now: datetime) -> ExportReason | None:
    """Return a reason unless the probe before came before the export, all else after it, and nothing is in the future."""
    assert last.probe is not None
    assert tonight is not None
    asked = last.created_at + _CLOCK_PRECISION
    latest = now + _CLOCK_PRECISION
    in_order = last.probe.read_at <= asked and last.created_at < tonight.read_at <= latest
    if last.confirmed_at is not None:
        in_order = in_order and last.created_at < last.confirmed_at <= latest
    return None if in_order else ExportReason.ODD_TIMES
