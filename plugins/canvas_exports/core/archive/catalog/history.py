"""List what happened to one context: its copies, their records, and the outcomes that runs reported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from canvas_exports.core.archive.catalog.assessment import what_is_missing
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.read import Holding
from canvas_exports.core.archive.catalog.runs import ReportedOutcome
from canvas_exports.core.archive.records import RecordKind, RecordName

UNREADABLE = "unreadable"

_RECORDS = {RecordKind.VERIFY: "verified", RecordKind.DRILL: "restore drill", RecordKind.HOLD: "hold"}


@dataclass(frozen=True)
class Event:
    """One event of a context.

    Attributes:
        at: when.
        what: ``copy``, ``unchanged``, ``verified``, ``restore drill``, ``hold``, ``run`` or ``unreadable``.
        result: a verdict, the result of a record, or an outcome.
        detail: more about it, for people.
        export_type: of the export; ``None`` if unknown.
        key: of the document that holds it.
        size: of the package of a copy, in bytes.
    """

    at: datetime | None
    what: str
    result: str
    detail: str
    export_type: str | None
    key: str
    size: int | None = None


def history(holding: Holding, outcomes: Iterable[ReportedOutcome] = ()) -> list[Event]:
    """Return the events of one context, oldest first; those without a time come last.

    Args:
        holding: its copies; see ``read.copies_of``.
        outcomes: that runs reported. Those of other contexts, and of exports whose copy is in the archive, are left out.
    """
    events = [*_of_copies(holding.copies), *_of_runs(holding, outcomes)]
    events += [
        Event(None, UNREADABLE, "unknown", document.reason, None, document.key)
        for document in holding.unreadable
    ]
    return sorted(events, key=lambda event: (event.at is None, event.at and event.at.timestamp(), event.key))


def _of_copies(copies: Iterable[Copy]) -> Iterator[Event]:
    packages: dict[str, Copy] = {}
    for copy in copies:
        first = packages.setdefault(copy.package.key, copy)
        if copy.confirmed_at is not None:
            detail = f"not exported; as on {copy.export.created_at:%Y-%m-%d}"
            yield _copied(copy, "unchanged", copy.verdict.value, detail)
        elif first is copy:
            detail = what_is_missing(copy) if copy.counts.get("findings") else ""
            yield _copied(copy, "copy", copy.verdict.value, detail)
        else:
            yield _copied(copy, "unchanged", copy.verdict.value, f"as on {first.created_at:%Y-%m-%d}")
    for copy in packages.values():
        yield from (_recorded(record, copy) for record in copy.records)
        if not copy.is_present:
            detail = "the package is missing, or has another size than was stored"
            yield Event(None, "copy", "vanished", detail, copy.export.type, copy.package.key)


def _copied(copy: Copy, what: str, result: str, detail: str) -> Event:
    return Event(copy.created_at, what, result, detail, copy.export.type, copy.key, copy.package.size)


def _recorded(record: RecordName, copy: Copy) -> Event:
    return Event(record.at, _RECORDS[record.kind], record.result, record.detail, copy.export.type, record.key)


def _of_runs(holding: Holding, outcomes: Iterable[ReportedOutcome]) -> Iterator[Event]:
    exports = {copy.export.id for copy in holding.copies}
    for one in outcomes:
        record = one.record
        if record.context == holding.name and record.export_id not in exports:
            yield Event(one.at, "run", record.outcome, record.reason, record.export_type, one.report.key)
