"""The Airflow DAG that restores a course from the archive, with a form for the course, the copy and the target course."""

from __future__ import annotations

from canvas_exports.dags.restore import canvas_restore

dag = canvas_restore()
