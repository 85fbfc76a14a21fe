"""Export the courses of an account into an archive, in batches, and report the outcome of every course."""

from __future__ import annotations

from airflow.sdk import DAG, AssetAlias

from canvas_exports.operators.content_export import CanvasContentExportOperator
from canvas_exports.operators.list_courses import CanvasListCoursesOperator
from canvas_exports.operators.run_report import CanvasRunReportOperator

ARCHIVE = "{{ var.value.canvas_archive }}"

with DAG(
    dag_id="example_canvas_export",
    description="Export the courses of an account, in batches.",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3},
    tags=["example", "canvas"],
    doc_md=__doc__,
) as dag:
    # [START howto_operator_canvas_list_courses]
    courses = CanvasListCoursesOperator(
        task_id="list",
        account="self",
        filters={"state": ["available"], "enrollment_term_id": "current"},
        archive=ARCHIVE,
    )
    # [END howto_operator_canvas_list_courses]

    # [START howto_operator_canvas_content_export]
    exports = CanvasContentExportOperator.partial(
        task_id="export",
        archive=ARCHIVE,
        deferrable=True,
        fail_on="never",  # the report decides whether the run failed
        outlets=[AssetAlias("canvas_archive")],
    ).expand(courses=courses.output)
    # [END howto_operator_canvas_content_export]

    # [START howto_operator_canvas_run_report]
    report = CanvasRunReportOperator(task_id="report", archive=ARCHIVE, batches=courses.output, fail_on="5%")
    # [END howto_operator_canvas_run_report]

    exports >> report
