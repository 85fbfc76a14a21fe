"""Which Airflow run, and which part of it, something belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class RunInfo:
    """Plain values for manifests, reports and object keys.

    Attributes:
        dag_id, run_id, task_id: as Airflow writes them.
        map_index: of a mapped task; -1 otherwise.
        try_number: the attempt, from 1.
        started_at: when the DAG run began, in seconds since the epoch.
        date: the day the run belongs to, in UTC.
    """

    dag_id: str
    run_id: str
    task_id: str
    date: date
    map_index: int = -1
    try_number: int = 1
    started_at: float = 0.0

    @property
    def part(self) -> str:
        """This task's name within the run: ``export`` or ``export-3``."""
        return self.task_id if self.map_index < 0 else f"{self.task_id}-{self.map_index}"
