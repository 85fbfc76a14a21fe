"""Outcome records of three courses: one stored, one gone, one incomplete."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from canvas_exports.core.archive.run_report import OutcomeRecord

NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)


def record(course: int = 101, **changes: Any) -> OutcomeRecord:
    known: dict[str, Any] = {
        "context": f"course:{course}",
        "export_type": "common_cartridge",
        "outcome": "stored",
        "reason": "proven whole",
        "name": "Biology",
        "export_id": 500 + course,
        "key": f"courses/{course}/20261123T020000Z-common_cartridge-{500 + course}.imscc",
        "size": 1_234_567,
        "seconds": 42.4,
        "finished_at": NOON,
    }
    return OutcomeRecord(**(known | changes))


GONE = record(
    9,
    outcome="gone",
    reason="Canvas says this course does not exist",
    next_step="remove it from the list, or restore the course",
    problem=True,
    size=None,
    key=None,
    seconds=None,
)
INCOMPLETE = record(
    10, outcome="incomplete", reason="2 files are missing", findings="2 files missing", problem=True
)
