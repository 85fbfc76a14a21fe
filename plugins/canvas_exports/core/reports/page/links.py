"""Links of a row to Canvas and Airflow. They hold no credentials."""

from __future__ import annotations

import re
from urllib.parse import quote

from canvas_exports.core.archive.run_report import OutcomeRecord
from canvas_exports.core.reports.page.view import RunView

#: The DAG that restores a course.
RESTORING = "canvas_restore"

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+")
_BASE = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?")
_IN_CANVAS = re.compile(r"(course|group)(?::|s/)([1-9][0-9]{0,18})(?:/.*)?")
_MANIFEST = re.compile(r"\.[A-Za-z0-9]+$")


def canvas_origin(view: RunView) -> str:
    """Return the address of Canvas, from the list of courses or a manifest of the run; empty if unknown."""
    if view.canvas is not None:
        return view.canvas if _ORIGIN.fullmatch(view.canvas) else ""
    for facts in view.copies.facts.values():
        if facts.canvas and _ORIGIN.fullmatch(
            found := facts.canvas if "://" in facts.canvas else f"https://{facts.canvas}"
        ):
            return found
    return ""


def airflow_base(view: RunView) -> str:
    """Return the address of Airflow's UI, without a slash at its end; empty where it is none that a browser can open."""
    return view.airflow.rstrip("/") if _BASE.fullmatch(view.airflow) else ""


def canvas_path(record: OutcomeRecord) -> str:
    """Return the page of a course or group, below Canvas's address; empty where its number is not known."""
    for text in (record.context, record.key or ""):
        if (found := _IN_CANVAS.fullmatch(text)) is not None:
            return f"/{found[1]}s/{found[2]}"
    return ""


def task_path(record: OutcomeRecord, view: RunView) -> str:
    """Return the path of the task that reported a row, below the address of Airflow's UI; empty if unknown."""
    if not (record.task_id and view.run.dag_id and view.run.run_id):
        return ""
    dag, run, task = (quote(text, safe="") for text in (view.run.dag_id, view.run.run_id, record.task_id))
    mapped = "" if record.map_index is None else f"/mapped/{record.map_index}"
    return f"/dags/{dag}/runs/{run}/tasks/{task}{mapped}"


def restore_path() -> str:
    """Return the path of the DAG that restores a course, below the address of Airflow's UI."""
    return f"/dags/{RESTORING}"


def manifest_key(package: str) -> str:
    """Return the key of the manifest that lies beside a package."""
    return _MANIFEST.sub(".json", package)


def links(record: OutcomeRecord, view: RunView) -> list[tuple[str, str]]:
    """Return names and addresses of the links of a row."""
    canvas, airflow = canvas_origin(view), airflow_base(view)
    found = [
        ("Canvas", canvas, canvas_path(record)),
        ("Task", airflow, task_path(record, view)),
        ("Restore", airflow, restore_path()),
    ]
    return [(name, f"{base}{path}") for name, base, path in found if base and path]
