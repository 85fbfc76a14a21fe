"""Find the documents below ``runs/`` that an overview needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby

from canvas_exports.core.archive.catalog.future_dates import CLOCK_TOLERANCE
from canvas_exports.core.archive.catalog.runs import RECENT, ReportKey, newest_reports, recent, report_key
from canvas_exports.core.storage.store import ObjectInfo, Store

#: How long back the nights go, and the most of them.
NIGHTS = timedelta(weeks=5)
MOST_NIGHTS = 400

#: A run without a report is under way if it has written something within this time.
QUIET = timedelta(days=2)

_MOST_UNDER_WAY = 20
_MOST_BACKUPS = 100
_MOST_REPORTS = 500  # whose outcomes are read

_RUN = re.compile(r"runs/([0-9]{4}-[0-9]{2}-[0-9]{2})/([^/]+)/([^/]+)/(.+)")


@dataclass(frozen=True)
class OpenRun:
    """The documents of a run without a report."""

    day: date
    dag: str
    run: str
    folder: str
    plans: tuple[ObjectInfo, ...]
    batches: tuple[ObjectInfo, ...]
    last_change: datetime


@dataclass
class RunDocuments:
    """What there is.

    Attributes:
        nights: reports of the last weeks, newest first.
        recent: reports of the last days of each DAG, newest first.
        reports: keys of all reports.
        under_way: newest first.
        retention: the newest document of each retention task.
    """

    nights: list[ReportKey] = field(default_factory=list)
    recent: list[ReportKey] = field(default_factory=list)
    reports: frozenset[str] = frozenset()
    under_way: list[OpenRun] = field(default_factory=list)
    retention: list[ObjectInfo] = field(default_factory=list)


def find_run_documents(store: Store, *, now: datetime) -> RunDocuments:
    """List ``runs/``. The objects of one run are in memory at a time; documents dated in the future are left out.

    Raises:
        ArchiveDeniedError: no right to list (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    last_day = (now + CLOCK_TOLERANCE).date()
    found: list[ReportKey] = []
    under_way: list[OpenRun] = []
    retention: dict[tuple[str, str], tuple[date, ObjectInfo]] = {}
    for run in _runs(store.list("runs/")):
        if run.day > last_day:
            continue
        for info in run.objects:
            name = info.key.removeprefix(run.folder)
            if name.startswith("retention/") and name.endswith(".json"):
                known = retention.get((run.dag, name))
                if known is None or (run.day, info.modified) > (known[0], known[1].modified):
                    retention[run.dag, name] = (run.day, info)
        report = next(filter(None, map(report_key, run.objects)), None)
        if report is not None:
            found.append(report)
        elif (opened := run.opened(now)) is not None:
            under_way.append(opened)
    ordered = newest_reports(found)
    latest = sorted(retention.values(), key=lambda each: (each[0], each[1].key), reverse=True)
    return RunDocuments(
        nights=[report for report in ordered if now.date() - report.day < NIGHTS][:MOST_NIGHTS],
        recent=recent(ordered, within=RECENT)[:_MOST_REPORTS],
        reports=frozenset(report.key for report in ordered),
        under_way=sorted(under_way, key=lambda run: (run.last_change, run.folder), reverse=True)[
            :_MOST_UNDER_WAY
        ],
        retention=[info for _, info in latest[:_MOST_BACKUPS]],
    )


@dataclass(frozen=True)
class _Run:
    """The objects below the folder of one run."""

    day: date
    dag: str
    run: str
    folder: str
    objects: list[ObjectInfo]

    def opened(self, now: datetime) -> OpenRun | None:
        """Return the run as one under way; ``None`` if it has no plan and no batch, or has been quiet for long."""
        plans = [info for info in self.objects if info.key.startswith(f"{self.folder}plan/")]
        batches = [info for info in self.objects if info.key.startswith(f"{self.folder}batches/")]
        last_change = max(info.modified for info in self.objects)
        if not (plans or batches) or last_change < now - QUIET:
            return None
        return OpenRun(self.day, self.dag, self.run, self.folder, tuple(plans), tuple(batches), last_change)


def _runs(listed: Iterable[ObjectInfo]) -> Iterator[_Run]:
    """Group the listing by run; every store lists the objects of one folder together."""
    matched = ((found, info) for info in listed if (found := _RUN.fullmatch(info.key)))
    for (day, dag, run), objects in groupby(matched, key=lambda each: each[0].group(1, 2, 3)):
        try:
            on = date.fromisoformat(day)
        except ValueError:  # such as the 30th of February
            continue
        yield _Run(on, dag, run, f"runs/{day}/{dag}/{run}/", [info for _, info in objects])
