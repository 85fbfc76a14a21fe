"""Read the documents of runs into the tables, each once as long as the listing shows it unchanged."""

from __future__ import annotations

import heapq
import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from canvas_exports.core.archive.catalog.index_segments import microseconds
from canvas_exports.core.archive.catalog.runs import ReportKey, summary_of
from canvas_exports.core.archive.json_documents import conform
from canvas_exports.core.archive.row_documents import RowDocument
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.export.planning.batch_plan import plan_size
from canvas_exports.core.model.alarm import AlarmScope
from canvas_exports.core.reports.overview.reading.contexts import StoppedError
from canvas_exports.core.reports.overview.reading.run_documents import RunDocuments
from canvas_exports.core.reports.overview.tables import to_seconds
from canvas_exports.core.storage.store import ObjectInfo, Store
from canvas_exports.core.text.wording import parse_time
from canvas_exports.errors import ArchiveDeniedError, ObjectNotFoundError, UnreadableDocumentError

#: Copies that the report of a retention run names as the next to be deleted.
MOST_DELETIONS = 200

_AT_ONCE = 8
_READ_AGAIN = -1
_ROW = "/properties/contexts/items"
_RETENTION = RowDocument("retention report", rows="contexts")
_Content = dict[str, Any]


def read_runs(
    writer: sqlite3.Connection, store: Store, found: RunDocuments, *, is_stopped: Callable[[], bool]
) -> None:
    """Bring the table of documents up to date, within a transaction of the caller.

    A document that cannot be read is kept with the reason, and read again once it changes; one for which there was no right, each
    time.

    Raises:
        StoppedError: ``is_stopped`` has returned true.
        ArchiveUnavailableError: the store failed (retryable).
    """
    wanted: dict[str, list[tuple[str, int, int]]] = {"report": [], "plan": [], "batch": [], "retention": []}
    wanted["report"] = [_version(report) for report in (*found.nights, *found.recent)]
    for run in found.under_way:
        wanted["plan"] += map(_version, run.plans)
        wanted["batch"] += map(_version, run.batches)
    wanted["retention"] = [_version(info) for info in found.retention]
    for kind, versions in wanted.items():
        _read_all(writer, store, kind, dict.fromkeys(versions), is_stopped)


def _version(info: ObjectInfo | ReportKey) -> tuple[str, int, int]:
    return info.key, info.size, microseconds(info.modified)


def _read_all(
    writer: sqlite3.Connection,
    store: Store,
    kind: str,
    versions: Iterable[tuple[str, int, int]],
    is_stopped: Callable[[], bool],
) -> None:
    """Read the documents of a kind that are new, and forget those that are not wanted any more."""
    known = {
        row[:3] for row in writer.execute("SELECT key, size, modified FROM documents WHERE kind = ?", (kind,))
    }
    listed = list(versions)
    writer.executemany(
        "DELETE FROM documents WHERE kind = ? AND key = ?",
        [(kind, version[0]) for version in known - set(listed)],
    )

    def read(version: tuple[str, int, int]) -> tuple[str, int, int, str, str] | None:
        if is_stopped():
            raise StoppedError
        key, size, modified = version
        try:
            content = _READERS[kind](store, key)
        except ObjectNotFoundError:
            return None  # deleted since it was listed
        except UnreadableDocumentError as error:
            content = {"problem": error.why}
        except ArchiveDeniedError as error:  # the right may be given later
            content, modified = {"problem": error.message}, _READ_AGAIN
        return key, size, modified, kind, json.dumps(content)

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="overview") as pool:
        rows = pool.map(read, [version for version in listed if version not in known])
        writer.executemany(
            "INSERT INTO documents (key, size, modified, kind, content) VALUES (?, ?, ?, ?, ?)",
            filter(None, rows),
        )


def _report(store: Store, key: str) -> _Content:
    summary = summary_of(store, key)
    return {
        "dag_id": summary.dag_id,
        "run_id": summary.run_id,
        "started_at": to_seconds(summary.started_at),
        "finished_at": to_seconds(summary.finished_at),
        "exports": summary.contexts,
        "problems": summary.problems,
        "bytes": summary.bytes,
        "outcomes": dict(summary.outcomes),
        "causes": [cause.sentence for cause in summary.causes],
        "max_age": summary.max_age and int(summary.max_age.total_seconds()),
        "alarms": [alarm.to_json() for alarm in summary.alarms if alarm.scope == AlarmScope.RUN.value],
    }


def _plan(store: Store, key: str) -> _Content:
    batches, contexts = plan_size(store, key)
    return {"batches": batches, "contexts": contexts}


def _retention(store: Store, key: str) -> _Content:
    head = _RETENTION.head(store, key)
    rowless = {**head, "contexts": []} if isinstance(head, dict) else head
    document = conform(rowless, "retention-1", key=key)
    totals, applied = document["totals"], document["totals"]["applied"]
    made_at = _check_time(document["made_at"], key)
    return {
        "backup": document["backup"],
        "made_at": to_seconds(made_at),
        "policy": totals["policy"],
        "keep": document.get("keep"),
        "timezone": document.get("timezone", "UTC"),
        **{name: totals[name] for name in ("copies", "delete", "locked", "frees")},
        "deleted": None if applied is None else applied["copies"],
        "next": _deletions(store, key),
    }


def _check_time(text: str, key: str) -> datetime:
    try:
        return parse_time(text)
    except ValueError:  # the schema knows no calendar
        raise UnreadableDocumentError("it names a time that there is not", key=key) from None


def _deletions(store: Store, key: str) -> list[list[Any]]:
    """Return the oldest copies that a plan deletes: context, key, type, time, and the reasons of a lock."""

    def rows() -> Iterable[list[Any]]:
        for row in _RETENTION.read_rows(store, key):
            if wrong := problem("retention-1", row, part=_ROW):
                raise UnreadableDocumentError(f"it is not a retention report: in a row, {wrong}", key=key)
            context: Mapping[str, Any] = row
            for copy in context["copies"]:
                locked = ", ".join(copy["reasons"]) if copy["decision"] == "locked" else ""
                _check_time(copy["created_at"], key)
                yield [copy["created_at"], copy["key"], context["context"], copy["type"], locked]

    return heapq.nsmallest(MOST_DELETIONS, rows())


_READERS: dict[str, Callable[[Store, str], _Content]] = {
    "report": _report,
    "batch": _report,
    "plan": _plan,
    "retention": _retention,
}
