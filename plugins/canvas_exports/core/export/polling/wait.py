"""When only waiting is left: what to watch, and when to come back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from canvas_exports.core.export.engine.engine import Limits
from canvas_exports.core.export.engine.items import Item
from canvas_exports.core.export.polling.poll_results import News, Wake, Watched

LINGER = (
    30.0  # seconds the first finished export waits for company: a worker for one package is a worker wasted
)
PATIENCE = 1800.0  # seconds it waits at most, where exports take long
DWELL = 10.0  # seconds; Airflow's scheduler can fail a task that is back before it has noticed that it left


@dataclass(frozen=True)
class Pause:
    """Nothing to do but wait: what to watch, and when to come back."""

    watched: tuple[Watched, ...]
    wake: Wake
    news: News = field(default_factory=News)


def pause(
    items: Iterable[Item], limits: Limits, *, now: float, hungry: bool = False, news: News | None = None
) -> Pause:
    """The pause of a batch whose running exports these are; ``hungry`` if others wait for their turn."""
    return Pause(
        watched=tuple(watched_of(item, now=now) for item in items),
        wake=Wake(
            enough=limits.window,
            linger=LINGER,
            patience=PATIENCE,
            dwell=DWELL,
            stall_after=limits.stall_after,
            deadline=limits.deadline,
            hungry=hungry,
        ),
        news=news or News(),
    )


def watched_of(item: Item, *, now: float) -> Watched:
    """A running export as a trigger carries it."""
    context = item.context if item.canvas_id is None else f"{item.context.partition(':')[0]}:{item.canvas_id}"
    created_at = item.created_at or now
    return Watched(
        context=context,
        export_id=item.export_id or 0,
        progress_id=item.progress_id,
        created_at=created_at,
        changed_at=item.changed_at if item.changed_at is not None else created_at,
        completion=item.completion,
        running_since=item.running_since,
        seen_at=item.seen_at,
    )
