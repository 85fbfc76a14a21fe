"""The DAG that runs restore drills, and its trigger form."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, Param

from canvas_exports.airflow_compat import CronTriggerTimetable
from canvas_exports.core.restore.form_labels import DRILL_LABELS, LABELS
from canvas_exports.dags.backup_tasks import RETRY_DELAY
from canvas_exports.dags.owners import ownership
from canvas_exports.dags.trigger_form import Filled, connection_fields
from canvas_exports.operators.drill import MOST, CanvasDrawDrillsOperator, CanvasRestoreDrillOperator

#: Airflow Variable: target courses, with commas between them.
COURSES_VARIABLE = "canvas_drill_courses"
#: Airflow Variable: number of drills in each run.
COUNT_VARIABLE = "canvas_drill_count"

_HELP = """
Samples copies from the archive, restores each into an empty target course, exports that course again, and compares the two
packages. Writes a record beside each manifest. A task fails if the restored course differs from its copy.

Before you switch it on: create some empty, unpublished courses in Canvas, and list them in the Variable
`canvas_drill_courses`, with commas between them (`sis_course_id:DRILL-1, sis_course_id:DRILL-2`). Each course is used once;
*Reset course content* in its settings empties it again and keeps its SIS id.
"""


def canvas_restore_drill() -> DAG:
    """Build the DAG ``canvas_restore_drill``: every Sunday, once it is switched on and its target courses are listed."""
    # Resolved when a task runs.
    connections: dict[str, Any] = {name: Filled(name) for name in ("archive", "canvas_conn_id")}
    sampling: dict[str, Any] = {
        "into": Filled("into", variable=COURSES_VARIABLE, default=""),
        "count": Filled("count", variable=COUNT_VARIABLE, default="1"),
        "seed": Filled("seed"),
    }
    with DAG(
        dag_id="canvas_restore_drill",
        dag_display_name="Canvas restore drill: can copies be restored?",
        description="Restore a few copies every week, and check that they can be restored, and how fast.",
        schedule=CronTriggerTimetable("0 4 * * 0", timezone="UTC"),
        catchup=False,
        is_paused_upon_creation=True,  # also if new DAGs are not paused: it writes into Canvas
        max_active_runs=1,
        tags=["canvas"],
        doc_md=_HELP,
        params=form(),
        **ownership(),
    ) as dag:
        sampled = CanvasDrawDrillsOperator(
            task_id="draw",
            retries=3,
            retry_delay=RETRY_DELAY,
            **sampling,
            **connections,
        )
        pairs: Any = sampled.output
        CanvasRestoreDrillOperator.partial(
            task_id="drill",
            proof=Filled("proof"),
            deferrable=True,
            map_index_template="{{ task.drill_name }}",
            retries=3,
            retry_delay=RETRY_DELAY,
            **connections,
        ).expand_kwargs(pairs)
    return dag


def form() -> dict[str, Param]:
    """Return the fields in the order of the form."""
    return {
        "count": Param(
            None,
            title=DRILL_LABELS["count"],
            description_md=(
                "Copies to restore; fewer if fewer target courses are empty. If this field is empty, the value of the "
                f"Airflow Variable {COUNT_VARIABLE}, or 1."
            ),
            type=["integer", "null"],
            minimum=1,
            maximum=MOST,
        ),
        "into": Param(
            [],
            title=DRILL_LABELS["into"],
            description_md=(
                "One course on each line, by id, address, or SIS id as sis_course_id:DRILL-1. Only empty courses that were "
                f"never published are used. If this field is empty, the courses in the Airflow Variable {COURSES_VARIABLE}."
            ),
            type=["array", "null"],
            items={"type": "string"},
        ),
        "seed": Param(
            None,
            title="Seed",
            description_md="Any text. The same text selects the same copies again. If this field is empty, each run selects other copies.",
            type=["string", "null"],
        ),
        "proof": Param(
            "directory",
            title=LABELS["proof"],
            description_md="How a copy is proven before it is restored. full reads and unpacks all of it.",
            type="string",
            enum=["directory", "full"],
        ),
        **connection_fields(),
    }
