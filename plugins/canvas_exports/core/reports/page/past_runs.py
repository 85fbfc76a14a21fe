"""The last runs of a DAG, from the heads of their reports."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

from canvas_exports.core.archive.catalog.runs import summary_of
from canvas_exports.core.archive.layout import run_folder
from canvas_exports.core.reports.page.view import PastRun
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveError

MOST_RUNS = 30
MOST_DAYS = 92
_DAYS_AT_ONCE = 31
_AT_ONCE = 8


def last_runs(store: Store, *, dag_id: str, day: date) -> list[PastRun]:
    """Return the totals of the newest runs of a DAG up to a day, oldest first.

    A listing for each day, of at most ``MOST_DAYS``, until ``MOST_RUNS`` reports are found; of each its head. A report
    that cannot be read is left out.

    Raises:
        ArchiveDeniedError: no right to list (permanent).
        ArchiveUnavailableError: the archive cannot be reached (retryable).
    """
    found: list[PastRun] = []
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="history") as pool:
        for first in range(0, MOST_DAYS, _DAYS_AT_ONCE):
            days = [
                day - timedelta(days=back) for back in range(first, min(first + _DAYS_AT_ONCE, MOST_DAYS))
            ]
            keys = [
                key for keys in pool.map(lambda each: _reports(store, dag_id, each), days) for key in keys
            ]
            found += [run for run in pool.map(lambda key: _read(store, key), keys) if run is not None]
            if len(found) >= MOST_RUNS:
                break
    return sorted(found, key=lambda run: (run.at, run.run_id))[-MOST_RUNS:]


def _reports(store: Store, dag_id: str, day: date) -> list[str]:
    """Return the keys of the reports of one day."""
    folder = run_folder(day, dag_id, "x").removesuffix("x/")
    name = re.compile(re.escape(folder) + r"[^/]+/report\.json")
    return [info.key for info in store.list(folder) if name.fullmatch(info.key)]


def _read(store: Store, key: str) -> PastRun | None:
    try:
        run = summary_of(store, key)
    except ArchiveError:
        return None  # a picture of the past is not worth a failed night
    if run.finished_at is None:
        return None
    return PastRun(run.run_id or "", run.finished_at, run.bytes, run.contexts, run.problems)
