"""From the items of a batch to the run report: rows, documents, receipts."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from canvas_exports.core.archive.alarms.after_run import judge_run
from canvas_exports.core.archive.catalog.last_runs import LastRuns, last_runs
from canvas_exports.core.archive.catalog.runs import RunSummary
from canvas_exports.core.archive.json_documents import MAX_BATCH_BYTES, encoded, parse, read_bytes
from canvas_exports.core.archive.layout import run_folder
from canvas_exports.core.archive.mirror import mirror
from canvas_exports.core.archive.run_report import (
    Merger,
    OutcomeRecord,
    batch_document,
    records_of,
    run_document,
    totals_of,
)
from canvas_exports.core.export.engine.items import Item
from canvas_exports.core.export.planning.batch_plan import plan_folder, planned_names
from canvas_exports.core.model.causes import Cause
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.model.runs import RunInfo
from canvas_exports.core.reports.page.past_runs import past_runs
from canvas_exports.core.reports.page.view import RunView
from canvas_exports.core.reports.page.write import store_pages
from canvas_exports.core.reports.run_table import table
from canvas_exports.core.reports.verdict import find_causes
from canvas_exports.core.storage.store import ObjectInfo, Store
from canvas_exports.errors import ArchiveError, UnreadableDocumentError

_log = logging.getLogger(__name__)

BATCHES = "batches/"
REPORT = "report.json"

_NOUN = "report of a task"
_SILENT = "its task ended without a report; read the task's log"
_OUTCOMES = frozenset(outcome.value for outcome in Outcome)


@dataclass(frozen=True)
class Receipt:
    """Return value of a task for Airflow: counts and a key, small for any size of the batch.

    Attributes:
        archive: the archive's root.
        report: key of the document with every outcome.
        exports: how many.
        size: bytes stored.
        outcomes: how many of each.
    """

    archive: str
    report: str
    exports: int
    size: int
    outcomes: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value of a few hundred bytes."""
        return {
            "archive": self.archive,
            "report": self.report,
            "exports": self.exports,
            "bytes": self.size,
            "outcomes": self.outcomes,
        }


def record(item: Item) -> OutcomeRecord:
    """Return the row of an export. An export without an outcome was interrupted."""
    outcome = item.outcome or Outcome.INTERRUPTED
    cause = Cause(item.cause) if item.cause in Cause._value2member_map_ else None
    return OutcomeRecord(
        context=item.context,
        export_type=item.export_type,
        outcome=outcome.value,
        reason=item.reason or outcome.definition,
        next_step=None if outcome.is_good else (cause or outcome).next_step,
        problem=not outcome.is_good,
        name=item.label,
        export_id=item.export_id,
        key=item.key,
        size=item.size,
        findings=str(item.findings) if item.findings else None,
        seconds=item.seconds,
        probe_result=item.probe_result,
        cause=item.cause,
    )


def store_batch_report(store: Store, items: Iterable[Item], run: RunInfo, *, started_at: float) -> Receipt:
    """Write every outcome of a task below the run's folder, replacing what an earlier attempt wrote there."""
    listed = list(items)
    now = datetime.now(timezone.utc)
    document = batch_document(
        [record(item) for item in listed],
        run=run.to_facts(),
        started_at=datetime.fromtimestamp(started_at, timezone.utc),
        finished_at=now,
    )
    key = f"{run_folder(run.date, run.dag_id, run.run_id)}{BATCHES}{run.part}.json"
    store.replace(key, encoded(document, indent=1))
    outcomes = [item.outcome or Outcome.INTERRUPTED for item in listed]
    return _receipt(store, key, outcomes, size=sum(item.size or 0 for item in listed))


def _receipt(store: Store, key: str, outcomes: list[Outcome], *, size: int) -> Receipt:
    counts = Counter(outcomes)
    return Receipt(
        archive=store.uri,
        report=key,
        exports=len(outcomes),
        size=size,
        outcomes={outcome.value: counts[outcome] for outcome in Outcome if counts[outcome]},
    )


@dataclass(frozen=True)
class RunReport:
    """The report of a whole DAG run.

    Attributes:
        receipt: counts and the key of the stored document.
        outcomes: of every export.
        table: the same for people, problems first.
        view: the content of its page and its message.
        page: the page, as it was stored.
    """

    receipt: Receipt
    outcomes: list[Outcome]
    table: str
    view: RunView
    page: bytes


