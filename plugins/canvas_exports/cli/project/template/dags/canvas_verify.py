"""The Airflow DAG that verifies stored packages every week."""

from __future__ import annotations

from canvas_exports.dags.verify import canvas_verify

dag = canvas_verify()
