"""Build DAGs from backups, and serialise them as Airflow does."""

from __future__ import annotations

import json
from typing import Any

from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization

from canvas_exports.core.backups import Backup
from canvas_exports.dags.backups import backup_dag


def build(**fields: Any) -> DAG:
    given: dict[str, Any] = {
        "name": "nightly",
        "file": "include/backups/nightly.yaml",
        "schedule": "0 2 * * *",
        "archive": "{{ var.value.canvas_archive }}",
        "listing": {"courses": [101]},
        **fields,
    }
    return backup_dag(Backup(**given))


def round_trip(dag: DAG) -> Any:
    return DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))
