"""Gather what a run's page needs, and write the page and the table beside the run's report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from canvas_exports.core.archive.run_report import OutcomeRecord
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.reports.page.copy_status import read_copy_statuses
from canvas_exports.core.reports.page.csv_table import csv_table
from canvas_exports.core.reports.page.past_runs import last_runs
from canvas_exports.core.reports.page.run_page import render_page
from canvas_exports.core.reports.page.view import PastRun, RunView
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveError

PAGE = "report.html"
CSV_TABLE = "report.csv"


def store_pages(
    store: Store,
    records: Sequence[OutcomeRecord],
    *,
    run: RunFacts,
    folder: str,
    day: date,
    started_at: datetime | None,
    finished_at: datetime,
    zone: str = "UTC",
    airflow: str = "",
    canvas: str | None = None,
    batches: Mapping[str, str] | None = None,
    max_age: timedelta | None = None,
) -> tuple[RunView, bytes]:
    """Write ``report.csv`` and ``report.html``, or replace them; return the view and the page.

    Reads the copies behind the rows and the reports of the last runs, within the limits of ``copy_status`` and
    ``past_runs``. The page names what could not be read.

    Args:
        store: the archive.
        records: the rows of the run, problems first.
        run: the run, without a task.
        folder: key of the run's folder, ending in a slash; ``report.json`` is already there.
        day: the run's date.
        started_at: of the first batch.
        finished_at: of the last.
        zone: time zone of all times: an IANA name.
        airflow: address of Airflow's UI; empty where it is not known.
        canvas: Canvas's address; ``None`` where it is not known.
        batches: the name of the batch of each context.
        max_age: what the backup promises.

    Raises:
        ArchiveError: they could not be written.
    """
    view = RunView(
        records=records,
        run=run,
        archive=store.uri,
        folder=folder,
        started_at=started_at,
        finished_at=finished_at,
        copies=read_copy_statuses(store, records, now=finished_at),
        past=_past(store, run.dag_id, day),
        zone=zone,
        airflow=airflow,
        canvas=canvas,
        batches=batches or {},
        max_age=max_age,
    )
    store.replace(folder + CSV_TABLE, csv_table(view))
    written = render_page(view)
    store.replace(folder + PAGE, written)
    return view, written


def _past(store: Store, dag_id: str | None, day: date) -> list[PastRun]:
    try:
        return last_runs(store, dag_id=dag_id or "", day=day)
    except ArchiveError:
        return []
