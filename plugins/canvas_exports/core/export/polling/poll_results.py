"""What is watched, until when, and what was seen: plain values that survive a trigger's arguments and its event.

Any of them may have been written by another release: what a later one has added is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_LONGEST_TROUBLE = 120  # characters; an event carries up to 200 of them


@dataclass(frozen=True)
class Watched:
    """An export in flight, as plain values that survive a trigger's serialisation.

    Times are seconds since the epoch. Everything below ``created_at`` is what was known when the watch began: when the
    completion last changed, what it was, since when the export runs, and when it was last seen.
    """

    context: str
    export_id: int
    progress_id: int | None
    created_at: float
    changed_at: float
    completion: float | None = None
    running_since: float | None = None
    seen_at: float | None = None

    def to_json(self) -> list[Any]:
        """A short row; a trigger carries up to 200 of them."""
        return [
            self.context,
            self.export_id,
            self.progress_id,
            self.created_at,
            self.changed_at,
            self.completion,
            self.running_since,
            self.seen_at,
        ]

    @classmethod
    def from_json(cls, row: Sequence[Any]) -> Watched:
        """The inverse of ``to_json``; what a later release has added is ignored.

        Raises:
            ValueError: it is none.
        """
        try:
            context, export_id, progress_id, created_at, changed_at, *rest = row
            return cls(
                str(context),
                int(export_id),
                None if progress_id is None else int(progress_id),
                float(created_at),
                float(changed_at),
                *(None if value is None else float(value) for value in rest[:3]),
            )
        except (TypeError, OverflowError) as error:
            raise ValueError(f"not an export to watch: {error}") from None


@dataclass(frozen=True)
class Wake:
    """When to stop watching.

    Attributes:
        enough: finished exports worth a worker at once.
        linger: seconds the first finished export waits for company at least.
        patience: seconds it waits at most: twice as long as the oldest export took up to then, within these two.
        dwell: seconds to stay in any case: a task that comes back too soon can be failed by Airflow's scheduler.
        stall_after: seconds for which an export is seen without a change of completion.
        deadline: seconds since the epoch.
        hungry: more exports wait for their turn, so an empty queue at Canvas is worth a worker, too.
    """

    enough: float
    linger: float
    dwell: float
    stall_after: float
    deadline: float
    hungry: bool = False
    patience: float = 0.0

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Wake:
        """From its fields; what a later release has added is ignored, what an earlier one did not know is usual.

        Raises:
            ValueError: there is no deadline, or something is no number.
        """
        try:
            values = {name: float(document.get(name, usual)) for name, usual in _USUAL.items()}
            return cls(deadline=float(document["deadline"]), hungry=bool(document.get("hungry")), **values)
        except (TypeError, KeyError, AttributeError, OverflowError) as error:
            raise ValueError(f"not the moment to wake at: {error!r}") from None


_USUAL = {"enough": 50.0, "linger": 30.0, "patience": 0.0, "dwell": 10.0, "stall_after": 7200.0}


@dataclass(frozen=True)
class News:
    """What a log says while nothing happens.

    Attributes:
        done: exports of the batch that have ended already.
        total: exports of the batch; 0 if that is not known.
        every: seconds between two lines.
    """

    done: int = 0
    total: int = 0
    every: float = 300.0

    @classmethod
    def from_json(cls, document: Any) -> News:
        """From its fields; whatever cannot be read is usual: nobody depends on it."""
        try:
            return cls(int(document["done"]), int(document["total"]), max(float(document["every"]), 1.0))
        except (TypeError, KeyError, ValueError, OverflowError):
            return cls()


class Seen(NamedTuple):
    """What is known of an export that is neither ready nor dead; see ``Watched``."""

    completion: float | None
    changed_at: float
    running_since: float | None = None
    seen_at: float | None = None
    trouble: str | None = None


@dataclass
class Sightings:
    """What was seen.

    Attributes:
        ready: exports with a package to fetch.
        dead: exports that will never have one, and why: ``failed``, ``deleted``, ``no package``, ``gone`` or ``denied``.
        seen: the others.
    """

    ready: list[int] = field(default_factory=list)
    dead: dict[int, str] = field(default_factory=dict)
    seen: dict[int, Seen] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """A JSON value with string keys; ids, codes and times only."""
        return {
            "ready": self.ready,
            "dead": {str(export_id): why for export_id, why in self.dead.items()},
            "seen": {str(export_id): _row(what) for export_id, what in self.seen.items()},
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Sightings:
        """The inverse of ``to_json``; what a later release has added is ignored.

        Raises:
            ValueError: it is none.
        """
        try:
            return cls(
                ready=[int(export_id) for export_id in document["ready"]],
                dead={int(export_id): str(why) for export_id, why in document["dead"].items()},
                seen={int(export_id): _seen(*what) for export_id, what in document["seen"].items()},
            )
        except (TypeError, KeyError, AttributeError, OverflowError) as error:
            raise ValueError(f"not what a watch has seen: {error!r}") from None


def _seen(
    completion: Any,
    changed_at: Any,
    running_since: Any = None,
    seen_at: Any = None,
    trouble: Any = None,
    *_: Any,
) -> Seen:
    """The inverse of ``_row``."""

    def number(value: Any) -> float | None:
        return None if value is None else float(value)

    return Seen(
        number(completion),
        float(changed_at),
        number(running_since),
        number(seen_at),
        None if trouble is None else str(trouble),
    )


def _row(seen: Seen) -> list[Any]:
    """Without the trouble that most have none of."""
    return list(seen[:-1]) if seen.trouble is None else [*seen[:-1], seen.trouble[:_LONGEST_TROUBLE]]
