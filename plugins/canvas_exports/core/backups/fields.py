"""The fields of a backup file by the task they are meant for."""

from __future__ import annotations

#: What is exported, and how it is named: arguments of ``CanvasContentExportOperator``.
OPTIONS = ("select", "skip_notifications", "version", "key_template")

#: How a run goes about it; a person who starts a run by hand may choose otherwise for that run.
SETTINGS = (
    "batch_size",
    "max_in_flight",
    "parallel_transfers",
    "parallel_ranges",
    "deadline",
    "stall_after",
    "proof",
    "unchanged",
    "fail_on",
)

#: With whose credentials.
CONNECTIONS = ("archive_conn_id", "canvas_conn_id")


def is_template(value: object) -> bool:
    """Whether Airflow will put the value together at run time, so that it cannot be checked before."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)
