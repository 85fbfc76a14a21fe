"""The fields of a backup file by the task they are meant for."""

from __future__ import annotations

from canvas_exports.core.export.options import OPTIONS as BATCH_OPTIONS

#: What is exported, and how it is named: arguments of ``CanvasContentExportOperator``.
OPTIONS = tuple(name for name, option in BATCH_OPTIONS.items() if option.group == "what")

#: How a run goes about it; a person who starts a run by hand may choose otherwise for that run.
SETTINGS = ("batch_size", *(name for name, option in BATCH_OPTIONS.items() if option.group == "how"))

#: With whose credentials.
CONNECTIONS = ("archive_conn_id", "canvas_conn_id")


def is_template(value: object) -> bool:
    """Return whether Airflow will put the value together at run time, so that it cannot be checked before."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)
