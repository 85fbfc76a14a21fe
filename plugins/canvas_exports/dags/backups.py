"""A DAG for each backup file."""

from __future__ import annotations

from pathlib import Path

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable

from canvas_exports.core.backups import Backup, load_backups
from canvas_exports.core.backups.summary import summary
from canvas_exports.dags.backup_tasks import back_up
from canvas_exports.dags.trigger_form import Filled, setting_fields

#: Of the form that Airflow shows to a person who starts a backup by hand.
SECTION = "For this run only"


def backup_dags(include: Path) -> dict[str, DAG]:
    """The DAGs of all whole backups in an include folder, by id. Broken files are passed over; see ``load_backups``."""
    return {dag.dag_id: dag for dag in map(backup_dag, load_backups(include).backups)}


def backup_dag(backup: Backup) -> DAG:
    """The DAG of one backup: one run at a time, and no run for a day that was missed."""
    params = setting_fields(backup.settings, SECTION)
    zone = pendulum.timezone(backup.timezone)
    day = backup.start_date
    with DAG(
        dag_id=f"canvas_backup_{backup.name}",
        description=backup.description,
        schedule=None if backup.schedule is None else CronTriggerTimetable(backup.schedule, timezone=zone),
        start_date=None if day is None else pendulum.datetime(day.year, day.month, day.day, tz=zone),
        catchup=False,
        max_active_runs=1,
        tags=["canvas", "backup", *backup.tags],
        doc_md=summary(backup),
        params=params,
    ) as dag:
        back_up(
            archive=backup.archive,
            also_archives=list(backup.also_archives),
            export_types=list(backup.export_types),
            listing=backup.listing,
            options=backup.options,
            connections=backup.connections,
            settings={**backup.settings, **{name: Filled(name) for name in params}},
            retries=backup.retries,
            max_active_batches=backup.max_active_batches,
            pool=backup.pool,
            sweep_after=backup.sweep_after,
            keep=backup.keep,
            timezone=backup.timezone,
            notify=backup.notify,
            notify_when=backup.notify_when,
        )
    return dag
