"""The Airflow DAG that holds copies of a course."""

from __future__ import annotations

from canvas_exports.dags.hold import canvas_hold

dag = canvas_hold()
