"""A night with exports that take minutes, in virtual time: the engine, the window, the pauses and the watch are the product's.

What the product does on a worker is done here in so many virtual seconds: resuming a task, one POST, one package. Canvas is
the sandbox's job queue. So a night of two hours is over in seconds, and nothing in it depends on the machine.
"""

from __future__ import annotations

import asyncio
import random
import statistics
from dataclasses import dataclass, field
from typing import Any

from benchmarks.campus import Campus, ideal
from benchmarks.virtual_canvas import VirtualCanvas, live
from canvas_exports.core.backups.backup import Backup
from canvas_exports.core.export.batch import CREATIONS
from canvas_exports.core.export.engine import events
from canvas_exports.core.export.engine.engine import Engine, Limits
from canvas_exports.core.export.engine.items import Item
from canvas_exports.core.export.options import build_options
from canvas_exports.core.export.polling.canvas_queue import CanvasQueue
from canvas_exports.core.export.polling.poll_results import PollResult
from canvas_exports.core.export.polling.wait import wait_for
from canvas_exports.core.export.polling.watch import watch
from canvas_exports.core.export.transfer import TRANSFERS
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.model.outcomes import Outcome

BATCH = 50
_BEFORE, _AFTER = 8.0, 4.0  # seconds for the list and for the report, scheduling included
_RESUME = 3.0  # from the trigger's word to a worker at work, and as much to begin a batch
_POST = 0.3
_PACKAGE = 2.0
_OTHERS = 3  # requests for a course that are not counted below: the POST, the course itself, the download
_OPTIONS = build_options(courses=["1"])


@dataclass
class _Counts:
    executions: int = 0
    in_flight: int = 0
    peak: int = 0
    early: int = 0
    worker_seconds: float = 0.0
    asked: list[int] = field(default_factory=list)


def virtual_night(campus: Campus, batches: int = Backup.max_active_batches) -> dict[str, Any]:
    """Run a whole night with so many batches at once; a row for the table."""
    durations = list(campus.durations().values())
    canvas, counts = VirtualCanvas(durations, campus.workers), _Counts()
    random.seed(campus.seed)  # what watches spread their polls by
    took = live(_night(canvas, len(durations), batches, counts))
    least = ideal([durations[course - 1] for course in counts.asked], campus.workers)
    exports = canvas.looks.keys() | canvas.shows.keys()
    return {
        "courses": campus.courses,
        "ideal": least,
        "makespan": took,
        "ratio": took / least,
        "instances": -(-campus.courses // BATCH) + 2,
        "executions": counts.executions + 2,
        "worker_seconds": counts.worker_seconds,
        "requests": statistics.median(
            _OTHERS + canvas.looks[export] + canvas.shows[export] for export in exports
        ),
        "polls": statistics.median(canvas.looks[export] for export in exports),
        "came_early": counts.early,
        "peak_in_flight": counts.peak,
    }


async def _night(canvas: VirtualCanvas, courses: int, batches: int, counts: _Counts) -> float:
    slots, queue = asyncio.Semaphore(batches), CanvasQueue()

    async def batch(numbers: range) -> None:
        async with slots:
            await _batch(canvas, numbers, queue, counts)

    await asyncio.sleep(_BEFORE)
    starts = range(1, courses + 1, BATCH)
    await asyncio.gather(*(batch(range(start, min(start + BATCH, courses + 1))) for start in starts))
    await asyncio.sleep(_AFTER)
    return canvas.now()


async def _batch(canvas: VirtualCanvas, numbers: range, queue: CanvasQueue, counts: _Counts) -> None:
    """One task instance, from its first visit of a worker to its last."""
    items = [Item(f"course:{number}", "common_cartridge", canvas_id=number) for number in numbers]
    limits = Limits(
        window=_OPTIONS.max_in_flight,
        creations=CREATIONS,
        transfers=TRANSFERS,
        stall_after=_OPTIONS.stall_after.total_seconds(),
        deadline=_OPTIONS.deadline.total_seconds(),
    )
    engine = Engine(items, limits)
    while True:
        await asyncio.sleep(_RESUME)
        came = canvas.now()
        await _visit(canvas, engine, counts)
        counts.executions += 1
        counts.worker_seconds += canvas.now() - came
        if engine.is_finished:
            return
        running = [engine.items[name] for name in engine.decide().watch]
        wait = wait_for(running, limits, _OPTIONS.waits, now=canvas.now(), wants_more=engine.has_room)
        result = await watch(
            canvas,
            wait.exports,
            wait.wake,
            interval=_OPTIONS.poll_interval,
            now=canvas.now,
            queue=queue,
            uniform=random.random,  # seeded above: each night is the same
        )
        _record_polls(engine, result)


async def _visit(canvas: VirtualCanvas, engine: Engine, counts: _Counts) -> None:
    """What a worker does before it leaves: as ``Batch.advance``."""
    slots = asyncio.Semaphore(_OPTIONS.parallel_transfers)
    while True:
        for name in engine.decide().create:
            engine.apply(events.Intended(name, canvas.now()))
            await asyncio.sleep(_POST)
            course = engine.items[name].canvas_id or 0
            made = canvas.create(course)
            counts.asked.append(course)
            engine.apply(
                events.Created(name, made.id, made.progress_id, made.created_at.timestamp(), canvas.now())
            )
            counts.in_flight += 1
            counts.peak = max(counts.peak, counts.in_flight)
        ready = engine.decide().transfer
        if not ready:
            return
        await asyncio.gather(*(_move(canvas, engine, name, slots, counts) for name in ready))


async def _move(
    canvas: VirtualCanvas, engine: Engine, name: str, slots: asyncio.Semaphore, counts: _Counts
) -> None:
    item = engine.items[name]
    export_id = item.export_id or 0
    async with slots:
        export = await canvas.show_export(Context.parse(item.context), export_id)
        if not export.is_ready:
            counts.early += 1
            engine.apply(events.NotReady(name, export_id))
            return
        await asyncio.sleep(_PACKAGE)
    counts.in_flight -= 1
    engine.apply(
        events.Stored(name, export_id, outcome=Outcome.STORED, reason=None, key="", size=1, findings=0)
    )


def _record_polls(engine: Engine, result: PollResult) -> None:
    """As ``Batch.record_polls``."""
    by_export = {item.export_id: item.name for item in engine.items.values()}
    for export_id in result.ready:
        engine.apply(events.Ready(by_export[export_id], export_id))
    for export_id, export in result.running.items():
        engine.apply(events.Polled(by_export[export_id], export))
