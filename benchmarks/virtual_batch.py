"""One batch of a night in virtual time, from its first visit of a worker to its last, as the product's operator runs it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.virtual_canvas import VirtualCanvas
from benchmarks.virtual_http import VirtualClient
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

_RESUME = (2.5, 3.5)  # seconds from the trigger's word to a worker at work, and as much to begin a batch
_POST = 0.25  # beside its request
_PACKAGE = 2.0
_OPTIONS = build_options(courses=["1"])


async def resume() -> None:
    """Wait until a worker is at work. No two begin at the very same moment, as all of virtual time would."""
    await asyncio.sleep(random.uniform(*_RESUME))  # noqa: S311 - nothing secret


@dataclass(frozen=True)
class Asked:
    """An export that was asked for: its number, and those of its course and its progress."""

    course: int
    number: int
    progress: int | None

    @property
    def path(self) -> str:
        """The request that shows it."""
        return f"GET /api/v1/courses/{self.course}/content_exports/{self.number}"


@dataclass
class Counts:
    """What a night comes to, beside its requests."""

    executions: int = 0
    in_flight: int = 0
    peak: int = 0
    early: int = 0
    skipped: int = 0
    worker_seconds: float = 0.0
    exports: list[Asked] = field(default_factory=list)


class Batch:
    """Runs the exports of a batch.

    Parameters:
        canvas: the clock.
        worker: the client of its task.
        watcher: the client of the triggerer.
        queue: of the Canvas.
        counts: of the night.
    """

    def __init__(
        self,
        canvas: VirtualCanvas,
        worker: VirtualClient,
        watcher: VirtualClient,
        queue: CanvasQueue,
        counts: Counts,
    ) -> None:
        self._canvas = canvas
        self._worker = worker
        self._watcher = watcher
        self._queue = queue
        self._counts = counts

    async def run(self, courses: Sequence[int]) -> None:
        """Export the courses."""
        counts = self._counts
        if not courses:
            counts.executions += 1
            return
        items = [Item(f"course:{number}", "common_cartridge", canvas_id=number) for number in courses]
        limits = Limits(
            window=_OPTIONS.max_in_flight,
            creations=CREATIONS,
            transfers=TRANSFERS,
            stall_after=_OPTIONS.stall_after.total_seconds(),
            deadline=self._canvas.now() + _OPTIONS.deadline.total_seconds(),
        )
        engine = Engine(items, limits)
        while True:
            await resume()
            came = self._canvas.now()
            await self._visit(engine)
            counts.executions += 1
            counts.worker_seconds += self._canvas.now() - came
            if engine.is_finished:
                return
            running = [engine.items[name] for name in engine.decide().watch]
            wait = wait_for(
                running, limits, _OPTIONS.waits, now=self._canvas.now(), wants_more=engine.has_room
            )
            result = await watch(
                self._watcher,
                wait.exports,
                wait.wake,
                interval=_OPTIONS.poll_interval,
                now=self._canvas.now,
                queue=self._queue,
                uniform=random.random,  # seeded: each night is the same
            )
            _record_polls(engine, result)

    async def _visit(self, engine: Engine) -> None:
        """What a worker does before it leaves: as ``Batch.advance``."""
        counts = self._counts
        slots = asyncio.Semaphore(_OPTIONS.parallel_transfers)
        while True:
            for name in engine.decide().create:
                engine.apply(events.Intended(name, self._canvas.now()))
                await asyncio.sleep(_POST)
                made = await self._worker.create_export(Context.parse(engine.items[name].context))
                counts.exports.append(Asked(engine.items[name].canvas_id or 0, made.id, made.progress_id))
                created_at = self._canvas.now()
                engine.apply(events.Created(name, made.id, made.progress_id, created_at, created_at))
                counts.in_flight += 1
                counts.peak = max(counts.peak, counts.in_flight)
            ready = engine.decide().transfer
            if not ready:
                return
            await asyncio.gather(*(self._move(engine, name, slots) for name in ready))

    async def _move(self, engine: Engine, name: str, slots: asyncio.Semaphore) -> None:
        item = engine.items[name]
        context, export_id = Context.parse(item.context), item.export_id or 0
        async with slots:
            export = await self._worker.show_export(context, export_id)
            if export.attachment is None or not export.is_ready:
                self._counts.early += 1
                engine.apply(events.NotReady(name, export_id))
                return
            await self._worker.download(export.attachment.url or "")
            await asyncio.sleep(_PACKAGE)
        self._counts.in_flight -= 1
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
