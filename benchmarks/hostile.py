"""What can a hostile package cost? ``python -m benchmarks.hostile`` builds small packages without end inside, and proves them.

Each row is a fresh process that proves one package at one level. A goal is missed if that takes more memory or processor time
than ``docs/proof.md`` states. ``benchmarks/attacks.py`` makes the packages.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.attacks import ATTACKS
from benchmarks.report import RESULTS, ROOT, Column, Report

MIB = 1024**2
LEVELS = ("directory", "full")
MOST_MIB = 160
MOST_SECONDS = 10.0
MOST_SECONDS_PER_MIB = 15.0
PATIENCE = 600  # seconds for one package
_WIDTH = max(map(len, ATTACKS))

_COLUMNS = (
    Column("case", "case"),
    Column("level", "level"),
    Column("kb", "kB", ",d"),
    Column("cpu", "CPU-s", ".2f"),
    Column("growth_mib", "growth MiB", ".0f"),
    Column("goal", "goal"),
    Column("found", "found"),
)


def main(arguments: list[str] | None = None) -> int:
    """Prove every package, print the table, write the results as JSON. 1 if a goal was missed."""
    options = _parser().parse_args(arguments)
    report = Report("hostile", _COLUMNS)
    for name, make in ATTACKS.items():
        if options.only in name:
            with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
                path = Path(folder) / "package.imscc"
                path.write_bytes(make())
                for level in LEVELS:
                    report.add({"case": f"{name:{_WIDTH}}", "level": level, **judged(path, level)})
    report.write(options.results)
    return int(any(row["goal"] != "ok" for row in report.rows))


def judged(path: Path, level: str) -> dict[str, Any]:
    """What proving a package in a process of its own took, and whether that is within the goals."""
    done = subprocess.run(  # noqa: S603 - a process of our own
        [sys.executable, "-m", "benchmarks.judge", str(path), level],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    took: dict[str, Any] = json.loads(done.stdout)
    size = path.stat().st_size
    most = MOST_SECONDS + MOST_SECONDS_PER_MIB * size / MIB
    kept = took["cpu"] <= most and took["growth_mib"] <= MOST_MIB
    return {
        **took,
        "kb": round(size / 1000),
        "goal": "ok" if kept else "MISSED",
        "found": f"  {took['found'][:60]}",
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.hostile", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="packages whose name holds this")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON documents")
    return parser


if __name__ == "__main__":
    sys.exit(main())
