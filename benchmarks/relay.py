"""The process that is measured: ``python -m benchmarks.relay`` with an order on its standard input.

The order is JSON: ``{"canvas": {...}, "archive": URI, "endpoint": URL or null}``, ``canvas`` as ``sandbox_server`` prints
it. Moves the package of every course to the archive, all of them at once, through the parts that the operator uses, and
prints what that took as one line of JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from canvas_exports.archive.credentials import StoreOptions
from canvas_exports.archive.opening import open_store
from canvas_exports.canvas.client import CanvasClient
from canvas_exports.canvas.contexts import Context
from canvas_exports.canvas.exports import ExportRequest
from canvas_exports.export import events
from canvas_exports.export.items import Item, State
from canvas_exports.export.options import build_options
from canvas_exports.export.run_info import RunInfo
from canvas_exports.export.transfer import Courier

_CARTRIDGE = ExportRequest.build("common_cartridge")
_STATUS = Path("/proc/self/status")
_RESET_PEAK = "5"  # what Linux wants to read in clear_refs to forget the peak so far


@dataclass(frozen=True)
class Reading:
    """What the process has used up to now: seconds of the clock and of processors, and peak memory in MiB."""

    clock: float
    cpu: float
    peak: float

    @classmethod
    def take(cls) -> Reading:
        """Read the clocks and the peak."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        return cls(time.perf_counter(), used.ru_utime + used.ru_stime, _peak())


def main() -> None:
    """Carry out the order."""
    order = json.loads(sys.stdin.read())
    canvas = order["canvas"]
    options = build_options(courses=canvas["courses"], parallel_transfers=len(canvas["courses"]))
    run = RunInfo("benchmark", "benchmark", "relay", datetime.now(timezone.utc).date())
    keys = StoreOptions(endpoint=order["endpoint"], access_key="any", secret_key="any")  # noqa: S106 - the sink asks for none
    with (
        CanvasClient(canvas["url"], canvas["token"]) as client,
        open_store(order["archive"], keys) as store,
        ThreadPoolExecutor(options.parallel_transfers) as threads,
    ):
        courier = Courier(client, store, options, run)
        items = [_finished(client, context) for context in options.contexts]
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text(_RESET_PEAK)
        before = Reading.take()
        results = list(threads.map(courier.carry, items))
        after = Reading.take()
    sys.stdout.write(json.dumps(_report(results, before, after)) + "\n")


def _finished(client: CanvasClient, context: Context) -> Item:
    """Have Canvas build a package, and wait for it."""
    export = client.create_export(context, _CARTRIDGE)
    while not export.is_ready:
        time.sleep(0.05)
        export = client.show_export(context, export.id)
    return Item(
        str(context), export.export_type, State.READY, canvas_id=context.canvas_id, export_id=export.id
    )


def _report(results: list[events.Event], before: Reading, after: Reading) -> dict[str, Any]:
    stored = [event for event in results if isinstance(event, events.Stored)]
    for event in results:
        if event not in stored:
            raise SystemExit(f"a package was not stored: {event}")
    size = sum(event.size for event in stored)
    seconds = after.clock - before.clock
    return {
        "packages": len(stored),
        "bytes": size,
        "seconds": round(seconds, 2),
        "mb_per_second": round(size / 1e6 / seconds),
        "cpu_seconds_per_gb": round((after.cpu - before.cpu) / (size / 1e9), 2),
        "before_mib": round(before.peak, 1),
        "growth_mib": round(after.peak - before.peak, 1),
    }


def _peak() -> float:
    """The most memory the process has held, in MiB; on Linux since the peak was last forgotten."""
    if _STATUS.exists():
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    scale = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


if __name__ == "__main__":
    main()
