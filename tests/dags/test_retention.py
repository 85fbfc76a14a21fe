"""``keep`` in a backup gives its DAG a task ``retention``."""

from __future__ import annotations

from typing import Any

from tests.support.backups.backup_dags import build, round_trip

KEEP = {"daily": 14, "hold": {"courses": [101]}, "apply": True}


def test_without_keep_nothing_is_ever_deleted() -> None:
    assert "retention" not in build().task_ids


def test_it_waits_for_the_batches_and_not_for_the_verdict() -> None:
    """A backup in which one course fails every night must not grow for ever."""
    task: Any = build(keep=KEEP).get_task("retention")
    assert task.upstream_task_ids == {"export"}
    assert task.trigger_rule.value == "all_done_min_one_success"


def test_a_run_is_green_only_if_both_its_report_and_its_retention_are() -> None:
    """Airflow judges a run by its last tasks."""
    tasks = round_trip(build(keep=KEEP)).task_dict.values()
    assert {task.task_id for task in tasks if not task.downstream_task_ids} == {"report", "retention"}


def test_the_file_reaches_the_task() -> None:
    dag = build(
        keep=KEEP, timezone="America/Chicago", connections={"archive_conn_id": "aws_default"}, retries=7
    )
    task: Any = dag.get_task("retention")
    assert task.keep == {"daily": 14, "hold": {"courses": [101]}}
    assert (task.apply, task.backup, task.timezone) == (True, None, "America/Chicago")
    assert (task.archive_conn_id, task.retries) == ("aws_default", 7)
    assert task.archive == "{{ var.value.canvas_archive }}"


def test_nothing_is_deleted_unless_the_file_says_apply() -> None:
    task: Any = build(keep={"daily": 14}).get_task("retention")
    assert task.apply is False
