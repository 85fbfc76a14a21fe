"""The running task as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from canvas_exports.core.model.runs import RunInfo

if TYPE_CHECKING:
    from airflow.sdk import Context


def run_info(context: Context) -> RunInfo:
    """Which run this is. Its day is that of ``run_after``, which every kind of run has."""
    ti = context["ti"]
    run_after = context["dag_run"].run_after
    return RunInfo(
        dag_id=ti.dag_id,
        run_id=ti.run_id,
        task_id=ti.task_id,
        date=run_after.date(),
        map_index=-1 if ti.map_index is None else ti.map_index,
        try_number=ti.try_number,
        started_at=(context["dag_run"].start_date or run_after).timestamp(),
    )
