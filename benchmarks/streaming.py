"""How fast do packages flow, and what does it cost? ``python -m benchmarks.streaming`` moves them in every way.

Canvas with its storage and the S3 server are processes of their own, so that only the client is measured. Within one
table the ways are gone in turn, every round beginning with another one and every second round backwards; a row is the
median of its rounds. See README.md.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import ways
from benchmarks.certificates import write_certificates
from benchmarks.http_server import MIB, Line
from benchmarks.package import write_package
from benchmarks.report import RESULTS, ROOT, Column, Report
from benchmarks.servers import server
from benchmarks.ways import Place, Way
from canvas_exports.core.packages.digests import LABELS

_THROTTLED = 78e6  # bytes per second and connection
_FAR = 0.04  # seconds of round trip
_NEAR = Line()
_SMALL_SIZE = 100_000
_OURS, _PLAIN, _RCLONE = "ours", "requests + smart_open", "rclone copyurl"

_WITH = "clients use the processor's SHA instructions, if it has them"
_WITHOUT = "clients do without the processor's SHA instructions; the servers use them"
_COLUMNS = (
    Column("case", "case"),
    Column("mb_per_second", "MB/s", ".0f"),
    Column("ratio", "ours is x", ".2f"),
    Column("cpu_per_gb", "CPU-s/GB", ".2f"),
    Column("peak_mib", "peak MiB", ".0f"),
    Column("growth_mib", "growth MiB", ".0f"),
    Column("per_second", "packages/s", ".0f"),
    Column("cpu_ms", "ms CPU each", ".2f"),
    Column("rounds", "rounds", "d"),
)
_GOALS = (
    Column("case", "goal"),
    Column("wanted", "wanted", ".2f"),
    Column("measured", "measured", ".2f"),
    Column("verdict", ""),
)


@dataclass(frozen=True)
class Load:
    """How much is moved: the package of the comparisons, how many small ones, and so on."""

    package: int  # bytes
    large: int  # bytes of the package whose memory is compared with that of a small one
    parallel: int  # bytes of each of the packages that move at once
    small: int  # packages of 100 KB


FULL = Load(512 * MIB, 2048 * MIB, 96 * MIB, 2000)
SMALL = Load(64 * MIB, 256 * MIB, 16 * MIB, 200)


@dataclass(frozen=True)
class Table:
    """Ways that are compared with each other: between the same servers, with the same package."""

    title: str
    size: int
    ways: Sequence[Way]
    encrypted: bool = False
    source: Line = _NEAR
    sink: Line = _NEAR
    rounds: int | None = None


@dataclass(frozen=True)
class Goal:
    """What is to be reached: a value of a row, or its ratio to that of another one."""

    name: str
    wanted: float
    row: str
    value: str
    over: str | None = None
    at_most: bool = False

    def judge(self, rows: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
        """The goal's row; ``None`` if what it speaks of was not measured."""
        if self.row not in rows or (self.over and self.over not in rows):
            return None
        measured = rows[self.row][self.value]
        if self.over:
            measured /= rows[self.over][self.value]
        met = measured <= self.wanted if self.at_most else measured >= self.wanted
        return {
            "case": self.name,
            "wanted": self.wanted,
            "measured": measured,
            "verdict": "ok" if met else "MISSED",
        }


