"""The Airflow DAG of ``benchmarks.peers.mapped``."""  # noqa: INP001 - a folder of DAG files

from __future__ import annotations

from airflow.sdk import DAG, task
from benchmarks.peers.mapped import ExportCourseOperator, list_courses

with DAG(dag_id="mapped_exports", schedule=None, catchup=False) as dag:
    courses = task(task_id="list", retries=3)(list_courses)()
    ExportCourseOperator.partial(task_id="export", folder="{{ var.value.mapped_archive }}", retries=3).expand(
        course_id=courses
    )
