from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
from airflow.sdk.execution_time import comms, task_runner
from tests.support.airflow.moved_names import SET_RAISES

from canvas_exports.errors import CanvasUnavailableError
from canvas_exports.hooks.variable_store import VariableTexts


class Supervisor:
    """What a task talks to, as far as variables go."""

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}
        self.away = False

    def send(self, message: Any) -> Any:
        if self.away:
            raise AirflowRuntimeError(comms.ErrorResponse(error=ErrorType.API_SERVER_ERROR))
        if isinstance(message, comms.PutVariable):
            self.variables[message.key] = message.value or ""
        elif isinstance(message, comms.DeleteVariable):
            self.variables.pop(message.key, None)
        elif isinstance(message, comms.GetVariable) and message.key in self.variables:
            return comms.VariableResult(key=message.key, value=self.variables[message.key])
        elif isinstance(message, comms.GetVariable):
            return comms.ErrorResponse(error=ErrorType.VARIABLE_NOT_FOUND)
        return None


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    found = Supervisor()
    with mock.patch.object(task_runner, "SUPERVISOR_COMMS", found, create=True):
        yield found


def test_a_task_reads_writes_and_removes(supervisor: Supervisor) -> None:
    texts = VariableTexts()
    assert texts.read("name") is None
    texts.write("name", "text", "what it is")
    assert texts.read("name") == supervisor.variables["name"] == "text"
    texts.remove("name")
    assert texts.read("name") is None
    texts.remove("name")


@pytest.mark.skipif(
    not SET_RAISES, reason="Airflow 3.1 logs that a variable could not be set, and raises nothing"
)
def test_an_airflow_that_cannot_write_is_reported_without_what_was_to_be_written(
    supervisor: Supervisor,
) -> None:
    supervisor.away = True
    with pytest.raises(CanvasUnavailableError, match="could not be written") as raised:
        VariableTexts().write("name", "the secret", "what it is")
    assert "the secret" not in repr(raised.value)
    assert raised.value.__suppress_context__
