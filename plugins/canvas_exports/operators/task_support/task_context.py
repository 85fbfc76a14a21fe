"""Read the run from a task's context, and turn errors into Airflow's."""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from contextlib import ContextDecorator
from types import TracebackType
from typing import TYPE_CHECKING, Any

import structlog

from canvas_exports.airflow_compat import AirflowFailException
from canvas_exports.core.model.causes import cause_of
from canvas_exports.core.model.runs import RunInfo
from canvas_exports.errors import CanvasExportsError, Stopped

if TYPE_CHECKING:
    from airflow.sdk import Context

_CAUSE = "canvas_exports_cause"  # of an error that Airflow hands to the notifiers
_REPORTED = "canvas_exports_reported"  # marks an error of which the log shows the message only


def run_info(context: Context) -> RunInfo:
    """Return the run of a task. Its date is that of ``run_after``, which every kind of run has."""
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


class BatchInterruptedError(Exception):
    """Canvas or the archive could not be reached. Airflow's retry resumes from the checkpoint."""


class AirflowErrors(ContextDecorator):
    """Turn our errors into Airflow's, and log each as one line of level ERROR. Decorates ``execute`` and the like.

    A permanent error becomes ``AirflowFailException``; a retryable error keeps its type. Neither keeps its traceback or its
    cause. Any other error is a bug of this package or of Airflow, and keeps its traceback.
    """

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Raise the error for Airflow, if it is one of ours."""
        failure: BaseException
        if isinstance(error, CanvasExportsError):
            failure = error if error.retryable else AirflowFailException(str(error))
            setattr(failure, _CAUSE, cause_of(error))
        elif isinstance(error, (AirflowFailException, BatchInterruptedError, Stopped)):
            failure = error
        else:
            return
        setattr(failure, _REPORTED, True)
        _shorten_log()
        raise failure.with_traceback(None) from None


def _shorten_log() -> None:
    """Log such errors by their message only.

    Airflow's task runner logs every failure as "Task failed with exception", with a traceback.
    """
    processors = structlog.get_config()["processors"]
    if isinstance(processors, list) and _message_only not in processors:
        processors.insert(0, _message_only)


def _message_only(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    error = sys.exc_info()[1]
    if event.get("exc_info") and error is not None and getattr(error, _REPORTED, False):
        del event["exc_info"]
        event["event"] = " ".join(str(error).split())
    return event
