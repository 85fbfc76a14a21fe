"""Describe what a batch waits for when only Canvas can go on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from canvas_exports.core.export.engine.engine import Limits
from canvas_exports.core.export.engine.items import Item
from canvas_exports.core.export.engine.running_export import RunningExport
from canvas_exports.core.export.polling.poll_results import ProgressLog, WakeRule
from canvas_exports.core.export.waits import Waits


@dataclass(frozen=True)
class Wait:
    """Running exports to poll, and when to come back.

    Attributes:
        exports: the running exports.
        wake: when a worker is to go on.
        progress_log: what the log says meanwhile.
    """

    exports: tuple[RunningExport, ...]
    wake: WakeRule
    progress_log: ProgressLog = field(default_factory=ProgressLog)


def wait_for(
    items: Iterable[Item],
    limits: Limits,
    waits: Waits,
    *,
    now: float,
    wants_more: bool = False,
    progress_log: ProgressLog | None = None,
) -> Wait:
    """Return the wait for the running exports of a batch; ``wants_more`` if others wait for their turn."""
    return Wait(
        exports=tuple(item.running_export(now=now) for item in items),
        wake=WakeRule(
            deadline=limits.deadline,
            enough=limits.window,
            batch_delay=waits.batch_delay,
            max_batch_delay=waits.max_batch_delay,
            min_wait=waits.min_wait,
            stall_after=limits.stall_after,
            wants_more=wants_more,
        ),
        progress_log=progress_log or ProgressLog(),
    )
