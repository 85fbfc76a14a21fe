"""The last runs of a DAG, for the charts of a run's page."""

from __future__ import annotations

from collections.abc import Iterable

from canvas_exports.core.archive.catalog.runs import RunSummary
from canvas_exports.core.reports.page.view import PastRun


def past_runs(summaries: Iterable[RunSummary]) -> list[PastRun]:
    """Return the totals of runs that have ended, in the same order."""
    return [
        PastRun(run.run_id or "", run.finished_at, run.bytes, run.contexts, run.problems)
        for run in summaries
        if run.finished_at is not None
    ]
