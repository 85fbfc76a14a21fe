"""What the services of the cluster are called and started with."""

from __future__ import annotations

from collections.abc import Mapping

INIT = ("airflow", "db", "migrate")
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "api-server": ("airflow", "api-server"),
    "scheduler": ("airflow", "scheduler"),
    "dag-processor": ("airflow", "dag-processor"),
    "worker": ("airflow", "celery", "worker"),
    "triggerer": ("airflow", "triggerer"),
}
ENVIRONMENT: Mapping[str, str] = {"AIRFLOW__CORE__EXECUTOR": "CeleryExecutor"}
