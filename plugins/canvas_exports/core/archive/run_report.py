"""The run report: the outcome of every export of a run, as a document."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

from canvas_exports.core.archive.json_documents import conform, encoded, plain, rebuild
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.model.alarm import MOST_ALARMS, Alarm
from canvas_exports.core.model.causes import RunCause
from canvas_exports.core.model.durations import write_duration
from canvas_exports.core.model.probes import EQUAL, MISS, SKIPPED
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.text.wording import format_time, parse_time
from canvas_exports.errors import UnreadableDocumentError
from canvas_exports.foreign_text import harmless

SCHEMA = "urn:canvas-exports:run-report:1"

_KIND = "run-report-1"
_ROW = "/properties/outcomes/items"
_FOREIGN = ("name", "reason", "next_step", "findings")
LONGEST_TEXT = 1000
_ALARM_BYTES = 40 * 1024  # readers of many reports read the first 64 KiB of each
_PLACEHOLDER = "\N{REPLACEMENT CHARACTER}"  # for a text of which nothing is left


@dataclass(frozen=True, slots=True)
class OutcomeRecord:
    """The outcome of one context and export type.

    Attributes:
        context: such as ``course:101``.
        export_type: ``common_cartridge``, ``qti`` or ``zip``.
        outcome: one word; the engine defines them.
        reason: one sentence.
        next_step: one sentence; ``None`` if there is nothing to do.
        problem: a person should look at it. Problems come first.
        name: of the context, for people: the code of a course; never the name of a person.
        title: the course's name.
        sis_id: its SIS id.
        term: the name of its term, or the term's SIS id.
        task_id: the Airflow task that reports it.
        map_index: of that task, if it is mapped.
        probe_result: what the change probe of a course has led to: it was ``skipped``, or its export found the probe right
            (``equal``) or wrong (``miss``); ``None`` where there was none, or nothing to compare.
        cause: what ended this export together with others: the value of a ``model.causes.Cause``, or of a later version's.
        export_id: Canvas's id of the export, where one was created.
        key: of the package, if one was stored.
        size: bytes that were stored; ``None`` if an earlier package has the same content.
        findings: of the proof, in short, such as ``2 files missing``.
        seconds: from the first request to the outcome.
        finished_at: when the outcome was known (UTC).
    """

    context: str
    export_type: str
    outcome: str
    reason: str
    next_step: str | None = None
    problem: bool = False
    name: str | None = None
    export_id: int | None = None
    key: str | None = None
    size: int | None = None
    findings: str | None = None
    seconds: float | None = None
    finished_at: datetime | None = None
    title: str | None = None
    sis_id: str | None = None
    term: str | None = None
    task_id: str | None = None
    map_index: int | None = None
    probe_result: str | None = None
    cause: str | None = None

    def __post_init__(self) -> None:
        """Make the texts for people harmless: they come from Canvas, stores and packages. Ids and keys stay as they are."""
        for name in _FOREIGN:
            text = getattr(self, name)
            if isinstance(text, str) and not (text.isprintable() and len(text) <= LONGEST_TEXT):
                object.__setattr__(self, name, harmless(text, most=LONGEST_TEXT) or _PLACEHOLDER)


def batch_document(
    records: Iterable[OutcomeRecord], *, run: RunFacts, started_at: datetime, finished_at: datetime
) -> dict[str, Any]:
    """Return the outcomes of one task as JSON data, valid against ``schemas/run-report-1.schema.json``."""
    rows = in_order(records)
    document = _head("batch", rows, run, started_at, finished_at)
    document["outcomes"] = [_row(record) for record in rows]
    if wrong := problem(_KIND, document):
        raise ValueError(f"not a run report: {wrong}")
    return document


def in_order(records: Iterable[OutcomeRecord]) -> list[OutcomeRecord]:
    """Sort the rows: problems first, then by outcome and context."""
    return sorted(records, key=_sort_key)


def records_of(document: Mapping[str, Any], *, key: str | None = None) -> list[OutcomeRecord]:
    """Return the rows of a batch document or a run report.

    Raises:
        UnreadableDocumentError: one of them is not a row (permanent).
    """
    rows = document["outcomes"]
    if not isinstance(rows, list):
        raise UnreadableDocumentError("it is not a run report: it has no outcomes", key=key)
    return [record_of(row, key=key) for row in rows]


def record_of(row: Any, *, key: str | None = None) -> OutcomeRecord:
    """Read a row of a document, as ``json_documents.parse`` returns it.

    Raises:
        UnreadableDocumentError: it is not a row (permanent).
    """
    if wrong := problem(_KIND, row, part=_ROW):
        raise UnreadableDocumentError(f"it is not a run report: in a row, {wrong}", key=key)
    try:
        return rebuild(OutcomeRecord, row)
    except ValueError:  # the schema knows no calendar
        raise UnreadableDocumentError(
            "it is not a run report: a row names a time that there is not", key=key
        ) from None


def run_document(
    records: Sequence[OutcomeRecord],
    *,
    run: RunFacts,
    started_at: datetime | None,
    finished_at: datetime | None,
    swept: Mapping[str, Any] | None = None,
    max_age: timedelta | None = None,
    alarms: Sequence[Alarm] = (),
    causes: Sequence[RunCause] = (),
) -> bytes:
    """Return the report of a whole run as JSON, valid against ``schemas/run-report-1.schema.json``, one row a line.

    Args:
        records: of all its batches, each context and export type once, in the order of ``in_order``.
        run: the run.
        started_at: of the first batch.
        finished_at: of the last.
        swept: the result of the sweep (``sweep.Swept``), if the run swept.
        max_age: what the backup promises; ``None`` without a promise.
        alarms: of the run and its courses; the first ``MOST_ALARMS`` are written, as far as they fit into the head.
        causes: that ended many exports of the run.
    """
    whole = replace(run, task_id=None, map_index=None, attempt=None)
    head = _head("run", records, whole, started_at, finished_at)
    if swept is not None:
        head["swept"] = dict(swept)
    if max_age is not None:
        head["max_age"] = write_duration(max_age)
    if causes:
        head["causes"] = [cause.to_json() for cause in causes]
    if alarms:
        head["alarms"] = _fitting(alarms)
    if wrong := problem(_KIND, {**head, "outcomes": []}):
        raise ValueError(f"not a run report: {wrong}")
    document = BytesIO()  # hands out what it has without a copy: with 200,000 rows it is large
    document.write(encoded(head)[:-1] + b', "outcomes": [')
    for at, record in enumerate(records):
        document.write((b",\n" if at else b"\n") + encoded(_row(record)))
    document.write(b"\n]}\n")
    return document.getvalue()


def _head(
    kind: str,
    records: Sequence[OutcomeRecord],
    run: RunFacts,
    started_at: datetime | None,
    finished_at: datetime | None,
) -> dict[str, Any]:
    """Return a document without its rows."""
    return {
        "schema": SCHEMA,
        "kind": kind,
        "run": plain(run),
        "started_at": started_at and format_time(started_at),
        "finished_at": finished_at and format_time(finished_at),
        "totals": totals_of(records),
    }


def _fitting(alarms: Sequence[Alarm]) -> list[dict[str, Any]]:
    """Return the first alarms as JSON data, in at most ``_ALARM_BYTES``."""
    written: list[dict[str, Any]] = []
    size = 0
    for alarm in alarms[:MOST_ALARMS]:
        data = alarm.to_json()
        size += len(encoded(data)) + 2
        if size > _ALARM_BYTES:
            break
        written.append(data)
    return written


def _row(record: OutcomeRecord) -> dict[str, Any]:
    """Return one row, without what is not known."""
    return {name: value for name, value in plain(record).items() if value is not None}


def totals_of(records: Sequence[OutcomeRecord]) -> dict[str, Any]:
    """Return the number of rows, of problems, of bytes, and of each outcome, and what change probes have led to."""
    probed = Counter(record.probe_result for record in records if record.probe_result is not None)
    probes = {
        "skipped": probed[SKIPPED],
        "checks": probed[EQUAL] + probed[MISS],
        "misses": probed[MISS],
    }
    return {
        "contexts": len(records),
        "problems": sum(record.problem for record in records),
        "bytes": sum(record.size or 0 for record in records),
        "outcomes": dict(Counter(record.outcome for record in records).most_common()),
        **({"probes": probes} if any(probes.values()) else {}),
    }


def _sort_key(record: OutcomeRecord) -> tuple[object, ...]:
    """Return the sort key: problems first; ``course:9`` before ``course:10``."""
    kind, _, name = record.context.partition(":")
    digits = len(name) if name.isdigit() else 0
    return not record.problem, record.outcome, kind, not digits, digits, name


class Merger:
    """Merge batch documents, in any order, into the outcomes of a run. Keeps half a kilobyte of each outcome.

    Of two outcomes of one context and export type the later one counts; of two without a time, that of the document that was
    finished later.

    Attributes:
        started_at: when the first batch began; ``None`` without any.
        finished_at: when the last one ended.
    """

    def __init__(self) -> None:
        self.started_at: datetime | None = None
        self.finished_at: datetime | None = None
        self._latest: dict[tuple[str, str], OutcomeRecord] = {}
        self._reported_at: dict[tuple[str, str], int] = {}

    def add(self, document: Mapping[str, Any], *, key: str | None = None) -> None:
        """Add a document of ``batch_document``.

        Raises:
            UnreadableDocumentError: it is not one; nothing of it was added (permanent).
        """
        conform({**document, "outcomes": []}, "run-report-1", key=key)
        records = records_of(document, key=key)  # checks the rows
        try:
            begun, ended = parse_time(document["started_at"]), parse_time(document["finished_at"])
        except (TypeError, ValueError):
            raise UnreadableDocumentError(
                "it is not a run report: it does not say when it began and ended", key=key
            ) from None
        self.started_at = min(begun, self.started_at or begun)
        self.finished_at = max(ended, self.finished_at or ended)
        reported_at = int(ended.timestamp())
        for record in records:
            self.add_record(record, reported_at)

    def add_record(self, record: OutcomeRecord, reported_at: int) -> None:
        """Add one outcome that was reported at a time in seconds since the epoch."""
        key = (record.context, sys.intern(record.export_type))
        known = self._latest.get(key)
        if known is None or (_moment(record), reported_at) >= (_moment(known), self._reported_at[key]):
            self._latest[key] = _interned(record)
            self._reported_at[key] = reported_at

    def __contains__(self, key: tuple[str, str]) -> bool:
        return key in self._latest

    def records(self) -> list[OutcomeRecord]:
        """Return every context and export type once, problems first."""
        return in_order(self._latest.values())


def _moment(record: OutcomeRecord) -> float:
    return record.finished_at.timestamp() if record.finished_at else 0.0


def _interned(record: OutcomeRecord) -> OutcomeRecord:
    """Return the same record, with one copy of the sentences that many records have."""
    return replace(
        record,
        export_type=sys.intern(record.export_type),
        outcome=sys.intern(record.outcome),
        reason=sys.intern(record.reason),
        next_step=record.next_step and sys.intern(record.next_step),
        cause=record.cause and sys.intern(record.cause),
    )
