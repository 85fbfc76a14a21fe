"""Ways of watching many exports, played through in virtual time; see ``benchmarks.polling``."""

from __future__ import annotations

import asyncio
import heapq
import math
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median, quantiles

from benchmarks.virtual_canvas import VirtualCanvas, live
from canvas_exports.core.canvas.api.models import ProgressState
from canvas_exports.core.export.engine import events
from canvas_exports.core.export.engine.engine import Engine, Limits
from canvas_exports.core.export.engine.items import Item, State
from canvas_exports.core.export.options import BatchOptions
from canvas_exports.core.export.polling.canvas_queue import CanvasQueue
from canvas_exports.core.export.polling.interval import PollInterval
from canvas_exports.core.export.polling.wait import wait_for
from canvas_exports.core.export.polling.watch import watch
from canvas_exports.core.export.waits import Waits
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.core.model.outcomes import Outcome

_BATCH, _AT_ONCE = 50, 8  # exports in a batch, and batches at once, by default
_MEDIAN, _SIGMA = (
    86.0,
    1.33,
)  # seconds and spread of the lognormal job time: half are done in 86 s, the mean is 210 s
_WORKER = 8.0  # seconds from a trigger's event until a worker goes on
_POST = 0.2  # seconds for one export to be asked for
_FOREVER = 1e12

Policy = Callable[[VirtualCanvas, Sequence[int]], Awaitable[None]]
Delay = Callable[[float, float | None, float], float]


@dataclass(frozen=True)
class Night:
    """So many exports on so many of Canvas's job workers, the same for every policy."""

    count: int
    workers: int
    seed: int = 1

    def durations(self) -> list[float]:
        """Seconds that each export takes."""
        dice = random.Random(self.seed)  # noqa: S311 - nothing secret
        return [dice.lognormvariate(math.log(_MEDIAN), _SIGMA) for _ in range(self.count)]


def played(night: Night, policy: Policy) -> dict[str, float]:
    """What a policy comes to: polls of each export, the lag until it is known to be done, and how long it all took."""
    durations = night.durations()

    async def play() -> VirtualCanvas:
        canvas = VirtualCanvas(durations, night.workers)
        await policy(canvas, range(1, night.count + 1))
        await asyncio.sleep(max(durations))  # a Progress is complete a moment before its export is
        canvas.settle()
        return canvas

    canvas = live(play())
    lags = sorted(canvas.seen_at[one] - canvas.completed_at(one) for one in canvas.seen_at)
    polls = [canvas.looks[one] + canvas.shows[one] for one in canvas.seen_at]
    in_canvas = sum(canvas.finished_at(one) - canvas.created_at(one) for one in canvas.seen_at)
    return {
        "polls": fmean(polls),
        "polls_median": median(polls),
        "lag_median": median(lags),
        "lag_p90": quantiles(lags, n=10)[-1],
        "makespan": max(map(canvas.finished_at, canvas.seen_at)) / ideal(canvas, night.workers),
        "outstanding": in_canvas / sum(durations),
    }


def ideal(canvas: VirtualCanvas, workers: int) -> float:
    """When Canvas would have been done, had it got everything at the beginning, in the same order."""
    free = [0.0] * workers
    for one in sorted(canvas.seen_at):
        heapq.heapreplace(free, free[0] + canvas.duration(one))
    return max(free)


def ours(*, max_batch_delay: float | None = None) -> Policy:
    """Batches, each with its engine and its watch, as operator and trigger carry them out."""

    async def policy(canvas: VirtualCanvas, numbers: Sequence[int]) -> None:
        queue, free = CanvasQueue(), asyncio.Semaphore(_AT_ONCE)

        async def one(batch: Sequence[int]) -> None:
            async with free:
                await _batch(canvas, queue, batch, max_batch_delay)

        await asyncio.gather(
            *(one(numbers[first : first + _BATCH]) for first in range(0, len(numbers), _BATCH))
        )

    return policy


