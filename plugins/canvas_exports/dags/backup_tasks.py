"""The tasks of every backup: list, export, report, and retention where it has a policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import AssetAlias, TriggerRule

from canvas_exports.dags.mail_alerts import alarms, mails
from canvas_exports.hooks.archive_replicas import named_archives
from canvas_exports.operators.asset_events import ARCHIVE_ALIAS
from canvas_exports.operators.content_export import CanvasContentExportOperator
from canvas_exports.operators.list_courses import CanvasListCoursesOperator
from canvas_exports.operators.retention import CanvasRetentionOperator
from canvas_exports.operators.run_report import CanvasRunReportOperator

RETRY_DELAY = timedelta(minutes=1)

#: What Airflow's UI calls a batch: ``course:101 and 49 more``.
BATCH_NAME = "{{ task.batch_name }}"


def back_up(
    *,
    archive: str,
    export_types: Any,
    listing: Mapping[str, Any],
    options: Mapping[str, Any],
    settings: Mapping[str, Any],
    connections: Mapping[str, Any],
    retries: int = 3,
    max_active_batches: int = 8,
    pool: str | None = None,
    sweep_after: str = "P2D",
    keep: Mapping[str, Any] | None = None,
    timezone: str = "UTC",
    notify: Sequence[str] = (),
    notify_when: str = "problems",
    also_archives: Any = (),
) -> None:
    """Add the tasks of a backup to the DAG under construction.

    ``list`` finds the contexts and cuts them into batches, ``export`` carries one batch in each mapped task, ``report``
    merges what became of them and judges the run as a whole: a batch by itself fails only where it could not go on.
    With a policy, ``retention`` deletes what the backup need not keep. It waits for the batches and not for the verdict: it
    counts copies and not nights, so that a bad night costs no copy, and a backup in which one course fails every night
    does not grow for ever. As it is a last task of its own, a run is green only if both are.

    Args:
        archive: root URI of the archive.
        export_types: what to export of each context: a list, or one.
        listing: which contexts: arguments of ``CanvasListCoursesOperator``.
        options: what exactly: arguments of ``CanvasContentExportOperator`` named in ``OPTIONS``.
        settings: how: a value for each name in ``SETTINGS``.
        connections: ``archive_conn_id`` and ``canvas_conn_id``, as far as they are named.
        retries: of each task. A retry does only what is missing.
        max_active_batches: batches of one run under way at once.
        pool: Airflow pool of the batches.
        sweep_after: how old leftovers of killed runs have to be for ``report`` to remove them, or ``never``.
        keep: the retention policy, as ``export.keeping.read_keep`` reads it, and ``apply``; ``None``: nothing is deleted.
        timezone: in which the report tells times, and the policy's days begin.
        notify: mail addresses that hear of each run, by the report; or that there is none, because ``list`` failed.
        notify_when: ``problems`` or ``always``.
        also_archives: further archives that are to hold the same; in each of them, the policy applies by itself.
    """
    again: dict[str, Any] = {"retries": retries, "retry_delay": RETRY_DELAY}
    how = dict(settings)
    batch_size, fail_on = how.pop("batch_size"), how.pop("fail_on")
    listed = CanvasListCoursesOperator(
        task_id="list",
        archive=archive,
        also_archives=also_archives,
        export_types=export_types,
        batch_size=batch_size,
        fail_on=fail_on,
        **connections,
        **listing,
        **again,
        **alarms(notify),
    )
    batches: Any = listed.output
    placement = {} if pool is None else {"pool": pool}
    exported = CanvasContentExportOperator.partial(
        task_id="export",
        archive=archive,
        also_archives=also_archives,
        export_type=export_types,
        fail_on="never",
        deferrable=True,
        map_index_template=BATCH_NAME,
        max_active_tis_per_dagrun=max_active_batches,
        # A mapped task takes its outlets from here alone, so the operator's own default has to be repeated.
        outlets=[AssetAlias(ARCHIVE_ALIAS)],
        **connections,
        **options,
        **how,
        **placement,
        **again,
    ).expand(courses=batches)
    report = CanvasRunReportOperator(
        task_id="report",
        archive=archive,
        also_archives=also_archives,
        batches=batches,
        export_type=export_types,
        archive_conn_id=connections.get("archive_conn_id"),
        fail_on=fail_on,
        sweep_after=sweep_after,
        key_template=options.get("key_template"),
        timezone=timezone,
        # However the batches ended, but not where nothing was listed: a run is as good as its last task.
        trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS,
        **again,
        **mails(notify, notify_when),
    )
    exported >> report
    if keep is None:
        return
    rules = dict(keep)
    apply = rules.pop("apply", False)
    first = connections.get("archive_conn_id")
    for number, (root, conn_id) in enumerate(named_archives(archive, first, also_archives), start=1):
        exported >> CanvasRetentionOperator(
            task_id="retention" if number == 1 else f"retention_{number}",
            archive=root,
            apply=apply,
            keep=rules,
            archive_conn_id=conn_id,
            timezone=timezone,
            trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS,
            **again,
        )
