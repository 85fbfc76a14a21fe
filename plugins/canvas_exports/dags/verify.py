"""The DAG that proves again what is stored."""

from __future__ import annotations

from airflow.sdk import DAG, CronTriggerTimetable, Param

from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.dags.trigger_form import Filled, archive_field
from canvas_exports.operators.verify import MOST_AT_ONCE, CanvasVerifyOperator

_HELP = """
Reads stored packages again and compares them with their manifests, those first that nobody has looked at for longest.
What it finds is recorded beside each manifest, and the task fails if a package is not what was stored.

Every Saturday, for four hours: what does not fit is the next Saturday's. Trigger it by hand to look at another archive,
or for longer.
"""


def canvas_verify() -> DAG:
    """The DAG ``canvas_verify``: one task, a budget, a form."""
    with DAG(
        dag_id="canvas_verify",
        description="Prove again what is stored: damage is found before the copy is needed.",
        schedule=CronTriggerTimetable("0 6 * * 6", timezone="UTC"),
        catchup=False,
        max_active_runs=1,
        tags=["canvas"],
        doc_md=_HELP,
        params=_form(),
    ) as dag:
        CanvasVerifyOperator(
            task_id="verify",
            archive=Filled("archive"),  # type: ignore[arg-type] # resolved when the task runs
            level=Filled("level"),  # type: ignore[arg-type] # likewise
            max_gigabytes=Filled("max_gigabytes"),  # type: ignore[arg-type] # likewise
            max_time=Filled("max_time"),  # type: ignore[arg-type] # likewise
            parallel=Filled("parallel"),  # type: ignore[arg-type] # likewise
            allow_empty=Filled("allow_empty"),  # type: ignore[arg-type] # likewise
            retries=2,
        )
    return dag


def _form() -> dict[str, Param]:
    return {
        "archive": archive_field(),
        "level": Param(
            ProofLevel.FULL.value,
            title="Level",
            description_md="full reads every byte. directory is quick, and does not see bits that rotted inside a file.",
            type="string",
            enum=[ProofLevel.FULL.value, ProofLevel.DIRECTORY.value],
        ),
        "max_time": Param(
            "PT4H",
            title="Longest time",
            description_md="After it no further package is begun (ISO 8601: PT4H); empty for as long as it takes.",
            type=["string", "null"],
        ),
        "max_gigabytes": Param(
            None,
            title="Most gigabytes",
            description_md="How much to read; empty for as much as fits into the time.",
            type=["number", "null"],
            exclusiveMinimum=0,
        ),
        "parallel": Param(
            2,
            title="At once",
            description_md="Packages that are read at the same time.",
            type="integer",
            minimum=1,
            maximum=MOST_AT_ONCE,
        ),
        "allow_empty": Param(
            False,
            title="The archive may be empty",
            description_md="Without this, an archive that holds no copy is an error: its address may be a wrong one.",
            type="boolean",
        ),
    }
