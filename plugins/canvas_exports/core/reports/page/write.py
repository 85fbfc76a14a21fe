"""Gather what a run's page needs, and write the page and the table beside the run's report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from canvas_exports.core.archive.alarms.after_run import Judgement
from canvas_exports.core.archive.run_report import OutcomeRecord
from canvas_exports.core.model.causes import RunCause
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.reports.page.copy_status import read_copy_statuses
from canvas_exports.core.reports.page.csv_table import csv_table
from canvas_exports.core.reports.page.run_page import render_page
from canvas_exports.core.reports.page.view import PastRun, RunView
from canvas_exports.core.storage.store import Store

PAGE = "report.html"
CSV_TABLE = "report.csv"


def store_pages(
    store: Store,
    records: Sequence[OutcomeRecord],
    *,
    run: RunFacts,
    folder: str,
    started_at: datetime | None,
    finished_at: datetime,
    zone: str = "UTC",
    airflow: str = "",
    canvas: str | None = None,
    batches: Mapping[str, str] | None = None,
    max_age: timedelta | None = None,
    past: Sequence[PastRun] = (),
    judgement: Judgement | None = None,
    causes: Sequence[RunCause] = (),
) -> tuple[RunView, bytes]:
    """Write ``report.csv`` and ``report.html``, or replace them; return the view and the page.

    Reads the copies behind the rows, within the limits of ``copy_status``. The page names what could not be read.

    Args:
        store: the archive.
        records: the rows of the run, problems first.
        run: the run, without a task.
        folder: key of the run's folder, ending in a slash; ``report.json`` is already there.
        started_at: of the first batch.
        finished_at: of the last.
        zone: time zone of all times: an IANA name.
        airflow: address of Airflow's UI; empty where it is not known.
        canvas: Canvas's address; ``None`` where it is not known.
        batches: the name of the batch of each context.
        max_age: what the backup promises.
        past: the last runs of the same DAG, oldest first, this one among them.
        judgement: the alarms of the run.
        causes: that ended many exports of the run.

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
        past=past,
        zone=zone,
        airflow=airflow,
        canvas=canvas,
        batches=batches or {},
        max_age=max_age,
        alarms=() if judgement is None else judgement.alarms,
        not_judged="" if judgement is None else judgement.problem,
        causes=causes,
    )
    store.replace(folder + CSV_TABLE, csv_table(view))
    written = render_page(view)
    store.replace(folder + PAGE, written)
    return view, written
