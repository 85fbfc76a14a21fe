"""Say when polling stops, what the log says meanwhile, and what was found.

All of these survive a trigger's arguments and its event, and may have been written by another release: unknown fields are
ignored, missing ones have defaults.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from canvas_exports.core.export.engine.running_export import RunningExport, from_table, to_table
from canvas_exports.core.model.durations import MIN_WAIT

#: Fields of `WakeRule` by their stored names, which no release may change.
_STORED_NAMES = {
    "enough": "enough",
    "batch_delay": "linger",
    "max_batch_delay": "patience",
    "min_wait": "dwell",
    "stall_after": "stall_after",
    "deadline": "deadline",
    "wants_more": "hungry",
}


@dataclass(frozen=True)
class WakeRule:
    """When to stop polling and wake a worker.

    Attributes:
        deadline: seconds since the epoch.
        enough: finished exports that are worth a worker at once.
        batch_delay: seconds that the first finished export waits for others, at least.
        max_batch_delay: seconds it waits at most. Within these two it waits twice as long as the oldest export took.
        min_wait: seconds to wait in any case.
        stall_after: seconds for which an export was seen without a change of completion.
        wants_more: more exports are planned, so that an empty queue at Canvas is worth a worker, too.
    """

    deadline: float
    enough: float = 50.0
    batch_delay: float = 30.0
    max_batch_delay: float = 0.0
    min_wait: float = MIN_WAIT
    stall_after: float = 7200.0
    wants_more: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the fields under their stored names."""
        return {stored: getattr(self, name) for name, stored in _STORED_NAMES.items()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> WakeRule:
        """Read the inverse of ``to_json``.

        Raises:
            ValueError: there is no deadline, or something is no number.
        """
        try:
            values: dict[str, Any] = {
                name: (bool if name == "wants_more" else float)(document[stored])
                for name, stored in _STORED_NAMES.items()
                if stored in document
            }
            return cls(**values)
        except (TypeError, KeyError, AttributeError, OverflowError) as error:
            raise ValueError(f"not a rule when to wake: {error!r}") from None


@dataclass(frozen=True)
class ProgressLog:
    """Lines of the log while exports run without a change.

    Attributes:
        done: exports of the batch that have ended already.
        total: exports of the batch; 0 if that is not known.
        every: seconds between two lines.
    """

    done: int = 0
    total: int = 0
    every: float = 300.0

    @classmethod
    def from_json(cls, document: Any) -> ProgressLog:
        """Read the fields; use defaults where they cannot be read, as nothing depends on them."""
        try:
            return cls(int(document["done"]), int(document["total"]), max(float(document["every"]), 1.0))
        except (TypeError, KeyError, ValueError, OverflowError):
            return cls()


@dataclass
class PollResult:
    """Result of a polling loop.

    Attributes:
        ready: exports with a package to download.
        failed: exports that will never have one, and why: ``failed``, ``deleted``, ``no package``, ``gone`` or ``denied``.
        running: the others.
    """

    ready: list[int] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)
    running: dict[int, RunningExport] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value with string keys; ids, codes and times only."""
        return {
            "ready": self.ready,
            "dead": {str(export_id): why for export_id, why in self.failed.items()},
            "seen": to_table(self.running.values()) if self.running else {},
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> PollResult:
        """Read the inverse of ``to_json``, or the form of earlier releases.

        Raises:
            ValueError: it is neither.
        """
        try:
            seen = document["seen"]
            if "version" in seen:
                running = from_table(seen)
            else:
                running = [_earlier(int(export_id), row) for export_id, row in seen.items()]
            return cls(
                ready=[int(export_id) for export_id in document["ready"]],
                failed={int(export_id): str(why) for export_id, why in document["dead"].items()},
                running={export.export_id: export for export in running},
            )
        except (TypeError, KeyError, AttributeError, OverflowError) as error:
            raise ValueError(f"not a result of polling: {error!r}") from None


def _earlier(export_id: int, row: Sequence[Any]) -> RunningExport:
    """Read a row of releases before running exports had a version; the context is left to the checkpoint."""
    completion, changed_at, *rest = row
    running_since, seen_at, problem = (*rest, None, None, None)[:3]
    (export,) = from_table(
        [["", export_id, None, changed_at, changed_at, completion, running_since, seen_at]]
    )
    return export if problem is None else replace(export, problem=str(problem))
