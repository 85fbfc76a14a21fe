"""The tasks of every backup, with what they wait for made short."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Context, Param

from canvas_exports.airflow_compat import TaskStateStore, task_state_store
from canvas_exports.core.backups.fields import CONNECTIONS, OPTIONS, SETTINGS
from canvas_exports.core.backups.schema import schema
from canvas_exports.core.export.waits import Waits
from canvas_exports.dags import backup_tasks
from canvas_exports.dags.trigger_form import Filled
from canvas_exports.operators.content_export import CanvasContentExportOperator
from canvas_exports.operators.task_support import checkpoints

backup_tasks.RETRY_DELAY = timedelta(seconds=2)
CanvasContentExportOperator.waits = Waits(
    before_transfers=(0.0, 0.5, 1.0), batch_delay=3.0, max_batch_delay=10.0
)


def _state_store(context: Context) -> TaskStateStore | None:
    """Airflow's store for the state of tasks; none where the run says so, as before Airflow 3.3."""
    return None if context["params"]["state_in_archive"] else task_state_store(context)


setattr(checkpoints, "task_state_store", _state_store)  # noqa: B010 - for mypy it is a name of another module


class Given:
    """A param as its DAG's author meant it: this one may be given any archive, which no shipped form may."""

    def __init__(self, name: str) -> None:
        self.name = name

    def resolve(self, context: Mapping[str, Any]) -> Any:
        """Airflow calls this where it would render a template."""
        return context["params"][self.name] or None

    def __repr__(self) -> str:
        return f"{{{{ params.{self.name} }}}}"


POLLING = {"poll_shortest": 0.2, "poll_longest": 1.0}

with DAG(
    dag_id="impatient",
    schedule=None,
    max_active_runs=50,
    max_active_tasks=50,
    params={
        "courses": Param([], type="array"),
        "archive": Param("", type="string"),
        "state_in_archive": Param(False, type="boolean"),
        "archive_conn_id": Param(None, type=["string", "null"]),
        **{
            name: Param(schema()["properties"][name].get("default"))
            for name in (*OPTIONS, *SETTINGS, "canvas_conn_id")
        },
    },
    render_template_as_native_obj=True,
) as dag:
    backup_tasks.add_backup_tasks(
        archive="{{ params.archive }}",
        export_types="common_cartridge",
        listing={"courses": Filled("courses")},
        options={name: Given(name) for name in OPTIONS},
        connections={name: Given(name) for name in CONNECTIONS},
        settings={**{name: Filled(name) for name in SETTINGS}, **POLLING},
        retries=10,
    )
