"""Prove stored packages again, every week: an Airflow DAG that finds damage before the copy is needed."""

from __future__ import annotations

from canvas_exports.dags.verify import canvas_verify

dag = canvas_verify()