def gather_run_report(
    store: Store,
    run: RunInfo,
    planned: Iterable[tuple[str, str]],
    *,
    batches: Mapping[str, str] | None = None,
    swept: Mapping[str, Any] | None = None,
    zone: str = "UTC",
    airflow: str = "",
    max_age: timedelta | None = None,
) -> RunReport:
    """Merge the reports of the run's tasks, add the exports that none of them reports, and store JSON, CSV and a page.

    Judges the run and its courses, and holds the copies from before an alarm (see ``archive.alarms``). Takes memory of about a kilobyte for each export of the run.

    Args:
        store: the archive.
        run: the run.
        planned: every context and export type of the run.
        batches: the name of the batch of each context, for the page and the CSV.
        swept: the removed objects, from ``archive.sweep.Swept``; ``None`` if there was no sweep.
        zone: time zone of the page and the message: an IANA name.
        airflow: address of Airflow's UI, for the page to link to; empty where it is not known.
        max_age: what the backup promises: the age of the newest proven copy of each course.

    A document of a task that cannot be read is named in the log and skipped: planned exports that no other document
    reports count as interrupted.

    Raises:
        UnreadableDocumentError: one cannot be read, and nothing is planned that would be missed (permanent).
        ArchiveError: the archive cannot be reached, read or written.
    """
    folder = run_folder(run.date, run.dag_id, run.run_id)
    merger = Merger()
    unread: list[UnreadableDocumentError] = []
    for info in store.list(folder + BATCHES):
        if info.key.endswith(".json"):
            # After a Clear the batches may be cut in another way: where two speak of one export, the later one counts.
            try:
                merger.add(_attributed(_read(store, info)), key=info.key)
            except UnreadableDocumentError as error:
                _log.warning("%s; delete it and clear the task it is named after", error)
                unread.append(error)
    now = datetime.now(timezone.utc)
    finished_at = merger.finished_at
    pair = None
    for pair in planned:
        if pair not in merger:
            silent = Item(
                *pair,
                reason=_SILENT
                if not unread
                else f"its outcome may be in an unreadable document: {unread[0]}",
            )
            merger.add_record(record(silent), int(now.timestamp()))
            finished_at = now
    if unread and pair is None:
        raise unread[0]
    names = planned_names(store, run)
    rows = [names.named(row) for row in merger.records()]
    summary = _summary(folder + REPORT, run, rows, merger.started_at, finished_at)
    past = _past(store, run, folder)
    judgement = judge_run(store, rows, summary, past, now=now)
    causes = find_causes(rows)
    document = run_document(
        rows,
        run=run.to_facts(),
        started_at=merger.started_at or (now if rows else None),
        finished_at=finished_at,
        swept=swept,
        max_age=max_age,
        alarms=judgement.alarms,
        causes=causes,
    )
    key = folder + REPORT
    store.replace(key, document)
    del document  # of a large run it is large
    view, page = store_pages(
        store,
        rows,
        run=run.to_facts(),
        folder=folder,
        started_at=merger.started_at,
        finished_at=finished_at or now,
        zone=zone,
        airflow=airflow,
        canvas=names.canvas,
        batches=batches or {},
        max_age=max_age,
        past=past_runs([*past.summaries, summary]),
        judgement=judgement,
        causes=causes,
    )
    outcomes = [Outcome(row.outcome) for row in rows]
    return RunReport(
        receipt=_receipt(store, key, outcomes, size=sum(row.size or 0 for row in rows)),
        outcomes=outcomes,
        table=table(rows, causes=causes, alarms=view.told_alarms),
        view=view,
        page=page,
    )


def _summary(
    key: str,
    run: RunInfo,
    rows: Sequence[OutcomeRecord],
    started_at: datetime | None,
    finished_at: datetime | None,
) -> RunSummary:
    totals = totals_of(rows)
    return RunSummary(
        key,
        run.dag_id,
        run.run_id,
        started_at,
        finished_at,
        contexts=totals["contexts"],
        problems=totals["problems"],
        bytes=totals["bytes"],
        outcomes=totals["outcomes"],
    )


def _past(store: Store, run: RunInfo, folder: str) -> LastRuns:
    """Return the runs before this one; none if they cannot be read."""
    try:
        found = last_runs(store, dag_id=run.dag_id, day=run.date)
    except ArchiveError as error:
        _log.warning("the runs before this one cannot be read: %s", error)
        return LastRuns()
    return LastRuns(
        tuple(each for each in found.summaries if each.key != folder + REPORT),
        found.without_report - {folder},
    )


def mirror_reports(stores: Sequence[Store], run: RunInfo) -> None:
    """Give each of several archives the plan of a run and what its tasks reported, where it was out of reach at the time.

    Raises:
        ArchiveError: one of them failed.
    """
    mirror(stores, plan_folder(run))
    mirror(stores, f"{run_folder(run.date, run.dag_id, run.run_id)}{BATCHES}", _is_later)


def _attributed(document: dict[str, Any]) -> dict[str, Any]:
    """Return the report of a task with the name of the task in each row."""
    run, rows = document.get("run"), document.get("outcomes")
    if not isinstance(run, dict) or not isinstance(rows, list):
        return document
    task = {name: run[name] for name in ("task_id", "map_index") if run.get(name) not in (None, -1)}
    return {**document, "outcomes": [{**row, **task} if isinstance(row, dict) else row for row in rows]}


def _is_later(one: bytes, other: bytes) -> bool:
    return _finished_at(one) > _finished_at(other)


def _finished_at(document: bytes) -> str:
    """Return the time in a document, in UTC; an unreadable document is earlier than any."""
    try:
        return str(parse(document, _NOUN)["finished_at"])
    except (UnreadableDocumentError, TypeError, KeyError):
        return ""


def _read(store: Store, info: ObjectInfo) -> dict[str, Any]:
    """Read the document of a task; each of its outcomes is a known one.

    Raises:
        UnreadableDocumentError: it is none.
    """
    key = info.key
    document = parse(read_bytes(store, key, MAX_BATCH_BYTES, size=info.size), _NOUN, key=key)
    if not isinstance(document, dict) or "outcomes" not in document:
        raise UnreadableDocumentError(f"it is not a {_NOUN}: it has no outcomes", key=key)
    if {record.outcome for record in records_of(document, key=key)} - _OUTCOMES:
        raise UnreadableDocumentError("it has an outcome that this version does not know", key=key)
    return document
