"""Send how many exports of a run keep the promise of their backup."""

from __future__ import annotations

from canvas_exports.airflow_compat import task_stats
from canvas_exports.core.reports.page.view import RunView
from canvas_exports.observability.metric_names import PROMISES_KEPT, PROMISES_MISSED
from canvas_exports.observability.safe_spans import call_safely


def send_promises(view: RunView) -> None:
    """Send both gauges, if the backup promises something. Never raises."""
    if view.max_age is None:
        return
    kept = [view.keeps_promise(record) for record in view.records]
    tags = {"dag_id": view.run.dag_id or ""}
    for metric, number in ((PROMISES_KEPT, kept.count(True)), (PROMISES_MISSED, kept.count(False))):
        call_safely(task_stats.gauge, metric.name, number, tags=tags)
