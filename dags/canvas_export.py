"""Export courses by hand: an Airflow DAG with a form that asks which courses, as what, and where to."""

from __future__ import annotations

from canvas_exports.dags.manual_export import canvas_export

dag = canvas_export()
