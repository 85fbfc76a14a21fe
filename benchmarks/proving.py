"""What does a full proof cost? ``python -m benchmarks.proving`` checks stored packages, and has others check them.

Each row is a fresh process that checks one package in a folder: ``prove_stored``, which digests it, too, Python's
``zipfile.testzip``, that and SHA-256 one after the other, and ``unzip -t`` where it is installed.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.report import RESULTS, ROOT, Column, Report

MIB = 1024**2
PATIENCE = 600  # seconds for one check
_LABELS = {
    "full": "ours",
    "testzip": "zipfile.testzip",
    "testzip+sha256": "zipfile.testzip, then SHA-256",
    "unzip": "unzip -t",
}
_COLUMNS = (
    Column("case", "case"),
    Column("unpacked_mb", "MB"),
    Column("mb_per_second", "MB/s"),
    Column("ours_is", "ours is x", ".2f"),
    Column("cpu_seconds_per_gb", "CPU-s/GB", ".2f"),
    Column("growth_mib", "growth MiB", ".0f"),
)
_WORDS = [
    "course",
    "week",
    "reading",
    "please",
    "submit",
    "the",
    "a",
    "of",
    "page",
    "and",
    "quiz",
    "before",
    "discuss",
    "chapter",
    "link",
    "to",
    "in",
    "on",
    "for",
    "with",
]


@dataclass(frozen=True)
class Load:
    """A package: so many pages of text, of so many bytes, and so many films of so many MiB."""

    name: str
    pages: int
    page: int
    films: int
    film: int

    def members(self) -> Iterator[tuple[str, bytes]]:
        """Names and contents, the same each time."""
        dice = random.Random(self.name)  # noqa: S311 - contents, not secrets
        for number in range(self.pages):
            words = " ".join(dice.choices(_WORDS, k=self.page // 6))
            yield f"wiki_content/page-{number}.html", f"<html><p>{words}</p></html>".encode()
        for number in range(self.films):
            yield f"web_resources/film-{number}.mp4", dice.randbytes(self.film * MIB)


FULL = (
    Load("pages", 20_000, 12_000, 0, 0),
    Load("course", 3_000, 6_000, 20, 16),
    Load("films", 0, 0, 8, 128),
)
SMALL = (Load("pages", 2_000, 12_000, 0, 0), Load("course", 300, 6_000, 4, 8), Load("films", 0, 0, 2, 32))


def main(arguments: list[str] | None = None) -> int:
    """Run every case in turn, print the table, write the results as JSON."""
    options = _parser().parse_args(arguments)
    ways = [way for way in _LABELS if way != "unzip" or shutil.which("unzip")]
    report = Report("proving", _COLUMNS)
    options.scratch.mkdir(parents=True, exist_ok=True)
    for load in SMALL if options.small else FULL:
        with tempfile.TemporaryDirectory(prefix="proving-", dir=options.scratch) as folder:
            unpacked = _build(load, Path(folder) / "package.zip")
            rounds = [
                {way: _checked(folder, way) for way in (ways if number % 2 else reversed(ways))}
                for number in range(options.rounds)
            ]
        for way in ways:
            report.add(_row(load, way, unpacked, rounds))
    report.write(options.results, rounds=options.rounds)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.proving", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--small", action="store_true", help="a tenth of it")
    parser.add_argument("--rounds", type=int, default=5, help="of which the medians are told (default: 5)")
    parser.add_argument(
        "--scratch", type=Path, default=ROOT / ".bench", help="folder of the packages; needs 2 GiB"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON documents")
    return parser


def _build(load: Load, path: Path) -> int:
    """Write the package; its size once unpacked."""
    unpacked = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        for name, content in load.members():
            package.writestr(name, content)
            unpacked += len(content)
    return unpacked


def _checked(folder: str, way: str) -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603 - a process of our own
        [sys.executable, "-m", "benchmarks.prover", folder, "package.zip", way],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _row(load: Load, way: str, unpacked: int, rounds: list[dict[str, dict[str, Any]]]) -> dict[str, Any]:
    def median(of: str, key: str) -> float:
        return float(statistics.median(each[of][key] for each in rounds))

    return {
        "case": f"{load.name}: {_LABELS[way]}",
        "unpacked_mb": round(unpacked / 1e6),
        "mb_per_second": round(unpacked / 1e6 / median(way, "seconds")),
        "ours_is": median(way, "seconds") / median("full", "seconds"),
        # Another program's processor time and memory are not this process's.
        "cpu_seconds_per_gb": None if way == "unzip" else median(way, "cpu") / (unpacked / 1e9),
        "growth_mib": None if way == "unzip" else median(way, "growth_mib"),
    }


if __name__ == "__main__":
    sys.exit(main())
