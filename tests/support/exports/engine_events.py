"""An engine of a few exports, and the events of one of them."""

from __future__ import annotations

from canvas_exports.core.export.engine import events
from canvas_exports.core.export.engine.engine import Engine, Limits
from canvas_exports.core.export.engine.items import Item
from canvas_exports.core.model.outcomes import Outcome

LIMITS = Limits(window=3, creations=2, transfers=2, stall_after=100.0, deadline=10_000.0)


A = "course:1/common_cartridge"


def engine(count: int = 1, limits: Limits = LIMITS) -> Engine:
    return Engine([Item(f"course:{number}", "common_cartridge") for number in range(1, count + 1)], limits)


def feed(machine: Engine, *happened: events.Event) -> Item:
    for event in happened:
        machine.apply(event)
    return machine.items[A]


def created(export_id: int = 501, at: float = 10.0, item: str = A) -> events.Created:
    return events.Created(item, export_id=export_id, progress_id=9, created_at=at, at=at)


def stored(export_id: int = 501, item: str = A) -> events.Stored:
    return events.Stored(item, export_id, Outcome.STORED, None, key="courses/1/x.imscc", size=7, findings=0)
