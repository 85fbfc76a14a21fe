"""How this package's errors become Airflow's."""

from __future__ import annotations

from typing import NoReturn

from airflow.sdk.exceptions import AirflowFailException

from canvas_exports.errors import CanvasExportsError


class BatchInterruptedError(Exception):
    """Canvas or the archive could not be reached. Airflow's retry goes on from the checkpoint."""


def fail(error: CanvasExportsError) -> NoReturn:
    """Fail the task without a retry: nothing would change."""
    raise AirflowFailException(str(error)) from error
