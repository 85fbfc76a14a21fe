"""How this package's errors become Airflow's, and what the task's log says of them: one line, and no traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable, MutableMapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import structlog
from airflow.sdk.exceptions import AirflowFailException

from canvas_exports.errors import CanvasExportsError, Stopped

P = ParamSpec("P")
R = TypeVar("R")

_TOLD = "canvas_exports_told"  # marks an error whose message is all there is to say


class BatchInterruptedError(Exception):
    """Canvas or the archive could not be reached. Airflow's retry goes on from the checkpoint."""


def ending_in_one_line(method: Callable[P, R]) -> Callable[P, R]:
    """Wrap ``execute`` or ``execute_complete``: whatever we know to have gone wrong ends the log with one line of level ERROR.

    An error that no retry can help against becomes ``AirflowFailException``; one that is retryable stays what it is. Neither
    brings a traceback of its own or of what caused it. An error of another kind is a mistake of the software or of Airflow,
    and passes with its traceback.
    """

    @wraps(method)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        failure: BaseException
        try:
            return method(*args, **kwargs)
        except CanvasExportsError as error:
            failure = error if error.retryable else AirflowFailException(str(error))
        except (AirflowFailException, BatchInterruptedError, Stopped) as error:
            failure = error
        setattr(failure, _TOLD, True)
        _shorten_log()
        raise failure.with_traceback(None) from None

    return run


def _shorten_log() -> None:
    """Have the log of this process tell such errors by their message alone.

    Airflow's task runner logs every failure as "Task failed with exception", with the traceback in its own frames.
    """
    processors = structlog.get_config()["processors"]
    if isinstance(processors, list) and _message_alone not in processors:
        processors.insert(0, _message_alone)


def _message_alone(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    error = sys.exc_info()[1]
    if event.get("exc_info") and error is not None and getattr(error, _TOLD, False):
        del event["exc_info"]
        event["event"] = " ".join(str(error).split())
    return event
