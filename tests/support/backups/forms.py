"""The DAGs that are started with a form, and a task with its form filled in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, BaseOperator
from airflow.sdk.definitions.mappedoperator import MappedOperator
from airflow.serialization.serialized_objects import DagSerialization

from canvas_exports.dags.trigger_form import Filled
from canvas_sandbox import Sandbox

DAGS = Path(__file__).parents[3] / "dags"


def with_forms() -> dict[str, DAG]:
    """Every DAG of the folder: each may be started with any configuration, as JSON, by whoever may start it."""
    dags: Any = DagBag(dag_folder=DAGS, bundle_path=DAGS).dags
    return dict(dags)


def use(canvas: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make it the one of the usual connection."""
    fields = {"conn_type": "canvas", "host": canvas.url, "password": canvas.token}
    monkeypatch.setenv("AIRFLOW_CONN_CANVAS_DEFAULT", json.dumps(fields))


def alone(make: Callable[[], DAG], typed: dict[str, Any]) -> BaseOperator:
    """The first task of a DAG with its form filled in, for the DAG under construction."""
    dag = make()
    task: Any = dag.get_task(dag.roots[0].task_id)
    arguments = {
        name: value if not isinstance(value, Filled) else AsTyped(value, {**dag.params.dump(), **typed}, dag)
        for name, value in task._BaseOperator__init_kwargs.items()
        if name not in ("dag", "task_group", "outlets", "params", "default_args")
    }
    made: BaseOperator = type(task)(**arguments)
    return made


def filled(make: Callable[[], DAG], **entries: Any) -> dict[str, Any]:
    """The form as Airflow's API checks it, from the stored DAG."""
    stored = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(make()))))
    params: dict[str, Any] = stored.params.deep_merge(entries).validate()
    return params


def rendered(make: Callable[[], DAG], task_id: str, mapped: dict[str, Any], **entries: Any) -> Any:
    """A task, unmapped with these arguments, whose templates have been filled in from the form."""
    dag = make()
    task: Any = dag.get_task(task_id)
    if isinstance(task, MappedOperator):
        task = task.unmap(mapped)
    if task_id == "report":
        task.batches = []
    context: Any = {"params": filled(make, **entries), "dag": dag}
    task.render_template_fields(context, dag.get_template_env())
    return task


@pytest.fixture(autouse=True)
def administrator(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an administrator has set up, in each test of a module that imports this fixture."""
    monkeypatch.setenv("AIRFLOW_VAR_CANVAS_ARCHIVE", "s3://campus/canvas")
    monkeypatch.setenv("AIRFLOW_CONN_CANVAS_DEFAULT", json.dumps({"conn_type": "canvas", "host": "c.edu"}))
    monkeypatch.setenv("AIRFLOW_CONN_LAW", json.dumps({"conn_type": "canvas_archive", "host": "s3://law/a"}))


class AsTyped:
    """A field of the form, in a DAG of another name."""

    def __init__(self, filled: Filled, params: dict[str, Any], dag: DAG) -> None:
        self._filled, self._params, self._dag = filled, params, dag

    def resolve(self, _: Any) -> Any:
        return self._filled.resolve({"params": self._params, "dag": self._dag})
