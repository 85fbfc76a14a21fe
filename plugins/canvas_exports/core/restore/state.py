"""Everything a restore needs to go on after a crash: one small JSON document, without links or credentials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from enum import Enum
from typing import Any, TypeVar

from canvas_exports.core.restore.result import RestoreOutcome, RestoreResult
from canvas_exports.errors import InputError

VERSION = 1


class Phase(str, Enum):
    """How far a restore is.

    ``PLANNED``: nothing was asked of Canvas. ``INTENDED``: the migration may have been asked for. ``CREATED``: Canvas has
    it and waits for the package, as far as known. ``SENT``: Canvas has the package. ``OVER``: there is a result.
    """

    PLANNED = "planned"
    INTENDED = "intended"
    CREATED = "created"
    SENT = "sent"
    OVER = "over"


@dataclass
class RestoreState:
    """The state of one restore, written before a migration is asked for and after every answer.

    Times are seconds since the epoch.

    Attributes:
        deadline: by our clock; fixed at the start, so that a restart does not extend it.
        generation: how often a person has cleared the task.
        phase: how far it is.
        copy: key of the manifest of the chosen copy; a retry restores no other.
        course_id: the number of the course restored into.
        intended_at: by Canvas's clock.
        migration_id, progress_id: of Canvas's content migration.
        creations: migrations that Canvas made so far.
        began_at: when the first migration was asked for, by our clock.
        result: the end.
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
        """Take the restore up again. A person's Clear gives it the deadline of a fresh one, and a look at what had stalled."""
        if fresh.generation == self.generation:
            return
        self.generation, self.deadline = fresh.generation, fresh.deadline
        if self.result is not None and self.result.outcome is RestoreOutcome.STALLED:
            self.phase, self.result = Phase.SENT, None

    def to_json(self) -> dict[str, Any]:
        """A JSON value of some hundred bytes; with a result, of up to 40 KB."""
        document = {
            **asdict(self),
            "phase": self.phase.value,
            "result": self.result and self.result.to_json(),
        }
        return {"version": VERSION, **document}

    @classmethod
    def from_json(cls, document: Any) -> RestoreState | None:
        """Read a state; ``None`` if there is none, or if it is none that this software knows."""
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


def earlier(document: Any, read: Callable[[Any], State | None], fresh: State) -> State:
    """The state of an earlier attempt, or a fresh one if there was none.

    Raises:
        InputError: there was one, and it cannot be read: the package may be in Canvas already (permanent).
    """
    state = read(document)
    if state is None and document is not None:
        raise InputError(
            "restore",
            "another release wrote down how far this task came, so nobody knows whether Canvas has the package already",
            accepted="a new run, once you have looked at the imports of the course in Canvas",
        )
    return fresh if state is None else state
