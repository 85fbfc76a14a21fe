"""What does it cost to wait? ``python -m benchmarks.waiting`` watches 10,000 exports in one process.

A hundred of the product's own triggers, of a hundred exports each, share one event loop as they do in a triggerer. They
have just been moved there, so that everything is due. Canvas is another process, which takes 100 ms for an answer.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.report import RESULTS, ROOT, Column, Report
from benchmarks.servers import server
from canvas_exports.core.canvas.http.rate_limiter import RateLimits

BATCHES, SIZE = 100, 100
MOST_KIB, MOST_LAG_MS = 20.0, 100.0
_CASES = (("1,000 run, 9,000 queue", 10), ("all run", 100))
_COLUMNS = (
    Column("case", "10,000 exports"),
    Column("kib_per_export", "KiB/export", ".1f"),
    Column("lag_p99_ms", "lag ms p99", ".1f"),
    Column("lag_max_ms", "lag ms max", ".0f"),
    Column("cpu_share", "CPU", ".2f"),
    Column("requests_per_second", "requests/s", ".1f"),
    Column("busiest_second", "busiest second", ".0f"),
    Column("most_under_way", "under way", ".0f"),
    Column("verdict", ""),
)


def main(arguments: list[str] | None = None) -> int:
    """Measure every case, print the table, write the results as JSON. 1 if a goal is missed."""
    options = _parser().parse_args(arguments)
    seconds = 15 if options.small else 90
    report = Report("waiting", _COLUMNS)
    for name, running in _CASES:
        row = _watched(running, seconds)
        good = (
            row["kib_per_export"] < MOST_KIB
            and row["lag_p99_ms"] < MOST_LAG_MS
            and row["most_under_way"] <= RateLimits().max_in_flight
        )
        report.add({"case": name, **row, "verdict": "ok" if good else "MISSED"})
    goals = {"kib_per_export": MOST_KIB, "lag_p99_ms": MOST_LAG_MS}
    report.write(options.results, seconds=seconds, goals=goals)
    return int(any(row["verdict"] == "MISSED" for row in report.rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.waiting", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--small", action="store_true", help="15 seconds for each case: a quick look")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON documents")
    return parser


def _watched(running: int, seconds: int) -> dict[str, Any]:
    with server("benchmarks.progress_server", "--delay", "0.1") as canvas:
        connection = {"conn_type": "canvas", "host": canvas["url"], "password": canvas["token"]}
        done = subprocess.run(  # noqa: S603 - our own module
            [
                sys.executable,
                "-m",
                "benchmarks.watching",
                str(BATCHES),
                str(SIZE),
                str(running),
                str(seconds),
            ],
            cwd=ROOT,
            env={**os.environ, "AIRFLOW_CONN_CANVAS_DEFAULT": json.dumps(connection)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=seconds + 120,
        )
        with urllib.request.urlopen(f"{canvas['url']}/log") as answer:  # noqa: S310 - our own server
            log = json.load(answer)
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    each_second = log["seconds"][-seconds:]
    return {
        **row,
        "requests_per_second": fmean(each_second),
        "busiest_second": max(each_second),
        "most_under_way": log["most_under_way"],
    }


if __name__ == "__main__":
    sys.exit(main())
