"""One task in a process of its own, as a worker has it: OpenTelemetry's providers can be set only once in each.

Arguments: the address of Canvas, its token, the folder of the archive. Everything else is in the environment.
"""

from __future__ import annotations

import sys
from pathlib import Path

from airflow.sdk.execution_time import task_runner
from airflow.sdk.observability import stats, trace
from airflow.sdk.observability.metrics import stats_utils
from tests.support.airflow.short_waits import WAITS
from tests.support.airflow.task_runner import TaskRun

from canvas_exports.operators.content_export import CanvasContentExportOperator


def main(url: str, token: str, folder: str) -> int:
    """Run the task to its end, inside a span as Airflow's task runner has one, and flush as it does."""
    CanvasContentExportOperator.waits = WAITS
    stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
    task_run = TaskRun(
        lambda: CanvasContentExportOperator(
            task_id="export",
            courses=["100", "101", "103"],
            archive=Path(folder).as_uri(),
            deferrable=True,
            poll_shortest=0.2,
            skip_unchanged="P7D",
            fail_on="never",
        ),
        {"canvas_default": {"conn_type": "canvas", "host": url, "password": token}},
    )
    with task_runner.flush_spans(), trace.get_tracer("airflow").start_as_current_span("worker.export"):
        return int(task_run.run_to_end() != "success")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
