"""A real Airflow to measure: PostgreSQL, scheduler, triggerer, API server, DAG processor, LocalExecutor.

Every change of a task instance's state is written down by PostgreSQL itself, so that deferrals and worker time are counted
where they happen, and no component is asked or slowed for it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import psycopg2  # type: ignore[import-untyped]  # it has no types

from benchmarks.report import ROOT
from canvas_cluster.databases import Postgres
from canvas_demo.airflow.airflow_stack import AirflowStack
from canvas_demo.processes.cleanup import end_with_parent
from canvas_demo.processes.ports import any_free
from canvas_demo.processes.programs import Programs

MIB = 1024**2
PARALLELISM = 8  # task processes at once, of ours and of the peers'
_SAMPLE = 5.0  # seconds between two looks at the triggerer's memory

_HISTORY = """
CREATE TABLE bench_history (
    at timestamptz NOT NULL, dag_id text, run_id text, task_id text, map_index int, state text, ti uuid);
CREATE FUNCTION bench_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO bench_history VALUES
        (clock_timestamp(), NEW.dag_id, NEW.run_id, NEW.task_id, NEW.map_index, NEW.state, NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER bench_note AFTER UPDATE OF state ON task_instance
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION bench_note();
"""

_SPENT = """
WITH steps AS (
    SELECT state, at, lead(at) OVER (PARTITION BY ti ORDER BY at) AS until
    FROM bench_history WHERE dag_id = %(dag)s AND run_id = %(run)s)
SELECT count(*) FILTER (WHERE state = 'running'),
       count(*) FILTER (WHERE state = 'deferred'),
       coalesce(sum(extract(epoch FROM until - at)) FILTER (WHERE state = 'running'), 0),
       count(*) FILTER (WHERE state IN ('failed', 'up_for_retry'))
FROM steps
"""


@dataclass(frozen=True)
class Spent:
    """What a DAG run cost Airflow.

    Attributes:
        instances: task instances.
        executions: times a worker took one up; every deferral adds one.
        deferrals: times one was handed to the triggerer.
        worker_seconds: seconds that worker slots were held.
        failures: attempts that failed, retried or not.
    """

    instances: int
    executions: int
    deferrals: int
    worker_seconds: float
    failures: int


class RealAirflow:
    """The stack, and what is measured of it."""

    def __init__(self, stack: AirflowStack, database: str) -> None:
        self.stack = stack
        self._database = database
        self._over = threading.Event()
        self._peak = 0.0

    def watch_memory(self) -> None:
        """Begin to look at the triggerer's memory; shared pages are counted by halves (PSS)."""
        threading.Thread(target=self._sample, daemon=True).start()

    def take_peak(self) -> float:
        """The triggerer's peak in MiB since the last call."""
        self._peak, peak = 0.0, self._peak
        return peak

    def spent(self, dag_id: str, run_id: str) -> Spent:
        """What a run has cost so far."""
        with psycopg2.connect(self._database) as connection, connection.cursor() as cursor:
            cursor.execute(_SPENT, {"dag": dag_id, "run": run_id})
            executions, deferrals, seconds, failures = cursor.fetchone()
        instances = len(self.stack.task_instances(dag_id, run_id))
        return Spent(instances, executions, deferrals, float(seconds), failures)

    def query(self, text: str, *values: object) -> list[tuple[Any, ...]]:
        """What Airflow's database answers."""
        with psycopg2.connect(self._database) as connection, connection.cursor() as cursor:
            cursor.execute(text, values)
            return list(cursor.fetchall())

    def cpu(self) -> float:
        """Seconds of processor time that all of Airflow has used so far, without PostgreSQL."""
        return sum(_cpu(process) for program in self.stack.programs.running for process in program.tree())

    def end(self) -> None:
        """Stop looking."""
        self._over.set()

    def _sample(self) -> None:
        while not self._over.wait(_SAMPLE):
            trees = [program.tree() for program in self.stack.programs.running if program.name == "triggerer"]
            try:
                held = sum(process.memory_full_info().pss for tree in trees for process in tree)
            except psutil.Error:
                continue
            self._peak = max(self._peak, held / MIB)


@contextmanager
def real_airflow(home: Path, include: Path, dags: Path) -> Iterator[RealAirflow]:
    """Start all of it, and stop and remove it whatever happens.

    Args:
        home: an empty folder.
        include: the folder with ``backups/``.
        dags: the folder of DAG files.
    """
    backing = Programs(home / "postgres", dict(os.environ), end_with_parent)
    postgres = Postgres(home / "postgres" / "cluster", backing)
    stack = None
    try:
        postgres.create()
        postgres.start()
        stack = AirflowStack(
            home / "airflow",
            ROOT,
            any_free(),
            _settings(postgres.address, include, dags),
            partial(Programs, first=end_with_parent),
        )
        stack.start()
        database = f"postgresql://{postgres.address}"
        with psycopg2.connect(database) as connection, connection.cursor() as cursor:
            cursor.execute(_HISTORY)
        airflow = RealAirflow(stack, database)
        airflow.watch_memory()
        try:
            yield airflow
        finally:
            airflow.end()
    finally:
        if stack is not None:
            stack.stop()
        backing.stop()
        postgres.remove()


def _settings(address: str, include: Path, dags: Path) -> Mapping[str, str]:
    return {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{address}",
        "AIRFLOW__CORE__PARALLELISM": str(PARALLELISM),
        "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": "2000",
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "CANVAS_EXPORTS_INCLUDE": str(include),
        "PYTHONPATH": ":".join(str(ROOT / part) for part in ("", "plugins", "dev")),
    }


def _cpu(process: psutil.Process) -> float:
    try:
        times: Any = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
