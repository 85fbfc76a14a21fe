"""The process that is measured: ``python -m benchmarks.watching BATCHES SIZE RUNNING SECONDS``.

So many real triggers wait on one event loop, as in a triggerer, for so many exports each, of which so many run and the
others queue. The connection is taken from ``AIRFLOW_CONN_CANVAS_DEFAULT``. Prints what that took as one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from pathlib import Path
from statistics import quantiles

from canvas_exports.core.export.engine.running_export import RunningExport
from canvas_exports.core.export.polling.interval import PollInterval
from canvas_exports.core.export.polling.poll_results import WakeRule
from canvas_exports.core.export.polling.wait import Wait
from canvas_exports.triggers.content_export import CanvasContentExportTrigger

_TICK = 0.01  # seconds between two looks at how late the event loop is
_HOUR = 3600.0


def main(batches: int, size: int, running: int, seconds: float) -> None:
    """Watch, and print what it took."""
    sys.stdout.write(json.dumps(asyncio.run(_measured(batches, size, running, seconds))) + "\n")


async def _measured(batches: int, size: int, running: int, seconds: float) -> dict[str, float]:
    dice = random.Random(1)  # noqa: S311 - nothing secret
    await _watch([_trigger(dice, 0, 2, 1)], 2.0)  # imports, certificates
    before = _resident()
    triggers = [_trigger(dice, number * size, size, running) for number in range(1, batches + 1)]
    ticker = asyncio.create_task(_late(seconds))
    cpu = time.process_time()
    await _watch(triggers, seconds)
    cpu = time.process_time() - cpu
    late = await ticker
    return {
        "kib_per_export": (_resident("VmHWM:") - before) / (batches * size),
        "lag_p99_ms": 1000 * quantiles(late, n=100)[98],
        "lag_max_ms": 1000 * max(late),
        "cpu_share": cpu / seconds,
    }


def _trigger(dice: random.Random, first: int, size: int, running: int) -> CanvasContentExportTrigger:
    """A trigger that was waiting before, in another triggerer: what is late is due now."""
    now = time.time()
    watched = []
    for number in range(first + 1, first + size + 1):
        began = now - dice.uniform(0, _HOUR) if number - first <= running else None
        row = RunningExport(
            context=f"course:{number}",
            export_id=number,
            progress_id=number,
            created_at=now - 2 * _HOUR,
            changed_at=now - 60,
            completion=40.0 if began is not None else None,
            running_since=began,
            seen_at=now - dice.uniform(0, 600),
        )
        watched.append(row)
    wake = WakeRule(
        enough=size, batch_delay=30.0, min_wait=10.0, stall_after=24 * _HOUR, deadline=now + 24 * _HOUR
    )
    return CanvasContentExportTrigger.waiting_for(
        Wait(tuple(watched), wake), canvas_conn_id="canvas_default", interval=PollInterval(), try_number=1
    )


async def _watch(triggers: list[CanvasContentExportTrigger], seconds: float) -> None:
    async def one(trigger: CanvasContentExportTrigger) -> None:
        async for _event in trigger.run():
            pass

    tasks = [asyncio.create_task(one(trigger)) for trigger in triggers]
    done, _ = await asyncio.wait(tasks, timeout=seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if done:
        raise RuntimeError("a trigger spoke, or failed, although nothing has finished") from next(
            iter(done)
        ).exception()


async def _late(seconds: float) -> list[float]:
    """By how much each tick came late."""
    late = []
    end = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < end:
        await asyncio.sleep(_TICK)
        late.append(time.perf_counter() - begun - _TICK)
    return late


def _resident(field: str = "VmRSS:") -> float:
    """Memory of this process, in KiB."""
    return float(Path("/proc/self/status").read_text(encoding="utf-8").partition(field)[2].split()[0])


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
