"""Is memory constant, whatever the size? ``python -m benchmarks.memory`` moves packages of gigabytes and looks.

Each row is a fresh process that moves virtual packages from a sandbox through the Canvas client, the proof and the
archive: to a folder, or to an S3 server that throws them away. Sandbox and S3 server are processes of their own, so that
only the client is measured.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.report import RESULTS, ROOT, Column, Report
from benchmarks.servers import server

MIB = 1024**2
PATIENCE = 1800  # seconds for one case; a relay that stands still for ever is a finding, too
_COLUMNS = (
    Column("case", "case"),
    Column("gib", "GiB", ".2f"),
    Column("seconds", "seconds", ".1f"),
    Column("mb_per_second", "MB/s"),
    Column("cpu_seconds_per_gb", "CPU-s/GB", ".2f"),
    Column("growth_mib", "growth MiB", ".0f"),
    Column("goal_mib", "goal MiB"),
    Column("verdict", ""),
)


@dataclass(frozen=True)
class Load:
    """So many packages of so many MiB, all at once, and by how many MiB the process may grow."""

    count: int
    size: int
    goal: int

    def __str__(self) -> str:
        size = f"{self.size / 1024:g} GiB" if self.size % 1024 == 0 else f"{self.size} MiB"
        return f"{self.count} x {size}"


FULL = (Load(1, 5 * 1024, goal=160), Load(16, 512, goal=256))
SMALL = (Load(1, 256, goal=160), Load(4, 64, goal=256))


def main(arguments: list[str] | None = None) -> int:
    """Run every case, print the table, write the results as JSON. 1 if a goal is missed."""
    options = _parser().parse_args(arguments)
    report = Report("memory", _COLUMNS)
    for load in SMALL if options.small else FULL:
        for target in ("folder", "s3"):
            measured = _measured(load, target, options.scratch)
            verdict = "ok" if measured["growth_mib"] <= load.goal else "OVER"
            own = {"case": f"{load} to {target}", "goal_mib": load.goal, "verdict": verdict}
            report.add({**measured, **own, "gib": measured["bytes"] / 1024**3})
    report.write(options.results)
    return int(any(row["verdict"] == "OVER" for row in report.rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.memory", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--small", action="store_true", help="256 MiB, and 4 x 64 MiB: a quick look")
    parser.add_argument(
        "--scratch",
        type=Path,
        default=ROOT / ".bench",
        help="folder of the packages while they are measured; needs 8 GiB (default: .bench)",
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON documents")
    return parser


def _measured(load: Load, target: str, scratch: Path) -> dict[str, Any]:
    """One case, in three processes."""
    with server("benchmarks.sandbox_server", str(load.count), str(load.size * MIB)) as canvas:
        if target == "s3":
            with server("benchmarks.s3_sink") as sink:
                return _relay({"canvas": canvas, "archive": "s3://sink/canvas", "endpoint": sink["url"]})
        scratch.mkdir(parents=True, exist_ok=True)
        folder = tempfile.mkdtemp(prefix="memory-", dir=scratch)
        try:
            return _relay({"canvas": canvas, "archive": Path(folder).as_uri(), "endpoint": None})
        finally:
            shutil.rmtree(folder)


def _relay(order: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.relay"],
        cwd=ROOT,
        input=json.dumps(order),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    sys.exit(main())
