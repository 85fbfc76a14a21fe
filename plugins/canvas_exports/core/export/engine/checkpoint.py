"""Store everything a batch needs to go on after a crash in one small JSON document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from canvas_exports.core.export.engine.items import Item

VERSION = 1
MOST_BYTES = 62_000  # of the items; Airflow warns of a value beyond 64 KiB

# Dropped while the items are larger than that: reasons beyond so many characters, and then these fields.
_REASONS = (160, 120, 80, 40)
_LESS_NEEDED = ("completion", "changed_at", "running_since", "seen_at")  # not needed once there is an outcome
_LEAST_NEEDED = ("label", "seconds", "reason")  # only the report shows them
_EXPORT_TYPE = "common_cartridge"


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
        exports_all: a person had everything exported again, so that no unchanged course is skipped.
    """

    items: list[Item]
    started_at: float
    deadline: float
    generation: int = 0
    try_number: int = 1
    user_id: int | None = None
    exports_all: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value of 100 to 300 bytes an item, and up to 240 characters more for the reason of its outcome.

        Stays below the 64 KiB that Airflow warns of for any batch of 200 under the default key template: where it would not,
        reasons are cut, and at worst course codes are left out.
        """
        return {
            "version": VERSION,
            "started_at": self.started_at,
            "deadline": self.deadline,
            "generation": self.generation,
            "try_number": self.try_number,
            "user_id": self.user_id,
            "exports_all": self.exports_all,
            "items": _fitting([_short(item.to_json()) for item in self.items]),
        }

    @classmethod
    def from_json(cls, document: Any) -> Checkpoint | None:
        """Read a checkpoint; return ``None`` if there is none that this release can read.

        Fields of a later release are ignored, missing ones are as in a fresh checkpoint.
        """
        if not isinstance(document, Mapping) or document.get("version") != VERSION:
            return None
        try:
            return cls(
                items=[Item.from_json(_long(item)) for item in document["items"]],
                started_at=float(document["started_at"]),
                deadline=float(document["deadline"]),
                generation=int(document.get("generation", 0)),
                try_number=int(document.get("try_number", 1)),
                user_id=document.get("user_id"),
                exports_all=document.get("exports_all") is True,
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            return None


def _short(row: dict[str, Any]) -> dict[str, Any]:
    """Return an item's row without the most frequent type, and without an id that its context contains."""
    row = dict(row)
    if row["export_type"] == _EXPORT_TYPE:
        del row["export_type"]
    known = _id_in(row)
    if known is not None:
        if row.get("canvas_id") == known:
            del row["canvas_id"]
        else:
            row.setdefault("canvas_id", None)
    return row


def _long(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inverse of ``_short``."""
    return {"export_type": _EXPORT_TYPE, "canvas_id": _id_in(row), **row}


def _id_in(row: Mapping[str, Any]) -> int | None:
    number = row["context"].partition(":")[2]
    return int(number) if number.isascii() and number.isdigit() else None


def _fitting(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows that fit, dropping as little as possible of what no attempt needs."""
    for most in _REASONS:
        if _fits(rows):
            return rows
        for row in rows:
            if row.get("reason"):
                row["reason"] = row["reason"][:most]
    for names in (_LESS_NEEDED, _LEAST_NEEDED):
        if _fits(rows):
            return rows
        rows = [
            {name: value for name, value in row.items() if name not in names} if "outcome" in row else row
            for row in rows
        ]
    rows = [dict(row) for row in rows]
    excess = len(json.dumps(rows)) - MOST_BYTES
    for row in reversed(rows):  # a copy without a probe is exported once more than needed
        if excess > 0 and "probe" in row:
            excess -= len(json.dumps({"probe": row.pop("probe")}))
    return rows


def _fits(rows: list[dict[str, Any]]) -> bool:
    return len(json.dumps(rows)) <= MOST_BYTES
