"""DAGs for each way in which a run can end, with an empty archive at ``NOTED_ARCHIVE``."""

from __future__ import annotations

import os
from typing import Any

from airflow.sdk import DAG, TriggerRule, task

from canvas_exports.notifications.run_note import NOTE_XCOM
from canvas_exports.operators.list_courses import CanvasListCoursesOperator
from canvas_exports.operators.run_report import CanvasRunReportOperator

ARCHIVE = os.environ["NOTED_ARCHIVE"]
COURSES = [["course:1", "course:2"]]


class OurReport(CanvasRunReportOperator):
    """What a DAG author may make of it."""


for name, verdict in (("told", "never"), ("judged", "any"), ("unreported", "maybe")):
    with DAG(name, schedule=None):
        CanvasRunReportOperator(task_id="report", archive=ARCHIVE, batches=COURSES, fail_on=verdict)

with DAG("subclassed", schedule=None):
    OurReport(task_id="report", archive=ARCHIVE, batches=COURSES, fail_on="never")

with DAG("unlisted", schedule=None):
    listed = CanvasListCoursesOperator(task_id="list", archive=ARCHIVE, courses=["no course"])
    listed >> CanvasRunReportOperator(
        task_id="report", archive=ARCHIVE, trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS
    )

with DAG("foreign", schedule=None):

    @task
    def other() -> str:
        return "34 of 40 good"

    other()

with DAG("hostile", schedule=None):

    @task
    def made_up(ti: Any = None) -> None:
        ti.xcom_push(key=NOTE_XCOM, value="\x1b[31m\u202e\u2028" + "x" * 5000)

    made_up()

with DAG("garbled", schedule=None):

    @task
    def garbled(ti: Any = None) -> None:
        ti.xcom_push(key=NOTE_XCOM, value={"a": [1]})

    garbled()