async def _batch(
    canvas: VirtualCanvas, queue: CanvasQueue, numbers: Sequence[int], max_batch_delay: float | None
) -> None:
    limits = Limits(
        BatchOptions.max_in_flight, creations=3, transfers=3, stall_after=_FOREVER, deadline=_FOREVER
    )
    engine = Engine([Item(f"course:{number}", "common_cartridge") for number in numbers], limits)
    dice = random.Random(numbers[0])  # noqa: S311 - nothing secret
    while not engine.is_finished:
        decisions = engine.decide()
        for name in decisions.create:
            await asyncio.sleep(_POST)
            export = canvas.create(int(engine.items[name].context.partition(":")[2]))
            at = canvas.now()
            engine.apply(events.Intended(name, at))
            engine.apply(events.Created(name, export.id, export.progress_id, at, at))
        for name in decisions.transfer:
            number = engine.items[name].export_id or 0
            engine.apply(events.Stored(name, number, Outcome.STORED, None, key="k", size=1, findings=0))
        waiting = engine.decide()
        if waiting.create or not waiting.watch:
            continue
        rest = wait_for(
            (engine.items[name] for name in waiting.watch),
            limits,
            Waits(),
            now=canvas.now(),
            wants_more=engine.has_room,
        )
        wake = rest.wake if max_batch_delay is None else replace(rest.wake, max_batch_delay=max_batch_delay)
        result = await watch(
            canvas,
            rest.exports,
            wake,
            interval=PollInterval(),
            now=canvas.now,
            uniform=dice.random,
            queue=queue,
        )
        await asyncio.sleep(_WORKER)
        names = {item.export_id: name for name, item in engine.items.items() if item.state is State.REQUESTED}
        for number in result.ready:
            engine.apply(events.Ready(names[number], number))
        for number, running in result.running.items():
            engine.apply(events.Polled(names[number], running))


def one_by_one(delay: Delay, *, window: int | None = None) -> Policy:
    """Each export by itself, looked at after so many seconds again and again; all at once, or so many in flight."""

    async def policy(canvas: VirtualCanvas, numbers: Sequence[int]) -> None:
        free = asyncio.Semaphore(window or len(numbers))
        dice = random.Random(1)  # noqa: S311 - nothing secret

        async def follow(number: int) -> None:
            async with free:
                await _follow(canvas, number, delay, dice)

        await asyncio.gather(*map(follow, numbers))

    return policy


async def _follow(canvas: VirtualCanvas, number: int, delay: Delay, dice: random.Random) -> None:
    export = canvas.create(number)
    created_at, running_since = canvas.now(), None
    context = Context(ContextKind.COURSE, str(number))
    await asyncio.sleep(delay(0.0, None, 0.0) * dice.random())
    while True:
        progress = await canvas.progress(export.progress_id or 0)
        if progress.workflow_state is ProgressState.COMPLETED:
            if (await canvas.show_export(context, export.id)).is_ready:
                return
        elif progress.workflow_state is ProgressState.RUNNING:
            running_since = canvas.now() if running_since is None else running_since
        running_for = 0.0 if running_since is None else canvas.now() - running_since
        await asyncio.sleep(delay(canvas.now() - created_at, progress.completion, running_for))


def every(seconds: float) -> Delay:
    """Always the same."""
    return lambda _age, _completion, _running_for: seconds


def by_itself(age: float, completion: float | None, running_for: float) -> float:
    """What this product did before it knew of queues: 15 % of the age, then half of the rest, in 5 to 60 s."""
    rest = running_for * (100.0 - min(completion, 99.0)) / completion if completion else 0.0
    return min(max(0.5 * rest if completion else 0.15 * age, 5.0), 60.0)


def policies(workers: int) -> Iterator[tuple[str, Policy]]:
    """All of them by name, the product's own last."""
    for seconds in (5.0, 10.0, 30.0):
        yield f"all at once, every {seconds:.0f} s", one_by_one(every(seconds))
    yield "all at once, each by itself", one_by_one(by_itself)
    yield f"{2 * workers} in flight, every 10 s", one_by_one(every(10.0), window=2 * workers)
    yield f"{2 * workers} in flight, each by itself", one_by_one(by_itself, window=2 * workers)
    yield "this product, if workers came at once", ours(max_batch_delay=0.0)
    yield "this product", ours()
