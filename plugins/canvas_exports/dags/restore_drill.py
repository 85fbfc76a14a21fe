"""The DAG that restores copies for trial."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, Param

from canvas_exports.core.restore.form_labels import DRILLS
from canvas_exports.dags.backup_tasks import RETRY_DELAY
from canvas_exports.dags.restore import WHERE
from canvas_exports.dags.trigger_form import Filled, archive_field, canvas_field
from canvas_exports.operators.drill import MOST, CanvasDrawDrillsOperator, CanvasRestoreDrillOperator

#: Airflow Variable: courses that are restored into, with commas between them.
COURSES_VARIABLE = "canvas_drill_courses"
#: Airflow Variable: how many copies are tried by each run.
COUNT_VARIABLE = "canvas_drill_count"

_HELP = """
Draws copies from the archive, restores each into an empty course kept for it, has Canvas export that course, and compares
the two packages. What comes of it is recorded beside each manifest. A task is red where a copy did not come back as it was.

Before you switch it on: make some empty, unpublished courses in Canvas, and name them in the Variable
`canvas_drill_courses`, with commas between them (`sis_course_id:DRILL-1, sis_course_id:DRILL-2`). A course is used once;
*Reset course content* in its settings makes it empty again, and leaves it its SIS id.
"""


def canvas_restore_drill() -> DAG:
    """The DAG ``canvas_restore_drill``: every Sunday, once it is switched on and its courses are named."""
    # Resolved when a task runs.
    places: dict[str, Any] = {name: Filled(name) for name in ("archive", "canvas_conn_id")}
    drawing: dict[str, Any] = {
        "into": Filled("into", variable=COURSES_VARIABLE, default=""),
        "count": Filled("count", variable=COUNT_VARIABLE, default="1"),
        "seed": Filled("seed"),
    }
    with DAG(
        dag_id="canvas_restore_drill",
        description="Restore a few copies for trial, every week: whether they really come back, and how fast.",
        schedule=CronTriggerTimetable("0 4 * * 0", timezone="UTC"),
        catchup=False,
        is_paused_upon_creation=True,  # also where new DAGs are not: it writes into Canvas
        max_active_runs=1,
        tags=["canvas"],
        doc_md=_HELP,
        params=form(),
    ) as dag:
        drawn = CanvasDrawDrillsOperator(
            task_id="draw",
            retries=3,
            retry_delay=RETRY_DELAY,
            **drawing,
            **places,
        )
        pairs: Any = drawn.output
        CanvasRestoreDrillOperator.partial(
            task_id="drill",
            proof=Filled("proof"),
            deferrable=True,
            map_index_template="{{ task.drill_name }}",
            retries=3,
            retry_delay=RETRY_DELAY,
            **places,
        ).expand_kwargs(pairs)
    return dag


def form() -> dict[str, Param]:
    """The fields in the order of the form."""
    return {
        "count": Param(
            None,
            title=DRILLS["count"],
            description_md=(
                "Copies to try; fewer where fewer courses are empty. Left empty, as many as the Airflow Variable "
                f"{COUNT_VARIABLE} says, or one."
            ),
            type=["integer", "null"],
            minimum=1,
            maximum=MOST,
        ),
        "into": Param(
            [],
            title=DRILLS["into"],
            description_md=(
                "One course on each line, by number, address, or SIS id as sis_course_id:DRILL-1: empty ones that were never "
                "published. Left empty, those in "
                f"the Airflow Variable {COURSES_VARIABLE}."
            ),
            type=["array", "null"],
            items={"type": "string"},
        ),
        "seed": Param(
            None,
            title="Seed",
            description_md="Any text: the same draws the same copies again. Left empty, every run draws others.",
            type=["string", "null"],
        ),
        "proof": Param(
            "directory",
            title="Proof",
            description_md="How deep a copy is proven before it is restored; full reads and unpacks all of it.",
            type="string",
            enum=["directory", "full"],
        ),
        "archive": archive_field(section=WHERE),
        "canvas_conn_id": canvas_field(section=WHERE),
    }
