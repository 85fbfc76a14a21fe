"""Restore a few copies for trial, every week: an Airflow DAG that finds out whether they really come back."""

from __future__ import annotations

from canvas_exports.dags.restore_drill import canvas_restore_drill

dag = canvas_restore_drill()
