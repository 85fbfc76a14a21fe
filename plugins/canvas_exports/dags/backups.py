"""A DAG for each backup file."""

from __future__ import annotations

from pathlib import Path

import pendulum
from airflow.sdk import DAG

from canvas_exports.airflow_compat import CronTriggerTimetable
from canvas_exports.core.backups import Backup, load_backups
from canvas_exports.core.backups.summary import describe, summarize
from canvas_exports.dags.backup_tasks import add_backup_tasks
from canvas_exports.dags.owners import ownership
from canvas_exports.dags.trigger_form import Filled, setting_fields

#: Section of the form for starting a backup by hand.
SECTION = "Settings of this run"


def backup_dags(include: Path) -> dict[str, DAG]:
    """Return the DAGs of all valid backup files in an include folder, by id. Skips invalid files; see ``load_backups``."""
    return {dag.dag_id: dag for dag in map(backup_dag, load_backups(include).backups)}


def backup_dag(backup: Backup) -> DAG:
    """Build the DAG of one backup: one run at a time, and no run for a missed day."""
    params = setting_fields(backup.settings, SECTION)
    zone = pendulum.timezone(backup.timezone)
    day = backup.start_date
    with DAG(
        dag_id=f"canvas_backup_{backup.name}",
        # A search that takes _ for any character, as Airflow's does up to 3.2, finds this name by the id, too.
        dag_display_name=backup.display_name or f"Canvas backup {backup.name.replace('_', ' ')}",
        description=describe(backup),
        schedule=None if backup.schedule is None else CronTriggerTimetable(backup.schedule, timezone=zone),
        start_date=None if day is None else pendulum.datetime(day.year, day.month, day.day, tz=zone),
        catchup=False,
        max_active_runs=1,
        tags=["canvas", "backup", *backup.tags],
        doc_md=summarize(backup),
        params=params,
        **ownership(backup.owner),
    ) as dag:
        add_backup_tasks(
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
            search_index=backup.search_index,
            timezone=backup.timezone,
            notify=backup.notify,
            notify_when=backup.notify_when,
            max_age=backup.max_age,
            publish=backup.publish,
        )
    return dag
