"""What does search cost? ``python -m benchmarks.search`` writes the index of archives with made-up text, and searches them.

Each step is a process of its own: writing the segments (as the task of a backup does, without reading packages); making the
local database of them; asking. Every request to the store takes 20 ms. See ``search_corpus`` for what is made up.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.reading import Reading, forget_peak
from benchmarks.report import RESULTS, ROOT, Column, Report
from benchmarks.search_corpus import HOST, PHRASE, RARE, TERMS, TOOL, Corpus, keys_of, write_index
from canvas_exports.core.archive.search.results import SearchQuery
from canvas_exports.core.archive.search.search import open_database, search_archive
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import ObjectInfo

MB = 1_000_000
GOAL = 256  # MiB by which a process may grow while it makes the database or asks

_ROUND_TRIP = 0.02
_ROUNDS = 5
#: Courses, terms, copies of each.
_CASES = {
    "5,000 courses": (5_000, 1, 1),
    "the same, 5 copies each": (5_000, 1, 5),
    "200,000 courses": (200_000, TERMS, 1),
}
_SMALL = {"100 courses": (100, 1, 1), "the same, 5 copies each": (100, 1, 5), "400 courses": (400, TERMS, 1)}
_QUERIES = {
    "a rare word": SearchQuery(RARE),
    "a phrase": SearchQuery(f'"{PHRASE}"'),
    "two frequent words": SearchQuery(Corpus().frequent(2)),
    "the beginning of a word": SearchQuery("nitro*"),
    "a phrase, in one term": SearchQuery(f'"{PHRASE}"', term="Term 0"),
    "a phrase, in all copies": SearchQuery(f'"{PHRASE}"', all_copies=True),
    "links to a host": SearchQuery(host=HOST),
    "a tool in every course": SearchQuery(tool=TOOL),
}
_BUILT = (
    Column("case", "index of"),
    Column("documents", "texts", ",d"),
    Column("text_mb", "text MB", ",.0f"),
    Column("write_seconds", "write s", ",.0f"),
    Column("segments", "segments", ",d"),
    Column("archive_mb", "archive MB", ",.0f"),
    Column("build_seconds", "database s", ",.0f"),
    Column("database_mb", "database MB", ",.0f"),
    Column("growth_mib", "growth MiB", ".0f"),
    Column("verdict", ""),
)
_ASKED = (
    Column("case", "search for"),
    Column("seconds", "seconds", ".2f"),
    Column("first_seconds", "first", ".2f"),
    Column("courses", "courses", ",d"),
    Column("requests", "requests", ",d"),
    Column("growth_mib", "growth MiB", ".0f"),
    Column("verdict", ""),
)


class _Archive(FileStore):
    """An archive in a folder at a distance, that holds the copies which the index names. Counts the requests."""

    def __init__(self, folder: Path, terms: int, copies: int) -> None:
        super().__init__(folder.as_uri(), folder)
        self.requests = 0
        self._terms, self._copies = terms, copies

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        self._wait()
        if not prefix.startswith("courses/"):
            yield from super().list(prefix)
            return
        for key in keys_of(int(prefix.split("/")[1]), self._terms, self._copies):
            yield ObjectInfo(key, 1, datetime.now(timezone.utc))

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        self._wait()
        return super().read(key, start, length)

    def _wait(self) -> None:
        self.requests += 1
        time.sleep(_ROUND_TRIP)


def main(arguments: list[str] | None = None) -> int:
    """Run every case, print the tables, write the results as JSON. 1 if memory grew past the goal, or nothing was found."""
    options = _parser().parse_args(arguments)
    if options.step:
        name, folder, courses, terms, copies = options.step
        step = _STEPS[name](Path(folder), int(courses), int(terms), int(copies))
        sys.stdout.write(json.dumps(step) + "\n")
        return 0
    cases = _SMALL if options.small else {name: _CASES[name] for name in _CASES if options.only in name}
    built = Report("search", _BUILT)
    asked: dict[str, list[dict[str, Any]]] = {}
    for name, numbers in cases.items():
        folder = Path(options.scratch) / f"search-{'-'.join(map(str, numbers))}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            row = {"case": name, **_step("write", folder, numbers), **_step("build", folder, numbers)}
            row["verdict"] = "ok" if row["growth_mib"] <= GOAL else "OVER"
            built.add(row)
            asked[name] = _step("ask", folder, numbers)["queries"]
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    reports = [built]
    for name, rows in asked.items():
        report = Report("search", _ASKED, title=f"\n{name}")
        for row in rows:
            report.add({**row, "verdict": _verdict(row)})
        reports.append(report)
    built.write(options.results, queries=asked, goal_mib=GOAL, round_trip=_ROUND_TRIP)
    return int(any(row["verdict"] != "ok" for report in reports for row in report.rows))


def _verdict(row: dict[str, Any]) -> str:
    if not row["courses"]:
        return "NOTHING"
    return "ok" if row["growth_mib"] <= GOAL else "OVER"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.search", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--small", action="store_true", help="a fiftieth, and less: that it works, not time")
    parser.add_argument("--only", default="", help="only cases with this in their name")
    parser.add_argument("--scratch", type=Path, default=ROOT / ".bench", help="folder for the archives")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON documents")
    parser.add_argument("--step", nargs=5, help=argparse.SUPPRESS)
    return parser


def _step(name: str, folder: Path, numbers: tuple[int, int, int]) -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "benchmarks.search", "--step", name, str(folder), *map(str, numbers)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def _write(folder: Path, courses: int, terms: int, copies: int) -> dict[str, Any]:
    archive = folder / "archive"
    before = time.perf_counter()
    size = write_index(FileStore(archive.as_uri(), archive), courses, terms=terms, copies=copies)
    objects = [path.stat().st_size for path in archive.rglob("*.gz")]
    return {
        "courses": size.courses,
        "copies": size.copies,
        "documents": size.documents,
        "text_mb": size.text / MB,
        "write_seconds": time.perf_counter() - before,
        "segments": len(objects) // 2,
        "archive_mb": sum(objects) / MB,
    }


def _build(folder: Path, _: int, terms: int, copies: int) -> dict[str, Any]:
    store = _Archive(folder / "archive", terms, copies)
    forget_peak()
    before = Reading.take()
    with closing(open_database(folder / "cache", store.uri)) as database:
        database.update(store)
    after = Reading.take()
    path = next((folder / "cache").glob("*.sqlite3"))
    return {
        "build_seconds": after.clock - before.clock,
        "build_cpu": after.cpu - before.cpu,
        "database_mb": path.stat().st_size / MB,
        "growth_mib": after.peak - before.peak,
    }


def _ask(folder: Path, _: int, terms: int, copies: int) -> dict[str, Any]:
    rows = []
    for name, query in _QUERIES.items():
        store = _Archive(folder / "archive", terms, copies)
        forget_peak()
        before = Reading.take()
        seconds = []
        courses = 0
        for _round in range(_ROUNDS):
            began = time.perf_counter()
            courses = len(search_archive(store, query, folder=folder / "cache").courses)
            seconds.append(time.perf_counter() - began)
        rows.append(
            {
                "case": name,
                "seconds": median(seconds),
                "first_seconds": seconds[0],
                "courses": courses,
                "requests": store.requests // _ROUNDS,
                "growth_mib": Reading.take().peak - before.peak,
            }
        )
    return {"queries": rows}


_STEPS: dict[str, Callable[[Path, int, int, int], dict[str, Any]]] = {
    "write": _write,
    "build": _build,
    "ask": _ask,
}

if __name__ == "__main__":
    sys.exit(main())
