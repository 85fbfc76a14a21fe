"""Send how many alarms a run gave."""

from __future__ import annotations

from canvas_exports.airflow_compat import task_stats
from canvas_exports.core.reports.page.view import RunView
from canvas_exports.observability.metric_names import ALARMS
from canvas_exports.observability.safe_spans import call_safely


def send_alarms(view: RunView) -> None:
    """Send the gauge, also of a run without alarms. Never raises."""
    tags = {"dag_id": view.run.dag_id or ""}
    call_safely(task_stats.gauge, ALARMS.name, len(view.told_alarms), tags=tags)
