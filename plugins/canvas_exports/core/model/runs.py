"""The Airflow run that a report, a manifest or a key belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from canvas_exports import __version__

#: What manifests and reports name as the program that wrote them.
SOFTWARE = f"canvas_exports {__version__}"

#: The DAG whose courses a person types in: an id that neither Canvas nor the archive knows was a typing error.
MANUAL_EXPORT = "canvas_export"


@dataclass(frozen=True)
class RunInfo:
    """One task of an Airflow run, in plain values.

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
        """Return the name of this task within the run: ``export`` or ``export-3``."""
        return self.task_id if self.map_index < 0 else f"{self.task_id}-{self.map_index}"

    def to_facts(self) -> RunFacts:
        """Return what manifests and reports state of the run."""
        return RunFacts(SOFTWARE, self.dag_id, self.run_id, self.task_id, self.map_index, self.try_number)


@dataclass(frozen=True)
class RunFacts:
    """The run as manifests and reports state it. All but ``software`` are ``None`` outside Airflow."""

    software: str
    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    map_index: int | None = None
    attempt: int | None = None
