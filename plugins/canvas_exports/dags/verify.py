"""The DAG that verifies stored packages, and its trigger form."""

from __future__ import annotations

from airflow.sdk import DAG, Param

from canvas_exports.airflow_compat import CronTriggerTimetable
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.dags.owners import ownership
from canvas_exports.dags.trigger_form import Filled, archive_field
from canvas_exports.operators.verify import MOST_AT_ONCE, CanvasVerifyOperator

_HELP = """
Reads stored packages again and compares them with their manifests. Begins with the packages whose last verification is
oldest. Writes each result beside its manifest, and fails if a package is not what was stored.

Runs every Saturday for four hours, and continues on the next Saturday. Trigger it by hand to verify another archive, or
for longer.
"""


def canvas_verify() -> DAG:
    """Build the DAG ``canvas_verify``: one task with a time limit, and a form."""
    with DAG(
        dag_id="canvas_verify",
        dag_display_name="Canvas verify: are stored copies intact?",
        description="Verify stored packages, to find damage before a copy is needed.",
        schedule=CronTriggerTimetable("0 6 * * 6", timezone="UTC"),
        catchup=False,
        max_active_runs=1,
        tags=["canvas"],
        doc_md=_HELP,
        params=_form(),
        **ownership(),
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
            description_md="full reads every byte. directory is quick, but does not detect changed bytes inside a file.",
            type="string",
            enum=[ProofLevel.FULL.value, ProofLevel.DIRECTORY.value],
        ),
        "max_time": Param(
            "PT4H",
            title="Time limit",
            description_md="After this time no other package is started (ISO 8601: PT4H). Empty: no limit.",
            type=["string", "null"],
        ),
        "max_gigabytes": Param(
            None,
            title="Gigabyte limit",
            description_md="How many gigabytes to read. Empty: no limit.",
            type=["number", "null"],
            exclusiveMinimum=0,
        ),
        "parallel": Param(
            2,
            title="Parallel packages",
            description_md="How many packages are read at the same time.",
            type="integer",
            minimum=1,
            maximum=MOST_AT_ONCE,
        ),
        "allow_empty": Param(
            False,
            title="Allow an empty archive",
            description_md="Without this, an archive without a copy is an error, because its address may be wrong.",
            type="boolean",
        ),
    }
