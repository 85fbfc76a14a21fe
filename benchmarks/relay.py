"""The process that is measured: ``python -m benchmarks.relay`` with an order on its standard input.

The order is JSON: ``{"canvas": {...}, "archive": URI, "endpoint": URL or null}``, ``canvas`` as ``sandbox_server`` or
``source`` prints it; optional are ``exports`` (of each course; 1), ``unsigned`` (payloads), ``options`` (of the batch), and
``patient`` (false: without regard to Canvas's rate budget). Moves every package to the archive, all of them at once,
through the parts that the operator uses, and prints what that took as one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any

from benchmarks.reading import Reading, forget_peak, used
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter, RateLimits
from canvas_exports.core.export.engine import events
from canvas_exports.core.export.engine.items import Item, State
from canvas_exports.core.export.options import build_options
from canvas_exports.core.export.replicas import Replicas
from canvas_exports.core.export.transfer import PackageMover
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.model.runs import RunInfo
from canvas_exports.core.packages.digests import digests_of
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.options import StoreOptions

_IMPATIENT = RateLimits(max_in_flight=64, high_water=1e6)
_CARTRIDGE = ExportRequest.build("common_cartridge")


def main() -> None:
    """Carry out the order."""
    order = json.loads(sys.stdin.read())
    canvas = order["canvas"]
    exports = order.get("exports", 1)
    together = min(len(canvas["courses"]) * exports, 16)
    # Every package is to be moved, also those of one course that nobody changed in between.
    batch = {"parallel_transfers": together, "unchanged": "store", **order.get("options", {})}
    options = build_options(courses=canvas["courses"], **batch)
    run = RunInfo("benchmark", "benchmark", "relay", datetime.now(timezone.utc).date())
    keys = StoreOptions(
        endpoint=order["endpoint"],
        access_key="any",
        secret_key="any",  # noqa: S106 - the sink asks for none
        verify=order.get("verify", True),
        unsigned_payload=order.get("unsigned", False),
    )
    rate_limiter = None if order.get("patient", True) else RateLimiter(_IMPATIENT)
    with (
        CanvasClient(
            canvas["url"], canvas["token"], verify=order.get("verify", True), rate_limiter=rate_limiter
        ) as client,
        open_store(order["archive"], keys) as store,
        ThreadPoolExecutor(min(len(canvas["courses"]) * exports, 16 * options.parallel_transfers)) as threads,
    ):
        mover = PackageMover(client, Replicas([store]), options, run)
        items = [_finished(client, context) for context in options.contexts for _ in range(exports)]
        problem("manifest-1", {})  # imports what it needs: imports are not measured
        digests_of(b"")
        forget_peak()
        before = Reading.take()
        results = list(threads.map(mover.move, items))
        report = _report(results, before)
    sys.stdout.write(json.dumps(report) + "\n")


def _finished(client: CanvasClient, context: Context) -> Item:
    """Have Canvas build a package, and wait for it."""
    export = client.create_export(context, _CARTRIDGE)
    while not export.is_ready:
        time.sleep(0.05)
        export = client.show_export(context, export.id)
    return Item(
        str(context), export.export_type, State.READY, canvas_id=context.canvas_id, export_id=export.id
    )


def _report(results: list[events.Event], before: Reading) -> dict[str, Any]:
    stored = [event for event in results if isinstance(event, events.Stored)]
    for event in results:
        if event not in stored:
            raise SystemExit(f"a package was not stored: {event}")
    taken = used(before, sum(event.size for event in stored), len(stored))
    size = taken["bytes"]
    return {
        **taken,
        "mb_per_second": round(size / 1e6 / taken["seconds"]),
        "cpu_seconds_per_gb": round(taken["cpu"] / (size / 1e9), 2),
    }


if __name__ == "__main__":
    main()
