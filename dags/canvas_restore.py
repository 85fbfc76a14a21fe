"""Bring a course back from the archive: an Airflow DAG with a form that asks which, as of when, and into which course."""

from __future__ import annotations

from canvas_exports.dags.restore import canvas_restore

dag = canvas_restore()
