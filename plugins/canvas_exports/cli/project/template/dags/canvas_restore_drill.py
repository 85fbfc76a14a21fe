"""The Airflow DAG that restores a few copies every week, and checks that they can be restored."""

from __future__ import annotations

from canvas_exports.dags.restore_drill import canvas_restore_drill

dag = canvas_restore_drill()
