"""What does looking at running exports cost? ``python -m benchmarks.polling`` polls as fast as it can, and counts polls.

The first table is speed: each row a client in a fresh process, with a server in another that answers as quickly as Python
can. The second is economy: a night of exports played through in virtual time, with nothing but the product's own engine,
window, queue and pace, or what one would write instead.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.peers.polling import CLIENTS
from benchmarks.policies import Night, played, policies
from benchmarks.report import RESULTS, ROOT, Column, Report
from benchmarks.servers import server

LEAST_PER_SECOND, MOST_CPU_MS = 5000, 0.2
MOST_POLLS, MOST_LAG, MOST_MAKESPAN = 30.0, 5.0, 1.02
_POLLS = {"ours": 20_000, "aiohttp": 20_000}
_FEWER = 3_000  # polls of a client that is slower by far
_SPEED = (
    Column("client", "client"),
    Column("polls_per_second", "polls/s", ",.0f"),
    Column("cpu_ms_per_poll", "CPU ms/poll", ".3f"),
    Column("rss_mib", "RSS MiB", ".0f"),
    Column("ratio", "CPU of ours", ".1f"),
    Column("verdict", ""),
)
_ECONOMY = (
    Column("policy", "policy"),
    Column("polls", "polls/export", ".1f"),
    Column("polls_median", "median", ".0f"),
    Column("lag_median", "lag s median", ".1f"),
    Column("lag_p90", "lag s p90", ".0f"),
    Column("makespan", "time/ideal", ".3f"),
    Column("outstanding", "asked for/running", ".1f"),
    Column("verdict", ""),
)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print both tables, write the results as JSON. 1 if a goal is missed."""
    options = _parser().parse_args(arguments)
    speed = Report("polling", _SPEED, "As fast as it goes: 20 requests under way, or 8 threads")
    _measure(speed, options.rounds, 0.05 if options.small else 1.0)
    speed.write(options.results, goals={"polls_per_second": LEAST_PER_SECOND, "cpu_ms": MOST_CPU_MS})
    night = Night(200, 5) if options.small else Night(1000, 20)
    title = f"\n{night.count:,} exports, half of them done in 86 s, {night.workers} at a time; virtual time"
    economy = Report("polling-policies", _ECONOMY, title)
    for name, policy in policies(night.workers):
        economy.add(_judged({"policy": name, **played(night, policy)}))
    economy.write(options.results, goals={"polls": MOST_POLLS, "lag": MOST_LAG, "makespan": MOST_MAKESPAN})
    return int(any(row.get("verdict") == "MISSED" for row in (*speed.rows, *economy.rows)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.polling", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "--small", action="store_true", help="a twentieth of the polls, 200 exports: a quick look"
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds; a row holds medians (default: 5)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON documents")
    return parser


def _measure(report: Report, rounds: int, share: float) -> None:
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in CLIENTS}
    for _ in range(rounds):  # in turns, so that a slower minute of the machine meets all of them
        for name, rows in found.items():
            rows.append(_polled(name, int(_POLLS.get(name, _FEWER) * share)))
    own = median(row["cpu_ms_per_poll"] for row in found["ours"])
    for name, rows in found.items():
        row = {key: median(one[key] for one in rows) for key in rows[0]}
        row["ratio"] = row["cpu_ms_per_poll"] / own
        if name == "ours":
            good = row["polls_per_second"] >= LEAST_PER_SECOND and row["cpu_ms_per_poll"] <= MOST_CPU_MS
            row["verdict"] = "ok" if good else "MISSED"
        report.add({"client": name, **row})


def _polled(name: str, count: int) -> dict[str, Any]:
    with server("benchmarks.progress_server") as canvas:
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", "benchmarks.peers.polling", name, canvas["url"], str(count)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=300,
        )
    row: dict[str, Any] = json.loads(done.stdout)
    return row


def _judged(row: dict[str, Any]) -> dict[str, Any]:
    if row["policy"].startswith("this product"):
        # By default, a package waits for company before a worker comes: to know of it within seconds is of no use.
        prompt = row["policy"] == "this product" or row["lag_median"] <= MOST_LAG
        good = prompt and row["polls"] <= MOST_POLLS and row["makespan"] <= MOST_MAKESPAN
        row["verdict"] = "ok" if good else "MISSED"
    return row


if __name__ == "__main__":
    sys.exit(main())
