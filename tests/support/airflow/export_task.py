"""Run the export operator under Airflow's own task runner, and count what it exported and stored."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from tests.support.airflow.task_runner import TaskRun

from canvas_exports.operators.content_export import CanvasContentExportOperator
from canvas_sandbox import Sandbox

CANVAS = "canvas_default"


def task(canvas: Sandbox, folder: Path, retries: int = 0, **arguments: Any) -> TaskRun:
    values = {
        "courses": ["100", "101"],
        "archive": folder.as_uri(),
        "deferrable": True,
        "poll_shortest": 0.2,
        "poll_longest": 0.5,
        **arguments,
    }
    connections = {CANVAS: {"conn_type": "canvas", "host": canvas.url, "password": canvas.token}}
    return TaskRun(
        lambda: CanvasContentExportOperator(task_id="export", retries=retries, **values), connections, retries
    )


def packages(folder: Path) -> Counter[str]:
    """Stored packages by course; each with its manifest."""
    found = [path for path in folder.glob("courses/*/*") if path.suffix in (".imscc", ".zip")]
    assert all(path.with_suffix(".json").exists() for path in found)
    return Counter(path.parent.name for path in found)


def exported(canvas: Sandbox) -> Counter[int]:
    """Exports that Canvas was made to create, by course."""
    return Counter(int(export.context.partition(":")[2]) for export in canvas.exports)


def outcomes(task_run: TaskRun) -> dict[str, str]:
    return {item["context"]: item.get("outcome", "none") for item in task_run.checkpoint["items"]}
