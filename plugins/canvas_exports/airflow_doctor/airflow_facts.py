"""Check this Airflow: its version, its components, the backups in its DAG folder, and their pools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from platform import python_version

from airflow.configuration import conf
from airflow.jobs.job import most_recent_job
from airflow.models.dag import DagModel
from airflow.models.pool import Pool
from airflow.providers_manager import ProvidersManager
from airflow.utils.session import create_session
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from canvas_exports import __version__
from canvas_exports.airflow_doctor.connection_facts import check_connections
from canvas_exports.core.backups import Backup, include_folder
from canvas_exports.core.backups.fields import is_template
from canvas_exports.core.doctor.backups import check_include
from canvas_exports.core.doctor.facts import Fact, ok, problem, warning

DISTRIBUTION = "airflow-provider-canvas-exports"
PILOT = "canvas_backup_pilot"  # of the files that `canvas-archive init` writes: the one to begin with

#: Components by the type of their job in Airflow's database, and the command that starts each.
COMPONENTS = {
    "scheduler": "SchedulerJob",
    "dag-processor": "DagProcessorJob",
    "triggerer": "TriggererJob",
}


def gather() -> Iterator[Fact]:
    """Yield the facts of this Airflow, and of what the connections of its backups name."""
    yield from _installation()
    backups, facts = check_include(include_folder(str(Path(conf.get("core", "dags_folder")) / "backups.py")))
    yield from facts
    try:
        yield from _database(backups.backups)
    except SQLAlchemyError as error:
        yield problem(
            "database",
            f"Airflow's database does not answer: {type(error).__name__}.",
            "Run this command where `airflow db check` works; a new Airflow needs `airflow db migrate`.",
        )
    yield from check_connections(backups.backups)


def _installation() -> Iterator[Fact]:
    yield ok(
        "airflow",
        f"Airflow {version('apache-airflow-core')}, {DISTRIBUTION} {__version__}, Python {python_version()}.",
    )
    if DISTRIBUTION in ProvidersManager().providers:
        yield ok("provider", "Airflow has loaded the provider.")
    else:
        yield warning(
            "provider",
            "Airflow has not loaded the provider, so its connection types are not in Airflow's form.",
            f"Install it with pip in every component: pip install {DISTRIBUTION}",
        )


def _database(backups: Iterable[Backup]) -> Iterator[Fact]:
    for component, job_type in COMPONENTS.items():
        job = most_recent_job(job_type)
        if job is not None and job.is_alive():
            yield ok(component, f"The {component} is alive.")
        else:
            seen = (
                "has never run"
                if job is None
                else f"was last seen at {job.latest_heartbeat:%Y-%m-%d %H:%M:%S} UTC"
            )
            yield problem(component, f"The {component} {seen}.", f"airflow {component}")
    yield from _dags(backups)
    yield from _pools(backups)


def _dags(backups: Iterable[Backup]) -> Iterator[Fact]:
    """Yield whether Airflow has read the DAG of each backup."""
    wanted = {f"canvas_backup_{backup.name}" for backup in backups}
    with create_session() as session:
        rows = session.execute(
            select(DagModel.dag_id, DagModel.is_paused).where(DagModel.dag_id.in_(wanted), ~DagModel.is_stale)
        )
        paused = {row.dag_id: row.is_paused for row in rows}
    for dag_id in sorted(wanted - set(paused)):
        yield problem(
            dag_id,
            "Airflow has not read this DAG yet.",
            "Wait for the dag-processor, or look at `airflow dags list-import-errors`.",
        )
    running = sorted(dag_id for dag_id, is_paused in paused.items() if not is_paused)
    if running:
        yield ok("dags", f"These backups are on: {', '.join(running)}.")
    elif paused:
        first = PILOT if PILOT in paused else min(paused)
        yield warning(
            "dags", "Every backup is paused.", f"When nothing else is missing: airflow dags unpause {first}"
        )


def _pools(backups: Iterable[Backup]) -> Iterator[Fact]:
    """Yield whether the pools that backups name are there."""
    wanted = {backup.pool for backup in backups if backup.pool and not is_template(backup.pool)}
    with create_session() as session:
        rows = session.execute(select(Pool.pool, Pool.slots, Pool.include_deferred))
        found = {row.pool: row for row in rows}
    for name in sorted(wanted):
        if name not in found:
            yield problem(
                f"pool {name}",
                "A backup names this pool, and Airflow has none of this name.",
                "airflow pools import include/pools.json",
            )
        elif not found[name].include_deferred:
            yield warning(
                f"pool {name}",
                "The pool does not count deferred tasks, so it does not limit batches that wait for Canvas.",
                f'airflow pools set --include-deferred {name} {found[name].slots} "Batches that wait for one Canvas"',
            )
        else:
            yield ok(f"pool {name}", f"The pool has {found[name].slots:,} slots, and counts deferred tasks.")
    if not wanted:
        yield ok("pools", "No backup names a pool.")
