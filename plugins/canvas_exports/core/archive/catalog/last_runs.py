"""The last runs of a DAG, from the heads of their reports."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta

from canvas_exports.core.archive.catalog.runs import RunSummary, summary_of
from canvas_exports.core.archive.layout import run_folder
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveError

MOST_RUNS = 30
MOST_DAYS = 92
_DAYS_AT_ONCE = 31
_AT_ONCE = 8


@dataclass(frozen=True)
class LastRuns:
    """The last runs of a DAG.

    Attributes:
        summaries: their totals, oldest first.
        without_report: folders of runs that left documents and no report.
    """

    summaries: tuple[RunSummary, ...] = ()
    without_report: frozenset[str] = frozenset()


def last_runs(store: Store, *, dag_id: str, day: date) -> LastRuns:
    """Return the totals of the newest runs of a DAG up to a day.

    A listing for each day, of at most ``MOST_DAYS``, until ``MOST_RUNS`` reports are found; of each its head. A report
    that cannot be read is left out.

    Raises:
        ArchiveDeniedError: no right to list (permanent).
        ArchiveUnavailableError: the archive cannot be reached (retryable).
    """
    found: list[RunSummary] = []
    silent: set[str] = set()
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="history") as pool:
        for first in range(0, MOST_DAYS, _DAYS_AT_ONCE):
            days = [
                day - timedelta(days=back) for back in range(first, min(first + _DAYS_AT_ONCE, MOST_DAYS))
            ]
            keys: list[str] = []
            for reports, folders in pool.map(lambda each: _runs_of(store, dag_id, each), days):
                keys += reports
                silent |= folders
            found += [run for run in pool.map(lambda key: _read(store, key), keys) if run is not None]
            if len(found) >= MOST_RUNS:
                break
    return LastRuns(tuple(sorted(found, key=_order)[-MOST_RUNS:]), frozenset(silent))


def _runs_of(store: Store, dag_id: str, day: date) -> tuple[list[str], set[str]]:
    """Return the keys of the reports of one day, and the folders of its runs that have none."""
    folder = run_folder(day, dag_id, "x").removesuffix("x/")
    name = re.compile(f"({re.escape(folder)}[^/]+/)(.+)")
    folders: set[str] = set()
    reports: list[str] = []
    for info in store.list(folder):
        if (match := name.fullmatch(info.key)) is not None:
            folders.add(match[1])
            if match[2] == "report.json":
                reports.append(info.key)
    return reports, folders - {key.removesuffix("report.json") for key in reports}


def _read(store: Store, key: str) -> RunSummary | None:
    try:
        run = summary_of(store, key)
    except ArchiveError:
        return None  # a picture of the past is not worth a failed night
    return None if run.finished_at is None else run


def _order(run: RunSummary) -> tuple[float, str]:
    return 0.0 if run.finished_at is None else run.finished_at.timestamp(), run.run_id or ""
