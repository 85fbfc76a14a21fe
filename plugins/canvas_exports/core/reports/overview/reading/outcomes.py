"""Read the outcomes in the recent run reports into the tables."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable

from canvas_exports.core.archive.catalog.coverage import context_of_package
from canvas_exports.core.archive.catalog.index_segments import microseconds
from canvas_exports.core.archive.catalog.runs import ReportedOutcome, ReportKey, outcomes_of
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.model.runs import MANUAL_EXPORT
from canvas_exports.core.reports.overview.reading.contexts import StoppedError
from canvas_exports.core.reports.overview.reading.run_documents import RunDocuments
from canvas_exports.core.reports.overview.tables import to_seconds
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveDeniedError, ArchiveError

_MOST_ROWS = 10**9
_READ_AGAIN = -1

_INSERT = """
INSERT INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (dag, context, type, mistyped) DO UPDATE SET
    place = excluded.place, report = excluded.report, at = excluded.at, stored_as = excluded.stored_as,
    outcome = excluded.outcome, reason = excluded.reason, next_step = excluded.next_step, name = excluded.name,
    title = excluded.title, sis_id = excluded.sis_id, term = excluded.term, max_age = excluded.max_age
WHERE excluded.place > outcomes.place
"""

log = logging.getLogger(__name__)


def read_outcomes(
    writer: sqlite3.Connection, store: Store, found: RunDocuments, *, is_stopped: Callable[[], bool]
) -> bool:
    """Bring the table of outcomes up to date, within a transaction of the caller. Returns whether anything has changed.

    Of each DAG, the newest outcome of each context and export type stays. If a report that was read before has changed or is
    deleted, all are read again: it may have replaced the outcomes of an older one. To be called after ``read_runs``.

    Raises:
        StoppedError: ``is_stopped`` has returned true.
        ArchiveUnavailableError: the store failed (retryable).
    """
    wanted = {report.key: (report.size, microseconds(report.modified)) for report in found.recent}
    known = {
        key: (size, modified)
        for key, size, modified in writer.execute(
            "SELECT key, size, modified FROM documents WHERE kind = 'outcomes'"
        )
    }
    dropped = [key for key in known if known[key] != wanted.get(key)]
    if any(key in wanted or key not in found.reports for key in dropped):
        dropped, known = list(known), {}
    for key in dropped:
        writer.execute("DELETE FROM outcomes WHERE report = ?", (key,))
        writer.execute("DELETE FROM failures WHERE report = ?", (key,))
        writer.execute("DELETE FROM documents WHERE kind = 'outcomes' AND key = ?", (key,))
    added = [report for report in found.recent if report.key not in known]
    for report in added:
        _read_report(writer, store, report, is_stopped)
    return bool(dropped or added)


def _read_report(
    writer: sqlite3.Connection, store: Store, report: ReportKey, is_stopped: Callable[[], bool]
) -> None:
    head = writer.execute(
        "SELECT content FROM documents WHERE kind = 'report' AND key = ?", (report.key,)
    ).fetchone()
    max_age = None if head is None else json.loads(head[0]).get("max_age")
    modified = microseconds(report.modified)
    place = f"{report.day} {modified:020d} {report.key}"
    try:
        for number, record in enumerate(outcomes_of(store, report.key)):
            if is_stopped():
                raise StoppedError
            one = ReportedOutcome(record, report)
            stored_as = context_of_package(record.key)
            if record.problem:
                failure = (report.key, stored_as or record.context, record.export_type, to_seconds(one.at))
                writer.execute("INSERT OR IGNORE INTO failures VALUES (?, ?, ?, ?)", failure)
            mistyped = report.dag == MANUAL_EXPORT and record.outcome == Outcome.GONE.value
            writer.execute(
                _INSERT,
                (
                    report.dag,
                    record.context,
                    record.export_type,
                    mistyped,
                    f"{place} {_MOST_ROWS - number:010d}",  # of two in one report, the first counts
                    report.key,
                    to_seconds(one.at),
                    stored_as,
                    record.outcome,
                    record.reason,
                    record.next_step,
                    record.name,
                    record.title,
                    record.sis_id,
                    record.term,
                    max_age,
                ),
            )
    except ArchiveError as error:
        if error.retryable:
            raise
        log.warning("%s", error)
        if isinstance(error, ArchiveDeniedError):  # the right may be given later
            modified = _READ_AGAIN
    writer.execute(
        "INSERT INTO documents (kind, key, size, modified, content) VALUES ('outcomes', ?, ?, ?, '')",
        (report.key, report.size, modified),
    )
