"""What happened to one context: its copies, what was learnt of them, and what runs said of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from canvas_exports.core.archive.catalog.assessment import what_is_missing
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.read import Holding
from canvas_exports.core.archive.catalog.runs import ReportedOutcome
from canvas_exports.core.archive.records import RecordKind, RecordName
from canvas_exports.core.text.wording import format_time

UNREADABLE = "unreadable"

_DONE = {RecordKind.VERIFY: "verified", RecordKind.DRILL: "restore drill", RecordKind.HOLD: "hold"}


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Attributes:
        at: when.
        what: ``copy``, ``unchanged``, ``verified``, ``restore drill``, ``hold``, ``run`` or ``unreadable``.
        result: one word: a verdict, a record's result, an outcome.
        detail: what else a person wants to know of it.
        export_type: of the export it is about, where it is about one.
        key: of the document that tells it.
        size: of the package in bytes, of a copy.
    """

    at: datetime | None
    what: str
    result: str
    detail: str
    export_type: str | None
    key: str
    size: int | None = None

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON data."""
        return {
            **{name: getattr(self, name) for name in self.__dataclass_fields__},
            "at": self.at and format_time(self.at),
        }


def history(holding: Holding, outcomes: Iterable[ReportedOutcome] = ()) -> list[Event]:
    """Everything that is known of one context, oldest first; what has no time comes last.

    Args:
        holding: what the archive holds of it; see ``reading.copies_of``.
        outcomes: of runs. Those of other contexts are left out, and those whose copy is there: the copy tells more.
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
        if first is copy:
            detail = what_is_missing(copy) if copy.counts.get("findings") else ""
            yield _copied(copy, "copy", copy.verdict.value, detail)
        else:
            yield _copied(copy, "unchanged", copy.verdict.value, f"as on {first.created_at:%Y-%m-%d}")
    for copy in packages.values():
        yield from (_learnt(record, copy) for record in copy.records)
        if not copy.is_present:
            detail = "the package is not there, or of another size than was stored"
            yield Event(None, "copy", "vanished", detail, copy.export.type, copy.package.key)


def _copied(copy: Copy, what: str, result: str, detail: str) -> Event:
    return Event(copy.created_at, what, result, detail, copy.export.type, copy.key, copy.package.size)


def _learnt(record: RecordName, copy: Copy) -> Event:
    return Event(record.at, _DONE[record.kind], record.result, record.detail, copy.export.type, record.key)


def _of_runs(holding: Holding, outcomes: Iterable[ReportedOutcome]) -> Iterator[Event]:
    exports = {copy.export.id for copy in holding.copies}
    for one in outcomes:
        record = one.record
        if record.context == holding.name and record.export_id not in exports:
            yield Event(one.at, "run", record.outcome, record.reason, record.export_type, one.report.key)
