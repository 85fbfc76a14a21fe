"""Run one task instance under Airflow's own task runner, segment by segment, without a database.

The runner's channel to its supervisor is replaced by one that keeps the state store, XComs and connections in memory.
Each segment builds the operator anew, as another worker process would.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, ClassVar, cast
from unittest import mock
from uuid import uuid4

import pytest
import structlog
from airflow.sdk import DAG, BaseOperator
from airflow.sdk.api.datamodels import _generated as api
from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
from airflow.sdk.execution_time import comms, task_runner
from tests.support.airflow.moved_names import deserialize, serialize_event

from canvas_exports.core.archive.checkpoint import ArchiveCheckpoint
from canvas_exports.core.archive.json_documents import encoded
from canvas_exports.operators.task_support import checkpoints

#: Whether this Airflow has a task state store: from 3.3 on.
HAS_STATE_STORE = hasattr(comms, "SetTaskStateStore")
NEEDS_STATE_STORE = pytest.mark.skipif(
    not HAS_STATE_STORE,
    reason="before Airflow 3.3 the first archive holds the state of a task, so a task needs it",
)
NOW = datetime(2026, 11, 23, 2, tzinfo=timezone.utc)


class Supervisor:
    """What a worker process talks to.

    Attributes:
        has_state_store: whether it keeps the state of tasks; otherwise the archive does. Tests of both use the fixture
            ``state_home``.
        state_store: what was saved last, wherever it is kept.
    """

    LATER = 99  # the number of an attempt that no test comes to
    has_state_store: ClassVar[bool] = HAS_STATE_STORE

    def __init__(self, connections: dict[str, dict[str, Any]]) -> None:
        self.connections = connections
        self.state_store: dict[str, Any] = {}
        self.last_saved: str | None = None
        self.writes = 0
        self.fenced = False
        self.kill_after_writes: int | None = None
        self.xcoms: dict[str, Any] = {}

    def send(self, msg: Any) -> Any:  # noqa: PLR0911 - one answer for each kind of message
        """Answer as Airflow's supervisor does."""
        if HAS_STATE_STORE and isinstance(msg, comms.GetTaskStateStore):
            if msg.key in self.state_store:
                return comms.TaskStateStoreResult(value=json.loads(self.state_store[msg.key]))
            return comms.ErrorResponse(error=ErrorType.TASK_STORE_NOT_FOUND)
        if HAS_STATE_STORE and isinstance(msg, comms.SetTaskStateStore):
            return self._write(msg)
        if isinstance(msg, comms.GetConnection):
            if msg.conn_id not in self.connections:
                return comms.ErrorResponse(
                    error=ErrorType.CONNECTION_NOT_FOUND, detail={"conn_id": msg.conn_id}
                )
            fields = dict.fromkeys(("host", "schema", "login", "password", "port", "extra"))
            return comms.ConnectionResult(conn_id=msg.conn_id, **{**fields, **self.connections[msg.conn_id]})
        if isinstance(msg, comms.SetXCom):
            self.xcoms[msg.key] = msg.value
        if isinstance(msg, comms.ValidateInletsAndOutlets):
            return comms.InactiveAssetsResult(inactive_assets=[])
        return None

    async def asend(self, msg: Any) -> Any:
        """The same for asynchronous callers."""
        return self.send(msg)

    def _write(self, message: comms.SetTaskStateStore) -> None:
        if self.fenced:
            raise AirflowRuntimeError(comms.ErrorResponse(error=ErrorType.API_SERVER_ERROR))
        self.saved(message.key, message.value)

    def saved(self, key: str, value: Any) -> None:
        """Keep what was saved, and kill the worker if it is time."""
        self.writes += 1
        self.state_store[key] = self.last_saved = json.dumps(value)
        if self.kill_after_writes is not None and self.writes >= self.kill_after_writes:
            raise Killed


def in_archive(supervisor: Supervisor) -> type[ArchiveCheckpoint]:
    """The state of a task as a document of the archive, whose writes the supervisor sees as it sees Airflow's."""

    class Seen(ArchiveCheckpoint):
        def load(self) -> Any:
            found = super().load()
            here = supervisor.state_store.get("canvas_exports")
            if here == supervisor.last_saved:
                return found
            return None if here is None else json.loads(here)  # the test has changed it

        def save(self, state: Any) -> None:
            if supervisor.fenced:
                later = encoded({"claim": [supervisor.LATER, 1, "another"], "state": state})
                self._store.replace(self._key, later)
            super().save(state)
            supervisor.saved("canvas_exports", state)

    return Seen


class Killed(BaseException):
    """The worker process is gone: nothing after this point is executed."""


