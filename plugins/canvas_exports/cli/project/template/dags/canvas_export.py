"""The Airflow DAG that exports courses by hand, with a form for the courses, the export type and the archive."""

from __future__ import annotations

from canvas_exports.dags.manual_export import canvas_export

dag = canvas_export()
