"""The DAGs that are started with a form, and a task with its form filled in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, BaseOperator

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


class AsTyped:
    """A field of the form, in a DAG of another name."""

    def __init__(self, filled: Filled, params: dict[str, Any], dag: DAG) -> None:
        self._filled, self._params, self._dag = filled, params, dag

    def resolve(self, _: Any) -> Any:
        return self._filled.resolve({"params": self._params, "dag": self._dag})
