"""Everything a batch needs to go on after a crash: one small JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from canvas_exports.export.items import Item

VERSION = 1


@dataclass
class Checkpoint:
    """The state of a batch, written after every answered POST and every published package.

    Attributes:
        items: the exports of the batch, in order.
        started_at: seconds since the epoch.
        deadline: seconds since the epoch; fixed when the batch starts, so that a restart does not extend it.
        generation: how often a person has cleared the task.
        try_number: the attempt that wrote it.
        user_id: Canvas's id of the token's user, once known: only their exports are ever adopted.
    """

    items: list[Item]
    started_at: float
    deadline: float
    generation: int = 0
    try_number: int = 1
    user_id: int | None = None

    def to_json(self) -> dict[str, Any]:
        """A JSON value; 150 to 300 bytes an item, and up to 240 characters more for the reason of its outcome."""
        return {
            "version": VERSION,
            "started_at": self.started_at,
            "deadline": self.deadline,
            "generation": self.generation,
            "try_number": self.try_number,
            "user_id": self.user_id,
            "items": [item.to_json() for item in self.items],
        }

    @classmethod
    def from_json(cls, document: Any) -> Checkpoint | None:
        """Read a checkpoint; ``None`` if there is none, or if it is of a version this software does not know."""
        if not isinstance(document, Mapping) or document.get("version") != VERSION:
            return None
        return cls(
            items=[Item.from_json(item) for item in document["items"]],
            started_at=float(document["started_at"]),
            deadline=float(document["deadline"]),
            generation=int(document["generation"]),
            try_number=int(document["try_number"]),
            user_id=document["user_id"],
        )
