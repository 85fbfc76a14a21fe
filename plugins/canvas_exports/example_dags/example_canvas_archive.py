"""Verify the packages of an archive, list the copies that a policy does not keep, and check courses before they are deleted."""

from __future__ import annotations

from airflow.sdk import DAG

from canvas_exports.operators.archive_gate import CanvasArchiveGateOperator
from canvas_exports.operators.hold import CanvasHoldOperator
from canvas_exports.operators.publish import CanvasPublishOperator
from canvas_exports.operators.retention import CanvasRetentionOperator
from canvas_exports.operators.search_index import CanvasSearchIndexOperator
from canvas_exports.operators.verify import CanvasVerifyOperator

ARCHIVE = "{{ var.value.canvas_archive }}"

with DAG(
    dag_id="example_canvas_archive",
    description="Verify an archive, hold, publish and index its copies, plan its retention, and check courses before they are deleted.",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3},
    tags=["example", "canvas"],
    doc_md=__doc__,
) as dag:
    # [START howto_operator_canvas_verify]
    CanvasVerifyOperator(task_id="verify", archive=ARCHIVE, max_time="PT4H")
    # [END howto_operator_canvas_verify]

    # [START howto_operator_canvas_retention]
    CanvasRetentionOperator(task_id="retention", archive=ARCHIVE, keep={"weekly": 8, "monthly": 12})
    # [END howto_operator_canvas_retention]

    # [START howto_operator_canvas_hold]
    CanvasHoldOperator(task_id="hold", archive=ARCHIVE, course="101", tag="legal")
    # [END howto_operator_canvas_hold]

    # [START howto_operator_canvas_publish]
    CanvasPublishOperator(task_id="publish", archive=ARCHIVE, site="s3://campus-site/courses")
    # [END howto_operator_canvas_publish]

    # [START howto_operator_canvas_search_index]
    CanvasSearchIndexOperator(task_id="search_index", archive=ARCHIVE, max_time="PT30M")
    # [END howto_operator_canvas_search_index]

    # [START howto_operator_canvas_archive_gate]
    CanvasArchiveGateOperator(task_id="gate", archive=ARCHIVE, courses=["101"], max_age="P7D")
    # [END howto_operator_canvas_archive_gate]
