"""Restore the newest copy of a course into another course; and, as a drill, a few copies into empty courses."""

from __future__ import annotations

from airflow.sdk import DAG

from canvas_exports.operators.drill import CanvasDrawDrillsOperator, CanvasRestoreDrillOperator
from canvas_exports.operators.restore import CanvasRestoreOperator

ARCHIVE = "{{ var.value.canvas_archive }}"

with DAG(
    dag_id="example_canvas_restore",
    description="Restore a course, and check that a few copies can be restored.",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3},
    tags=["example", "canvas"],
    doc_md=__doc__,
) as dag:
    # [START howto_operator_canvas_restore]
    CanvasRestoreOperator(task_id="restore", course="101", into="202", archive=ARCHIVE, deferrable=True)
    # [END howto_operator_canvas_restore]

    # [START howto_operator_canvas_restore_drill]
    pairs = CanvasDrawDrillsOperator(task_id="draw", archive=ARCHIVE, into=["901", "902"])
    CanvasRestoreDrillOperator.partial(task_id="drill", archive=ARCHIVE, deferrable=True).expand_kwargs(
        pairs.output
    )
    # [END howto_operator_canvas_restore_drill]
