"""From the items of a batch to the run report: rows, documents, receipts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from canvas_exports.archive.exchange import exchange
from canvas_exports.archive.keys import run_folder
from canvas_exports.archive.merging import Merger
from canvas_exports.archive.report import OutcomeRecord, batch_document, run_document, table
from canvas_exports.archive.store import Store
from canvas_exports.errors import ArchiveError
from canvas_exports.export.items import Item
from canvas_exports.export.outcome import Outcome
from canvas_exports.export.plan import plan_folder
from canvas_exports.export.run_info import RunInfo
from canvas_exports.export.transfer import run_facts
from canvas_exports.reports.run_pages import store_pages
from canvas_exports.reports.view import Meaning, RunView

BATCHES = "batches/"
REPORT = "report.json"

#: What each outcome says on a page.
MEANINGS = {
    outcome.value: Meaning(outcome.definition, outcome.next_step, outcome.is_good) for outcome in Outcome
}


@dataclass(frozen=True)
class Receipt:
    """What a task returns to Airflow: counts and a key, whatever the size of the batch.

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
        """A JSON value of a few hundred bytes."""
        return {
            "archive": self.archive,
            "report": self.report,
            "exports": self.exports,
            "bytes": self.size,
            "outcomes": self.outcomes,
        }


def record(item: Item) -> OutcomeRecord:
    """One row. An export without an outcome was interrupted."""
    outcome = item.outcome or Outcome.INTERRUPTED
    return OutcomeRecord(
        context=item.context,
        export_type=item.export_type,
        outcome=outcome.value,
        reason=item.reason or outcome.definition,
        next_step=None if outcome.is_good else outcome.next_step,
        problem=not outcome.is_good,
        name=item.label,
        export_id=item.export_id,
        key=item.key,
        size=item.size,
        findings=str(item.findings) if item.findings else None,
        seconds=item.seconds,
    )


def store_batch_report(store: Store, items: Iterable[Item], run: RunInfo, *, started_at: float) -> Receipt:
    """Write every outcome of a task below the run's folder, replacing what an earlier attempt wrote there."""
    listed = list(items)
    now = datetime.now(timezone.utc)
    document = batch_document(
        [record(item) for item in listed],
        run=run_facts(run),
        started_at=datetime.fromtimestamp(started_at, timezone.utc),
        finished_at=now,
    )
    key = f"{run_folder(run.date, run.dag_id, run.run_id)}{BATCHES}{run.part}.json"
    store.replace(key, json.dumps(document, indent=1).encode())
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
        view: what its page and its message tell.
        page: the page, as it was stored.
    """

    receipt: Receipt
    outcomes: list[Outcome]
    table: str
    view: RunView
    page: bytes


def gather_run_report(
    store: Store, run: RunInfo, planned: Iterable[tuple[str, str]], *, swept: Mapping[str, Any] | None = None
) -> RunReport:
    """Merge what the run's tasks reported, add what none of them did, and store the report: as JSON, CSV and a page.

    Takes memory of about a kilobyte for each export of the run.

    Args:
        store: the archive.
        run: the run.
        planned: every context and export type of the run.
        swept: what was swept, as ``archive.sweeping.Swept`` says it; ``None`` if nothing was.

    Raises:
        ArchiveError: a document is damaged, or the archive cannot be reached.
    """
    folder = run_folder(run.date, run.dag_id, run.run_id)
    merger = Merger()
    for info in store.list(folder + BATCHES):
        if info.key.endswith(".json"):
            # After a Clear the batches may be cut in another way: where two speak of one export, the later one counts.
            merger.add(_read(store, info.key))
    now = datetime.now(timezone.utc)
    finished_at = merger.finished_at
    for context, export_type in planned:
        if (context, export_type) not in merger:
            silent = Item(context, export_type, reason="its task ended without a report; read the task's log")
            merger.take(record(silent), int(now.timestamp()))
            finished_at = now
    rows = merger.records()
    document = run_document(
        rows,
        run=run_facts(run),
        started_at=merger.started_at or (now if rows else None),
        finished_at=finished_at,
        swept=swept,
    )
    key = folder + REPORT
    store.replace(key, document)
    del document  # of a large run it is large
    view, page = store_pages(
        store,
        rows,
        run=run_facts(run),
        folder=folder,
        day=run.date,
        started_at=merger.started_at,
        finished_at=finished_at or now,
        meanings=MEANINGS,
    )
    outcomes = [Outcome(row.outcome) for row in rows]
    return RunReport(
        receipt=_receipt(store, key, outcomes, size=sum(row.size or 0 for row in rows)),
        outcomes=outcomes,
        table=table(rows),
        view=view,
        page=page,
    )


def exchange_reports(stores: Sequence[Store], run: RunInfo) -> None:
    """Give each of several archives the plan of a run and what its tasks reported, where it was out of reach at the time.

    Raises:
        ArchiveError: one of them failed.
    """
    exchange(stores, plan_folder(run))
    exchange(stores, f"{run_folder(run.date, run.dag_id, run.run_id)}{BATCHES}", _is_later)


def _is_later(one: bytes, other: bytes) -> bool:
    return _finished_at(one) > _finished_at(other)


def _finished_at(document: bytes) -> str:
    """As the document says it, in UTC; what is no document is earlier than any."""
    try:
        return str(json.loads(document)["finished_at"])
    except (ValueError, TypeError, KeyError):
        return ""


def _read(store: Store, key: str) -> dict[str, Any]:
    try:
        document = json.loads(store.read(key))
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ArchiveError("not a report of a task: delete it, and clear the task it is named after", key=key)
    return document