class TaskRun:
    """A task instance from its first segment to its end.

    Args:
        make: builds the operator inside a DAG, as parsing the DAG file does in every process.
        connections: Airflow connections by id.
        retries: of the task.
        run_id: of the DAG run.
    """

    def __init__(
        self,
        make: Callable[[], BaseOperator],
        connections: dict[str, dict[str, Any]],
        retries: int = 0,
        run_id: str = "manual__2026-11-23",
    ) -> None:
        self.make = make
        self.run_id = run_id
        self.supervisor = Supervisor(connections)
        self.try_number = 1
        self.max_tries = retries
        self.segments = 0
        self.error: BaseException | None = None
        self.message: Any = None
        self.next_method: str | None = None
        self.next_kwargs: dict[str, Any] | None = None
        self.instance: Any = None

    @property
    def operator(self) -> BaseOperator:
        """The operator of the present segment; Airflow executes a copy of the one in the DAG."""
        operator: BaseOperator = self.instance.task
        return operator

    @property
    def receipt(self) -> Any:
        """The task's return value."""
        return self.supervisor.xcoms.get("return_value")

    @property
    def checkpoint(self) -> Any:
        """What the state store holds."""
        return json.loads(self.supervisor.state_store["canvas_exports"])

    def run_segment(self) -> str:
        """Run one worker segment; the state it ends in."""
        with DAG("campus_backup", schedule=None, start_date=NOW):
            operator = self.make()
        run = api.DagRun(
            dag_id="campus_backup",
            run_id=self.run_id,
            logical_date=None,
            data_interval_start=None,
            data_interval_end=None,
            run_after=NOW,
            start_date=NOW,
            end_date=None,
            run_type=api.DagRunType.MANUAL,
            state=api.DagRunState.RUNNING,
            consumed_asset_events=[],
            **({"partition_key": None} if "partition_key" in api.DagRun.model_fields else {}),
        )
        instance = task_runner.RuntimeTaskInstance.model_construct(
            id=uuid4(),
            task_id=operator.task_id,
            dag_id="campus_backup",
            run_id=self.run_id,
            try_number=self.try_number,
            max_tries=self.max_tries,
            map_index=-1,
            task=operator,
            hostname="worker",
            start_date=NOW,
            is_mapped=False,
            _ti_context_from_server=api.TIRunContext(
                dag_run=run,
                max_tries=self.max_tries,
                next_method=self.next_method,
                next_kwargs=serialize_event(self.next_kwargs) if self.next_kwargs is not None else None,
                should_retry=self.try_number <= self.max_tries,
            ),
        )
        self.instance = instance
        self.segments += 1
        with (
            mock.patch.object(task_runner, "SUPERVISOR_COMMS", self.supervisor, create=True),
            mock.patch.object(checkpoints, "ArchiveCheckpoint", in_archive(self.supervisor)),
        ):
            log = structlog.get_logger()
            context = instance.get_template_context()
            if not self.supervisor.has_state_store:
                context.pop("task_state_store", None)
            state, self.message, self.error = task_runner.run(instance, context, log)
            if isinstance(self.error, Killed):
                return "killed"
            context["exception"] = self.error  # as the runner's ``main`` does
            task_runner.finalize(instance, state, context, log, self.error)
        return str(state.value)

    def run_trigger(self) -> dict[str, Any]:
        """Run the trigger of the present deferral, as the triggerer does, and hand its event to the next segment."""
        assert isinstance(self.message, comms.DeferTask)
        kwargs: Any = deserialize(cast("dict[str, Any]", self.message.trigger_kwargs))
        module, _, name = self.message.classpath.rpartition(".")
        trigger = getattr(importlib.import_module(module), name)(**kwargs)

        async def first_event() -> Any:
            events = [event async for event in trigger.run()]
            assert len(events) == 1, "a trigger speaks exactly once"
            return events[0].payload

        with mock.patch.object(task_runner, "SUPERVISOR_COMMS", self.supervisor, create=True):
            event: dict[str, Any] = asyncio.run(first_event())
        self.next_method = self.message.next_method
        self.next_kwargs = {"event": event}
        return event

    def retry(self) -> None:
        """Begin the next attempt, as Airflow does after a failure."""
        self.try_number += 1
        self.next_method = self.next_kwargs = None

    def clear(self) -> None:
        """A person clears the task."""
        self.max_tries = self.try_number + (self.max_tries - (self.try_number - 1))
        self.retry()

    def run_to_end(self) -> str:
        """Segments and triggers in turn, until the task has ended; the state it ends in."""
        while True:
            state = self.run_segment()
            if state != "deferred":
                return state
            self.run_trigger()
