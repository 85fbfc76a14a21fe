"""Read the run reports below ``runs/``."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from canvas_exports.core.archive.json_documents import conform, plain
from canvas_exports.core.archive.row_documents import RowDocument
from canvas_exports.core.archive.run_report import OutcomeRecord, record_of
from canvas_exports.core.model.alarm import Alarm
from canvas_exports.core.model.causes import RunCause
from canvas_exports.core.model.durations import write_duration
from canvas_exports.core.model.max_age import parse_max_age
from canvas_exports.core.storage.store import ObjectInfo, Store
from canvas_exports.core.text.wording import parse_time
from canvas_exports.errors import ArchiveError, UnreadableDocumentError

RECENT = timedelta(days=7)

_KEY = re.compile(r"runs/(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})/(?P<dag>[^/]+)/(?P<run>[^/]+)/report\.json")
_KIND = "run-report-1"
_REPORTS = RowDocument("run report", rows="outcomes")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReportKey:
    """The key of a run report, with what the listing shows of it.

    Attributes:
        key: of the report.
        day: date of the run.
        dag: folder of the DAG: the DAG id, if that is valid in a key.
        modified: when the report was written.
        size: in bytes.
    """

    key: str
    day: date
    dag: str
    modified: datetime
    size: int

    @property
    def folder(self) -> str:
        """Return the run's folder."""
        return self.key.removesuffix("report.json")


@dataclass(frozen=True)
class RunSummary:
    """The totals of one run.

    Attributes:
        key: of its report.
        dag_id: of the DAG.
        run_id: of the DAG run.
        started_at: start of its first batch; ``None`` if it had none.
        finished_at: end of its last batch; ``None`` if it had none.
        contexts: number of planned exports.
        problems: number of exports that need attention.
        bytes: bytes that were stored.
        outcomes: number of exports by outcome.
        max_age: what the backup promises: the age of the newest proven copy of each course; ``None`` without a promise.
        alarms: of the run and its courses.
        probes: what change probes have led to: ``skipped``, ``checks`` and ``misses``; empty where there were none.
    """

    key: str
    dag_id: str | None
    run_id: str | None
    started_at: datetime | None
    finished_at: datetime | None
    contexts: int
    problems: int
    bytes: int
    outcomes: Mapping[str, int]
    max_age: timedelta | None = None
    alarms: tuple[Alarm, ...] = ()
    causes: tuple[RunCause, ...] = ()
    probes: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the totals as JSON data; ``max_age``, ``alarms``, ``causes`` and ``probes`` only where there are any."""
        data = plain(self)
        promise, alarms, causes = (data.pop(name) for name in ("max_age", "alarms", "causes"))
        if promise is not None:
            data["max_age"] = write_duration(promise)
        if not self.probes:
            del data["probes"]
        if causes:
            data["causes"] = [cause.to_json() for cause in causes]
        if alarms:
            data["alarms"] = [alarm.to_json() for alarm in alarms]
        return data


@dataclass(frozen=True)
class ReportedOutcome:
    """An outcome, and the report that holds it."""

    record: OutcomeRecord
    report: ReportKey

    @property
    def at(self) -> datetime:
        """Return the time of the outcome; the time of the report, if the outcome has none."""
        return self.record.finished_at or self.report.modified


def reports(store: Store) -> list[ReportKey]:
    """Return the key of every run report, newest first. Lists ``runs/`` once.

    Raises:
        ArchiveError: the archive cannot be listed.
    """
    return newest_reports(report for info in store.list("runs/") if (report := report_key(info)) is not None)


def report_key(info: ObjectInfo) -> ReportKey | None:
    """Return what a listing shows of a run report; ``None`` if the object is something else."""
    match = _KEY.fullmatch(info.key)
    if match is None:
        return None
    try:
        day = date.fromisoformat(match["day"])
    except ValueError:  # such as the 30th of February
        return None
    return ReportKey(info.key, day, match["dag"], info.modified, info.size)


def newest_reports(found: Iterable[ReportKey]) -> list[ReportKey]:
    """Sort reports, newest first."""
    return sorted(found, key=lambda report: (report.day, report.modified, report.key), reverse=True)


def recent(listed: Iterable[ReportKey], *, within: timedelta = RECENT) -> list[ReportKey]:
    """Return the reports of each DAG's last days, counted from its newest report, in the same order."""
    found: list[ReportKey] = []
    newest: dict[str, date] = {}
    for report in listed:
        last = max(newest.get(report.dag, report.day), report.day)
        newest[report.dag] = last
        if last - report.day < within:
            found.append(report)
    return found


def summary_of(store: Store, key: str) -> RunSummary:
    """Return the totals of a run. Reads the beginning of its report only.

    Raises:
        ObjectNotFoundError: there is no report (permanent).
        UnreadableDocumentError: it is not a valid report (permanent).
        ArchiveDeniedError: no right to read it (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    return _summary(key, _REPORTS.head(store, key))


def outcomes_of(store: Store, key: str) -> Iterator[OutcomeRecord]:
    """Yield the outcomes in a report, in its order. One outcome is in memory at a time.

    Raises:
        ObjectNotFoundError: there is no report (permanent).
        UnreadableDocumentError: it is not a valid report; raised where the error is found (permanent).
        ArchiveDeniedError: no right to read it (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    for row in _REPORTS.read_rows(store, key):
        yield record_of(row, key=key)


def reported_outcomes(store: Store, listed: Iterable[ReportKey]) -> Iterator[ReportedOutcome]:
    """Yield the outcomes in several reports, in their order. A report that cannot be read is logged and skipped.

    Raises:
        ArchiveUnavailableError: the store failed (retryable).
    """
    for report in listed:
        yield from _outcomes_of_report(store, report)


def _outcomes_of_report(store: Store, report: ReportKey) -> Iterator[ReportedOutcome]:
    try:
        for record in outcomes_of(store, report.key):
            yield ReportedOutcome(record, report)
    except ArchiveError as error:
        if error.retryable:
            raise
        log.warning("%s", error)


def _summary(key: str, document: Any) -> RunSummary:
    rowless = {**document, "outcomes": []} if isinstance(document, dict) else document
    run, totals = (conform(rowless, _KIND, key=key)[name] for name in ("run", "totals"))
    started_at, finished_at = document["started_at"], document["finished_at"]
    try:
        return RunSummary(
            key=key,
            dag_id=run.get("dag_id"),
            run_id=run.get("run_id"),
            started_at=started_at and parse_time(started_at),
            finished_at=finished_at and parse_time(finished_at),
            contexts=totals["contexts"],
            problems=totals["problems"],
            bytes=totals["bytes"],
            outcomes=totals["outcomes"],
            probes=totals.get("probes", {}),
            max_age=parse_max_age(document.get("max_age")),
            alarms=tuple(Alarm.from_json(each) for each in document.get("alarms") or ()),
            causes=tuple(RunCause.from_json(each) for each in document.get("causes") or ()),
        )
    except ValueError:  # a schema cannot check dates
        raise UnreadableDocumentError("it contains an invalid time", key=key) from None
