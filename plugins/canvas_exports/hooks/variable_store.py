"""Store short texts in Airflow variables, which every process of an Airflow sees."""

from __future__ import annotations

import sys
from typing import Any

from canvas_exports.errors import CanvasUnavailableError


class VariableTexts:
    """Short texts by name, in Airflow variables.

    Tasks and triggers access them through Airflow's execution API, the API server and the command line through the metadata
    database. Airflow encrypts them with its Fernet key, if one is set. There is no compare-and-set: of two concurrent writes,
    the later one wins.

    Raises:
        CanvasUnavailableError: Airflow cannot be asked now (retryable).
    """

    def read(self, name: str) -> str | None:
        """Return a text, or ``None``."""
        try:
            text: str | None = _variable().get(name, None)
        except Exception as error:  # noqa: BLE001 -- the type depends on the kind of process; all mean the same here
            raise _unavailable("read", error) from None
        return text

    def write(self, name: str, text: str, description: str) -> None:
        """Write a text, or replace it."""
        try:
            _variable().set(name, text, description)
        except Exception as error:  # noqa: BLE001 -- as above
            raise _unavailable("written", error) from None

    def remove(self, name: str) -> None:
        """Delete a text, if it exists."""
        try:
            _variable().delete(name)
        except Exception as error:  # noqa: BLE001 -- as above
            raise _unavailable("removed", error) from None


def _variable() -> Any:
    """Return Airflow's class for this process: the SDK's cannot write outside of tasks and triggers."""
    runner = sys.modules.get("airflow.sdk.execution_time.task_runner")
    if getattr(runner, "SUPERVISOR_COMMS", None) is not None:
        from airflow.sdk import Variable  # only one of the two is needed

        return Variable
    from airflow.models.variable import Variable as Row  # costs seconds, and a task must not load it

    return Row


def _unavailable(what: str, error: Exception) -> CanvasUnavailableError:
    return CanvasUnavailableError(
        f"the access token cannot be shared: an Airflow variable could not be {what} ({type(error).__name__})"
    )
