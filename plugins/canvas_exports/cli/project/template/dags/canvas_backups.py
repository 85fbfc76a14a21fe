"""One Airflow DAG for each file in include/backups: add a YAML file, and a DAG appears."""

from __future__ import annotations

from canvas_exports.core.backups import include_folder
from canvas_exports.dags.backups import backup_dags

globals().update(backup_dags(include_folder(__file__)))