def tables(load: Load) -> dict[str, list[Table]]:
    """Every table, by the name of its group."""
    peers = [ways.smart_open(), ways.rclone(), ways.curl_and_aws(), ways.airflow_operator()]
    unsigned = [
        ways.ours("ours, unsigned", unsigned=True),
        ways.rclone("rclone copyurl, unsigned", unsigned=True),
    ]
    limits = [ways.curl_to_nowhere(), *(ways.digest_alone(LABELS[name], name) for name in LABELS)]
    throttled = Line(rate=_THROTTLED)
    far = Line(delay=_FAR)
    many: dict[str, Any] = {"exports": load.small, "patient": False}
    return {
        "http": [Table("http", load.package, [ways.ours(), *unsigned, *peers, *limits])],
        "https": [
            Table("https", load.package, [ways.ours(), *peers, ways.curl_to_nowhere()], encrypted=True)
        ],
        "folder": [Table("folder", load.package, [ways.ours(to="folder"), ways.curl_to_disk()])],
        "throttled": [
            Table(
                "https, 78 MB/s per connection",
                max(load.package, 288 * MIB),
                [ways.ours(), ways.ours("ours, 4 ranges", options={"parallel_ranges": 4}), ways.rclone()],
                encrypted=True,
                source=throttled,
                sink=throttled,
                rounds=3,
            )
        ],
        "parallel": [
            Table(
                "https, at once",
                load.parallel,
                [ways.ours(f"ours, {count} at once", exports=count) for count in (1, 4, 8, 16)],
                encrypted=True,
            )
        ],
        "memory": [
            Table(f"https, one of {size // MIB} MiB", size, [ways.ours()], encrypted=True, rounds=1)
            for size in (MIB, 64 * MIB, load.large)
        ],
        "small": [
            Table(
                "small, loopback",
                _SMALL_SIZE,
                [ways.ours(**many), ways.smart_open(count=load.small // 10, threads=8)],
                rounds=3,
            ),
            Table(
                "small, 40 ms",
                _SMALL_SIZE,
                [ways.ours(**many), ways.smart_open(count=load.small // 10, threads=8)],
                source=far,
                sink=far,
                rounds=3,
            ),
        ],
    }


def goals(load: Load, *, without_sha: bool) -> list[Goal]:
    """What the product is to reach; ``without_sha``: on a processor without instructions for SHA-256."""
    first, last = "https, one of 1 MiB", f"https, one of {load.large // MIB} MiB"
    rate, own, small = "mb_per_second", "https: ours", "small, loopback: ours"
    unsigned, far = "http: ours, unsigned", "small, 40 ms: ours"
    return [
        Goal("https: times rclone", 1.2, own, rate, f"https: {_RCLONE}"),
        Goal("https: times smart_open", 1.5, own, rate, f"https: {_PLAIN}"),
        Goal("https: CPU-s/GB", 3.0 if without_sha else 2.2, own, "cpu_per_gb", at_most=True),
        Goal("http, unsigned: times rclone", 1.5, unsigned, rate, f"http: {_RCLONE}, unsigned"),
        Goal("http, unsigned: times smart_open", 2.5, unsigned, rate, f"http: {_PLAIN}"),
        Goal("folder: times curl -o, sync", 1.0, "folder: ours", rate, "folder: curl -o, sync"),
        Goal(
            "throttled: times one connection",
            2.0,
            "https, 78 MB/s per connection: ours, 4 ranges",
            "mb_per_second",
            "https, 78 MB/s per connection: ours",
        ),
        Goal("one package: growth MiB", 160, f"{last}: ours", "growth_mib", at_most=True),
        Goal(
            "one package: peak, largest over smallest",
            1.6,
            f"{last}: ours",
            "peak_mib",
            f"{first}: ours",
            at_most=True,
        ),
        Goal("16 at once: growth MiB", 256, "https, at once: ours, 16 at once", "growth_mib", at_most=True),
        Goal("small, loopback: times smart_open", 2.5, small, "per_second", f"small, loopback: {_PLAIN}"),
        Goal("small, loopback: ms CPU each", 3.6, small, "cpu_ms", at_most=True),
        Goal("small, 40 ms: times smart_open", 8.0, far, "per_second", f"small, 40 ms: {_PLAIN}"),
    ]


def main(arguments: list[str] | None = None) -> int:
    """Run every table, print them and the goals, write all of it as JSON. 1 if a goal is missed."""
    options = _parser().parse_args(arguments)
    load = SMALL if options.small else FULL
    rounds = options.rounds or (1 if options.small else 5)
    report = Report("streaming", _COLUMNS, title=_WITHOUT if options.without_sha else _WITH)
    options.scratch.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="streaming-", dir=options.scratch))
    try:
        for group, chosen in tables(load).items():
            for table in chosen if not options.only or group in options.only else ():
                _measure(table, rounds, folder, report, without_sha=options.without_sha)
    finally:
        shutil.rmtree(folder)
    rows = {row["case"]: row for row in report.rows}
    judged = Report("streaming-goals", _GOALS)
    sys.stdout.write("\n")
    for goal in goals(load, without_sha=options.without_sha):
        if (row := goal.judge(rows)) is not None:
            judged.add(row)
    report.write(options.results, goals=judged.rows, without_sha=options.without_sha)
    return int(any(row["verdict"] == "MISSED" for row in judged.rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.streaming", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--small", action="store_true", help="little of everything, once: a quick look")
    parser.add_argument("--rounds", type=int, help="of most tables (default: 5; once with --small)")
    parser.add_argument(
        "--without-sha",
        action="store_true",
        help="the clients do without the processor's instructions for SHA-256, as on many older ones",
    )
    parser.add_argument("--only", nargs="*", choices=list(tables(SMALL)), help="these tables")
    parser.add_argument(
        "--scratch",
        type=Path,
        default=ROOT / ".bench",
        help="folder of the packages while they are measured; needs 4 GiB (default: .bench)",
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON documents")
    return parser


def _measure(table: Table, rounds: int, folder: Path, report: Report, *, without_sha: bool) -> None:
    """Go every way of a table in turn, and report the medians."""
    able = [way for way in table.ways if way.missing is None]
    for way in table.ways:
        if way.missing:
            sys.stdout.write(f"{table.title}: {way.name} is left out: there is no {way.missing}\n")
    package = folder / f"{table.size}.imscc"
    if not package.exists():
        write_package(package, table.size)
    rounds = min(rounds, table.rounds or rounds)
    taken: dict[str, list[dict[str, Any]]] = {way.name: [] for way in able}
    with ExitStack() as servers:
        place = replace(_place(table, package, folder, servers), without_sha=without_sha)
        for number in range(rounds):
            turned = able[number % len(able) :] + able[: number % len(able)]
            for way in turned[::-1] if number % 2 else turned:
                taken[way.name].append(way.run(place))
    own = None
    for way in able:
        row = _row(f"{table.title}: {way.name}", taken[way.name])
        own = own or row["mb_per_second"]
        report.add({**row, "ratio": own / row["mb_per_second"]})


def _place(table: Table, package: Path, folder: Path, servers: ExitStack) -> Place:
    authority, source, sink = None, table.source.arguments(), table.sink.arguments()
    if table.encrypted:
        authority, certificate = write_certificates(folder)
        source, sink = [[*each, f"--certificate={certificate}"] for each in (source, sink)]
    canvas = servers.enter_context(server("benchmarks.source", str(package), *source))
    store = servers.enter_context(server("benchmarks.s3_sink", *sink))
    return Place(canvas, store["url"], authority, package, folder)


def _row(case: str, taken: list[dict[str, Any]]) -> dict[str, Any]:
    def median(of: str) -> float | None:
        return statistics.median(run[of] for run in taken) if of in taken[0] else None

    packages = taken[0]["packages"]
    seconds, cpu = (
        statistics.median(run["seconds"] for run in taken),
        statistics.median(run["cpu"] for run in taken),
    )
    size = taken[0]["bytes"]
    row = {
        "case": case,
        "mb_per_second": size / 1e6 / seconds,
        "cpu_per_gb": cpu / (size / 1e9),
        "peak_mib": median("peak_mib"),
        "growth_mib": median("growth_mib"),
        "rounds": len(taken),
        "runs": taken,
    }
    if size / packages <= MIB:
        row |= {"per_second": packages / seconds, "cpu_ms": 1000 * cpu / packages}
    return row


if __name__ == "__main__":
    sys.exit(main())
