"""The tasks of every backup: list, export, report, retention where it has a policy, and the search index where it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import AssetAlias, TriggerRule

from canvas_exports.dags.mail_alerts import failure_mails, report_mails
from canvas_exports.hooks.archive_replicas import named_archives
from canvas_exports.operators.content_export import CanvasContentExportOperator
from canvas_exports.operators.list_courses import CanvasListCoursesOperator
from canvas_exports.operators.publish import CanvasPublishOperator
from canvas_exports.operators.retention import CanvasRetentionOperator
from canvas_exports.operators.run_report import CanvasRunReportOperator
from canvas_exports.operators.search_index import CanvasSearchIndexOperator
from canvas_exports.operators.task_support.asset_events import ARCHIVE_ALIAS

RETRY_DELAY = timedelta(minutes=1)

#: Name of a batch in Airflow's UI: ``course:101 and 49 more``.
BATCH_NAME = "{{ task.batch_name }}"


def add_backup_tasks(
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
    search_index: bool = False,
    max_age: str | None = None,
    publish: str | None = None,
) -> None:
    """Add the tasks of a backup to the DAG under construction.

    ``list`` finds the courses, groups and users and cuts them into batches. Each mapped ``export`` task exports one batch;
    it fails only if it cannot continue. ``report`` merges their outcomes and decides whether the run failed. With a policy,
    ``retention`` deletes copies that need not be kept. It runs after the batches and does not depend on ``report``: it counts
    copies, not nights, so a failed night deletes no additional copy, and an archive does not grow without limit because one
    course fails every night. A run succeeds only if both of these last tasks succeed.

    ``publish`` runs after both. It is a teardown: whether it succeeds does not change what they say of the run.

    Args:
        archive: root URI of the archive.
        export_types: one export type, or a list.
        listing: arguments of ``CanvasListCoursesOperator``: which courses, groups and users.
        options: arguments of ``CanvasContentExportOperator`` named in ``OPTIONS``: which content.
        settings: a value for each name in ``SETTINGS``.
        connections: ``archive_conn_id`` and ``canvas_conn_id``, if they are named.
        retries: of each task. A retry does only what is missing.
        max_active_batches: concurrent batches of one run.
        pool: Airflow pool of the batches.
        sweep_after: minimum age of leftovers of killed runs that ``report`` removes, or ``never``.
        keep: the retention policy, as ``policy_fields.read_keep`` reads it, and ``apply``; ``None``: nothing is deleted.
        timezone: of the times in the report and of the days of the policy.
        notify: mail addresses for the report, or for the failure of ``list``, without which there is no report.
        notify_when: ``problems`` or ``always``.
        search_index: update the search index of the archive after the report; its failure does not fail the run.
        also_archives: replicas of the archive; the policy applies to each of them separately.
        max_age: the promised age of the newest proven copy of each course; ``None`` for no promise.
        publish: root URI of the site with the newest proven copies; ``None``: nothing is published.
    """
    retrying: dict[str, Any] = {"retries": retries, "retry_delay": RETRY_DELAY}
    remaining = dict(settings)
    batch_size, fail_on = remaining.pop("batch_size"), remaining.pop("fail_on")
    listed = CanvasListCoursesOperator(
        task_id="list",
        archive=archive,
        also_archives=also_archives,
        export_types=export_types,
        batch_size=batch_size,
        skip_unchanged=settings["skip_unchanged"],
        fail_on=fail_on,
        **connections,
        **listing,
        **retrying,
        **failure_mails(notify),
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
        # A mapped task does not use the operator's default outlets, so they are repeated here.
        outlets=[AssetAlias(ARCHIVE_ALIAS)],
        **connections,
        **options,
        **remaining,
        **placement,
        **retrying,
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
        max_age=max_age,
        # Also after failed batches, but not after a failed ``list``: the last task decides the state of the run.
        trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS,
        **retrying,
        **report_mails(notify, notify_when),
    )
    exported >> report
    if search_index:
        # A teardown: it runs after the report, whatever its state, and does not decide the state of the run.
        (
            report
            >> CanvasSearchIndexOperator(
                task_id="search_index",
                archive=archive,
                archive_conn_id=connections.get("archive_conn_id"),
                allow_empty=True,
                **retrying,
            ).as_teardown()
        )
    last: list[Any] = [report]
    if keep is not None:
        rules = dict(keep)
        apply = rules.pop("apply", False)
        first = connections.get("archive_conn_id")
        for number, (root, conn_id) in enumerate(named_archives(archive, first, also_archives), start=1):
            retention = CanvasRetentionOperator(
                task_id="retention" if number == 1 else f"retention_{number}",
                archive=root,
                apply=apply,
                keep=rules,
                archive_conn_id=conn_id,
                timezone=timezone,
                trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS,
                **retrying,
            )
            # Not after the report: Airflow judges a run by its last tasks, and the report is one of them.
            exported >> retention
            last.append(retention)
    if publish is not None:
        published = CanvasPublishOperator(
            task_id="publish",
            archive=archive,
            site=publish,
            archive_conn_id=connections.get("archive_conn_id"),
            timezone=timezone,
            allow_empty=True,
            **retrying,
        )
        last >> published.as_teardown()
