"""The checkpoint of a restore: one small JSON document, without links or credentials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from enum import Enum
from typing import Any, TypeVar

from canvas_exports.core.restore.result import RestoreOutcome, RestoreResult
from canvas_exports.errors import InputError

VERSION = 1


class Phase(str, Enum):
    """The phase of a restore.

    ``PLANNED``: nothing was requested from Canvas. ``INTENDED``: the migration may have been requested. ``CREATED``: Canvas
    has the migration and waits for the package, as far as known. ``SENT``: Canvas has the package. ``OVER``: there is a result.
    """

    PLANNED = "planned"
    INTENDED = "intended"
    CREATED = "created"
    SENT = "sent"
    OVER = "over"


@dataclass
class RestoreState:
    """The state of one restore, written before a migration is requested and after every response.

    Times are seconds since the epoch.

    Attributes:
        deadline: by our clock; fixed at the start, so that a restart does not extend it.
        generation: how often the task was cleared.
        phase: the current phase.
        copy: key of the manifest of the chosen copy; a retry restores no other.
        course_id: id of the target course.
        intended_at: when the migration was requested, by Canvas's clock.
        migration_id, progress_id: of Canvas's content migration.
        creations: migrations that Canvas made so far.
        began_at: when the first migration was requested, by our clock.
        result: of the restore, once it is over.
    """

    deadline: float
    generation: int = 0
    phase: Phase = Phase.PLANNED
    copy: str | None = None
    course_id: int | None = None
    intended_at: float | None = None
    migration_id: int | None = None
    progress_id: int | None = None
    creations: int = 0
    began_at: float | None = None
    result: RestoreResult | None = None

    def resume(self, fresh: RestoreState) -> None:
        """Resume the restore. After a Clear, it gets a new deadline, and a stalled import is polled again."""
        if fresh.generation == self.generation:
            return
        self.generation, self.deadline = fresh.generation, fresh.deadline
        if self.result is not None and self.result.outcome is RestoreOutcome.STALLED:
            self.phase, self.result = Phase.SENT, None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value of some hundred bytes; with a result, of up to 40 KB."""
        document = {
            **asdict(self),
            "phase": self.phase.value,
            "result": self.result and self.result.to_json(),
        }
        return {"version": VERSION, **document}

    @classmethod
    def from_json(cls, document: Any) -> RestoreState | None:
        """Read a state; return ``None`` for no document, or for one of another version."""
        if not isinstance(document, Mapping) or document.get("version") != VERSION:
            return None
        known = {field.name: document[field.name] for field in fields(cls) if field.name in document}
        try:
            known["phase"] = Phase(known["phase"])
            if known.get("result") is not None:
                known["result"] = RestoreResult.from_json(known["result"])
            return cls(**known)
        except (KeyError, TypeError, ValueError, AttributeError):
            return None


State = TypeVar("State")


def read_state(document: Any, read: Callable[[Any], State | None], fresh: State) -> State:
    """Return the state of an earlier attempt, or a fresh one if there was none.

    Raises:
        InputError: the state of the earlier attempt cannot be read: Canvas may have the package already (permanent).
    """
    state = read(document)
    if state is None and document is not None:
        raise InputError(
            "restore",
            "another release wrote the checkpoint of this task, so it is unknown whether Canvas has the package already",
            accepted="a new run, after you have checked the imports of the course in Canvas",
        )
    return fresh if state is None else state
