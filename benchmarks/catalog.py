"""What does a question to the archive cost? ``python -m benchmarks.catalog`` asks archives of any size, first without an index.

Each row is a fresh process that asks for every course without a good copy, over S3 (``s3_archive.py``, a process of its own
with a round trip of 20 ms): reading every manifest; reading every manifest and noting it in the index; with the index.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.reading import Reading, forget_peak
from benchmarks.report import RESULTS, ROOT, Column, Report
from benchmarks.s3_sink import BUCKET
from benchmarks.servers import server
from canvas_exports.core.archive.catalog.coverage import coverage
from canvas_exports.core.archive.catalog.index import read_with_index
from canvas_exports.core.archive.catalog.read import Holding, every_context
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.options import StoreOptions
from canvas_exports.core.storage.store import Store

GOAL = 96  # MiB by which the process may grow, whatever the size of the archive
WAYS: dict[str, Callable[[Store], Iterator[Holding]]] = {
    "without an index": every_context,
    "making the index": read_with_index,
    "with the index": read_with_index,
}
COPIES = 10  # of each course
_DELAY = 0.02
_COLUMNS = (
    Column("case", "case"),
    Column("seconds", "seconds", ".1f"),
    Column("cpu", "CPU-s", ".1f"),
    Column("listings", "listings", ",d"),
    Column("manifests", "manifests", ",d"),
    Column("index", "index", ",d"),
    Column("growth_mib", "growth MiB", ".0f"),
    Column("verdict", ""),
)


def main(arguments: list[str] | None = None) -> int:
    """Run every case, print the table, write the results as JSON. 1 if memory grew past the goal."""
    options = _parser().parse_args(arguments)
    if options.ask:
        sys.stdout.write(json.dumps(_ask(*options.ask)) + "\n")
        return 0
    report = Report("catalog", _COLUMNS)
    for copies in options.copies or ([1000] if options.small else [20_000, 200_000]):
        with server(
            "benchmarks.s3_archive", str(copies // COPIES), str(COPIES), f"--delay={_DELAY}"
        ) as archive:
            for way in WAYS:
                before = _counts(archive["url"])
                measured = _measured(way, archive["url"])
                made = _counts(archive["url"])
                made.subtract(before)
                index = sum(number for name, number in made.items() if name.startswith("index"))
                measured["verdict"] = "ok" if measured["growth_mib"] <= GOAL else "OVER"
                if measured["missing"] != copies // COPIES // 50:
                    measured["verdict"] = "WRONG"
                report.add(
                    {
                        "case": f"{copies:,} copies, {way}",
                        "listings": made["listings"],
                        "manifests": made["manifests"],
                        "index": index,
                        **measured,
                    }
                )
    report.write(options.results, goal_mib=GOAL, round_trip=_DELAY)
    return int(any(row["verdict"] != "ok" for row in report.rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.catalog", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--small", action="store_true", help="1,000 copies: requests, not time")
    parser.add_argument("--copies", type=int, nargs="+", help="how many (20,000 and 200,000)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON documents")
    parser.add_argument("--ask", nargs=2, metavar=("WAY", "URL"), help=argparse.SUPPRESS)
    return parser


def _measured(way: str, url: str) -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "benchmarks.catalog", "--ask", way, url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def _ask(way: str, url: str) -> dict[str, Any]:
    """What is measured, in a process of its own."""
    options = StoreOptions(endpoint=url, region="us-east-1", access_key="benchmark", secret_key="benchmark")  # noqa: S106
    with open_store(f"s3://{BUCKET}/canvas", options) as store:
        store.stat("courses/1/nothing.json")  # the libraries are loaded, the connection stands
        forget_peak()
        before = Reading.take()
        with closing(WAYS[way](store)) as holdings:  # type: ignore[type-var] # both are generators
            found = coverage(holdings)
        after = Reading.take()
    return {
        "missing": len(found.gaps),
        "seconds": after.clock - before.clock,
        "cpu": after.cpu - before.cpu,
        "growth_mib": after.peak - before.peak,
    }


def _counts(url: str) -> Counter[str]:
    with urllib.request.urlopen(f"{url}/counts") as answer:  # noqa: S310 - our own server
        return Counter(json.loads(answer.read()))


if __name__ == "__main__":
    sys.exit(main())
