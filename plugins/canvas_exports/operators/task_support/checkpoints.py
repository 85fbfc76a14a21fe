"""Where a task keeps its state: in Airflow, or in the archive where Airflow has no store for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from canvas_exports.airflow_compat import TaskStateStore, task_state_store
from canvas_exports.core.archive.checkpoint import ArchiveCheckpoint
from canvas_exports.core.storage.store import Store
from canvas_exports.operators.task_support.task_context import run_info

if TYPE_CHECKING:
    from airflow.sdk import Context

CHECKPOINT = "canvas_exports"


class SavedState(Protocol):
    """The state of a task, which survives retries and a Clear."""

    def load(self) -> Any:
        """Return what was saved last; ``None`` if nothing was."""

    def save(self, state: Mapping[str, Any]) -> None:
        """Save. Fails without saving once another attempt of the task has begun."""


class AirflowCheckpoint:
    """The state of a task in Airflow's task state store, which refuses attempts that are over."""

    def __init__(self, store: TaskStateStore) -> None:
        self._store = store

    def load(self) -> Any:
        """Return what was saved last; ``None`` if nothing was."""
        return self._store.get(CHECKPOINT)

    def save(self, state: Mapping[str, Any]) -> None:
        """Save."""
        self._store.set(CHECKPOINT, state)


def saved_state(context: Context, archive: Store) -> SavedState:
    """Return the state of the running task, kept in Airflow if it can, else in the archive."""
    in_airflow = task_state_store(context)
    return (
        AirflowCheckpoint(in_airflow)
        if in_airflow is not None
        else ArchiveCheckpoint(archive, run_info(context))
    )
