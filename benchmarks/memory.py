"""Is memory constant, whatever the size? ``python -m benchmarks.memory`` moves packages of gigabytes and looks.

Each row is a fresh process that moves virtual packages from a sandbox through the Canvas client, the proof and the
archive: to a folder, or to an S3 server that throws them away. Sandbox and S3 server are processes of their own, so that
only the client is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MIB = 1024**2
PATIENCE = 1800  # seconds for one case; a relay that stands still for ever is a finding, too
_COLUMNS = ("case", "GiB", "seconds", "MB/s", "CPU-s/GB", "growth MiB", "goal MiB", "")
_WIDTHS = (32, 6, 8, 6, 9, 11, 9, 4)


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
    rows = []
    _print(_COLUMNS)
    for load in SMALL if options.small else FULL:
        for target in ("folder", "s3"):
            row = {
                "case": f"{load} to {target}",
                "goal_mib": load.goal,
                **_measured(load, target, options.scratch),
            }
            rows.append(row)
            _print(_cells(row))
    moment = datetime.now(timezone.utc)
    options.results.mkdir(parents=True, exist_ok=True)
    path = options.results / f"memory-{moment:%Y%m%dT%H%M%SZ}.json"
    path.write_text(
        json.dumps({"at": moment.isoformat(), "machine": _machine(), "rows": rows}, indent=1) + "\n"
    )
    sys.stdout.write(f"\n{path}\n")
    return int(any(row["growth_mib"] > row["goal_mib"] for row in rows))


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
    parser.add_argument(
        "--results", type=Path, default=ROOT / "benchmarks" / "results", help="folder of the JSON documents"
    )
    return parser


def _measured(load: Load, target: str, scratch: Path) -> dict[str, Any]:
    """One case, in three processes."""
    with _server("benchmarks.sandbox_server", str(load.count), str(load.size * MIB)) as canvas:
        if target == "s3":
            with _server("benchmarks.s3_sink") as sink:
                return _relay({"canvas": canvas, "archive": "s3://sink/canvas", "endpoint": sink["url"]})
        scratch.mkdir(parents=True, exist_ok=True)
        folder = tempfile.mkdtemp(prefix="memory-", dir=scratch)
        try:
            return _relay({"canvas": canvas, "archive": Path(folder).as_uri(), "endpoint": None})
        finally:
            shutil.rmtree(folder)


@contextmanager
def _server(module: str, *arguments: str) -> Iterator[dict[str, Any]]:
    """A server in a process of its own, and what it says about itself. It ends with its standard input."""
    process = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


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


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        row["case"],
        f"{row['bytes'] / 1024**3:.2f}",
        f"{row['seconds']:.1f}",
        f"{row['mb_per_second']}",
        f"{row['cpu_seconds_per_gb']:.2f}",
        f"{row['growth_mib']:.0f}",
        f"{row['goal_mib']}",
        "ok" if row["growth_mib"] <= row["goal_mib"] else "OVER",
    )


def _print(cells: tuple[str, ...]) -> None:
    first, *others = zip(cells, _WIDTHS, strict=True)
    line = first[0].ljust(first[1]) + "".join(cell.rjust(width) for cell, width in others)
    sys.stdout.write(line.rstrip() + "\n")
    sys.stdout.flush()


def _machine() -> dict[str, Any]:
    """What the numbers depend on, without the machine's name."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("obstore", "requests", "urllib3")},
    }


if __name__ == "__main__":
    sys.exit(main())
