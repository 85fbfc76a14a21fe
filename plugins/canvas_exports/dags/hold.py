"""The DAG that holds copies of a course, and its trigger form."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, Param

from canvas_exports.dags.owners import ownership
from canvas_exports.dags.trigger_form import Filled, archive_field
from canvas_exports.operators.hold import CanvasHoldOperator

_HELP = """
Holds the copies of a course that there are now: no retention rule deletes them until the hold is lifted. Later copies are not
held; to hold those too, name the course under `hold` in its backup file.

Fill in the form: the course, and the reason in one word. To end the hold, switch *End the hold* on and give the same word.
Deletes nothing, and sends no request to Canvas.
"""


def canvas_hold() -> DAG:
    """Build the DAG ``canvas_hold``: one task, and a form."""
    with DAG(
        dag_id="canvas_hold",
        dag_display_name="Canvas hold: keep copies of a course",
        description="Hold copies of a course, whatever the retention rules say, or end the hold.",
        schedule=None,
        catchup=False,
        tags=["canvas"],
        doc_md=_HELP,
        params=form(),
        **ownership(),
    ) as dag:
        filled: dict[str, Any] = {name: Filled(name) for name in form()}  # resolved when the task runs
        CanvasHoldOperator(task_id="hold", retries=2, **filled)
    return dag


def form() -> dict[str, Param]:
    """Return the fields in the order of the form."""
    return {
        "course": Param(
            None,
            title="Course",
            description_md=(
                "Required. Its id in Canvas, its SIS id, code or name, as the archive has it; or group:7, user:3."
            ),
            type="string",
        ),
        "tag": Param(
            None,
            title="Reason",
            description_md="Required. A word of 1 to 12 letters, such as legal. Never a person's name.",
            type="string",
        ),
        "copy": Param(
            None,
            title="Copy",
            description_md="Empty: all copies of the course that there are. Or the key of one manifest.",
            type=["string", "null"],
        ),
        "lift": Param(
            False,
            title="End the hold",
            description_md="Lift the tag instead. Copies that nothing else holds then follow the retention rules.",
            type="boolean",
        ),
        "archive": archive_field(),
    }
