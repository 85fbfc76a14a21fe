"""What does the page of an archive cost the API server? ``python -m benchmarks.archive_page`` opens it over S3.

The archive is a server in a process of its own with a round trip of 20 ms: 5,000 courses with 40 copies each, of weeks in a row,
and the reports of the last 35 nights. A fresh process opens the page: for the first time, with the index that nightly tasks
keep in the archive; again within the cache's time; after it, when nothing has changed; and when each course has one more copy.
Then pages of 200,000 courses are asked for.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.reading import Reading, forget_peak
from benchmarks.report import RESULTS, ROOT, Column, Report
from benchmarks.s3_archive import FIRST, NEWEST, listed_manifests, manifest_document
from benchmarks.s3_sink import BUCKET
from benchmarks.servers import server
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.index import Index
from canvas_exports.core.archive.layout import run_folder
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.archive.run_report import OutcomeRecord, run_document
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.reports.overview.archive_overview import ArchiveOverview
from canvas_exports.core.reports.overview.course_list import CourseQuery
from canvas_exports.core.reports.overview.figures import CourseState
from canvas_exports.core.reports.overview.snapshot import Snapshot
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.options import StoreOptions
from canvas_exports.core.storage.store import Store

GOAL = 128  # MiB by which the process may grow, whatever the size of the archive
PAGE_GOAL = 1.0  # seconds of a page of courses
_DELAY = 0.02
_NIGHTS = 35
_PATIENCE = 3600.0
_PAUSE = 0.05
_OF = "of many"
_DAG = "canvas_backup_weekly"
_COLUMNS = (
    Column("case", "case"),
    Column("seconds", "seconds", ".2f"),
    Column("cpu", "CPU-s", ".1f"),
    Column("listings", "listings", ",d"),
    Column("manifests", "manifests", ",d"),
    Column("documents", "documents", ",d"),
    Column("growth_mib", "growth MiB", ".0f"),
    Column("verdict", ""),
)


def main(arguments: list[str] | None = None) -> int:
    """Run every case, print the table, write the results as JSON. 1 if a goal was missed."""
    options = _parser().parse_args(arguments)
    if options.open:
        _open(*options.open)
        return 0
    if options.index:
        _make_index(options.index[0], *map(int, options.index[1:]))
        return 0
    courses, copies, many = (50, 4, 500) if options.small else (options.courses, options.copies, options.many)
    title = f"{courses:,} courses with {courses * copies:,} copies; pages {_OF} of {many:,} courses"
    report = Report("archive_page", _COLUMNS, title)
    with server("benchmarks.s3_archive", str(courses), str(copies), f"--delay={_DELAY}") as archive:
        _store_reports(archive["url"], courses)
        _measure("--index", archive["url"], str(courses), str(copies))
        for row in _opened(archive["url"], courses, "visit"):
            report.add(row)
    with server("benchmarks.s3_archive", str(many), "1") as archive:
        _measure("--index", archive["url"], str(many), "1")
        for row in _opened(archive["url"], many, "pages"):
            report.add(row)
    if options.without_index or options.small:
        with server("benchmarks.s3_archive", str(courses), str(copies), f"--delay={_DELAY}") as archive:
            _store_reports(archive["url"], courses)
            for row in _opened(archive["url"], courses, "first"):
                report.add({**row, "case": f"{row['case']}, without an index"})
    report.write(options.results, goal_mib=GOAL, page_goal=PAGE_GOAL, round_trip=_DELAY)
    return int(any(row["verdict"] != "ok" for row in report.rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.archive_page", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--small", action="store_true", help="200 copies: requests, not time")
    parser.add_argument("--courses", type=int, default=5000, help="how many (5,000)")
    parser.add_argument("--copies", type=int, default=40, help="of each course (40)")
    parser.add_argument("--many", type=int, default=200_000, help="courses of the pages (200,000)")
    parser.add_argument("--without-index", action="store_true", help="also the first view without an index")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON documents")
    parser.add_argument("--open", nargs=3, metavar=("URL", "COURSES", "WHAT"), help=argparse.SUPPRESS)
    parser.add_argument("--index", nargs=3, metavar=("URL", "COURSES", "COPIES"), help=argparse.SUPPRESS)
    return parser


def _opened(url: str, courses: int, what: str) -> Iterator[dict[str, Any]]:
    """What a fresh process measures."""
    for line in _measure("--open", url, str(courses), what).splitlines():
        yield json.loads(line)


def _measure(*arguments: str) -> str:
    return subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "benchmarks.archive_page", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


def _opened_store(url: str) -> Store:
    options = StoreOptions(endpoint=url, region="us-east-1", access_key="benchmark", secret_key="benchmark")  # noqa: S106
    return open_store(f"s3://{BUCKET}/canvas", options)


def _store_reports(url: str, courses: int) -> None:
    """Store the reports of nights; in each, one course in fifty was not whole."""
    with _opened_store(url) as store:
        for back in range(_NIGHTS):
            night = NEWEST - timedelta(days=back)
            records = [
                OutcomeRecord(
                    f"course:{number}",
                    "common_cartridge",
                    "stored" if number % 50 else "incomplete",
                    "The package is in the archive." if number % 50 else "2 files are missing.",
                    problem=not number % 50,
                    name=f"SUBJ-{number}",
                    size=52_827_104,
                    seconds=40.0,
                    finished_at=night,
                )
                for number in range(FIRST, FIRST + courses)
            ]
            document = run_document(
                records,
                run=RunFacts("canvas_exports 0.2.0", _DAG, f"scheduled__{night:%Y-%m-%d}"),
                started_at=night,
                finished_at=night + timedelta(hours=3),
                max_age=timedelta(days=8),
            )
            store.replace(
                f"{run_folder(night.date(), _DAG, f'scheduled__{night:%Y-%m-%d}')}report.json", document
            )


def _make_index(url: str, courses: int, copies: int) -> None:
    """Store the index that a nightly task leaves, without a request for each manifest."""
    with _opened_store(url) as store, closing(Index(store, now=NEWEST + timedelta(days=1))) as index:
        for key, info in listed_manifests(courses, copies):
            index.add(info, Copy.of(key, Manifest.from_json(manifest_document(key), key=key)))
        index.save()


class _Visitor:
    """A process that opens the page.

    Args:
        url: of the archive.
        courses: how many it should show.
    """

    def __init__(self, url: str, courses: int) -> None:
        self._url, self._courses = url, courses
        self.now = NEWEST + timedelta(days=1)
        self._overview = ArchiveOverview(lambda: _opened_store(url), clock=lambda: self.now)

    def look(self) -> Snapshot:
        """Open the page, and wait until the archive is read."""
        view = self._overview.view(wait=_PATIENCE)
        while view.is_reading:
            view = self._overview.view(wait=_PATIENCE)
        if view.snapshot is None or view.problem is not None:
            raise SystemExit(f"the archive was not read: {view.problem}")
        return view.snapshot

    def figures(self) -> Snapshot:
        """Open the page, and ask for the figures of the overview."""
        snapshot = self.look()
        coverage = snapshot.overview().coverage
        if (coverage.contexts, coverage.states[CourseState.MISSING]) != (self._courses, self._courses // 50):
            raise SystemExit(f"the figures are wrong: {coverage.states}")
        return snapshot

    def look_again(self) -> None:
        """Open the page, and wait until the archive was read again."""
        self._overview.view()
        while self._overview.view(wait=_PATIENCE).is_reading:
            time.sleep(_PAUSE)
        self.figures()

    def measure(self, case: str, what: Callable[[], object]) -> None:
        """Print what it took."""
        forget_peak()
        counts, before = _counts(self._url), Reading.take()
        what()
        after = Reading.take()
        asked = _counts(self._url)
        asked.subtract(counts)
        seconds, growth = after.clock - before.clock, after.peak - self.start
        is_page = case.startswith("a page")
        is_ok = growth <= GOAL and not (is_page and seconds > PAGE_GOAL)
        row = {
            "case": case,
            "seconds": seconds,
            "cpu": after.cpu - before.cpu,
            "listings": asked["listings"],
            "manifests": asked["manifests"],
            "documents": sum(number for name, number in asked.items() if name.startswith("index")),
            "growth_mib": growth,
            "verdict": "ok" if is_ok else "OVER",
        }
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()

    def warm_up(self) -> None:
        """Load the libraries, and remember the memory with them."""
        with _opened_store(self._url) as store:
            store.stat("courses/1/nothing.json")
        forget_peak()
        self.start = Reading.take().peak


def _open(url: str, courses: str, what: str) -> None:
    visitor = _Visitor(url, int(courses))
    visitor.warm_up()
    if what == "pages":
        visitor.look()
        _ask_for_pages(visitor, int(courses))
        return
    visitor.measure("the first view", visitor.figures)
    if what == "first":
        return
    visitor.measure("the second view", visitor.figures)
    visitor.now += timedelta(minutes=5)
    visitor.measure("nothing has changed", visitor.look_again)
    urllib.request.urlopen(f"{url}/week").close()  # noqa: S310 - our own server
    visitor.now += timedelta(days=7)
    visitor.measure("a copy more of each", visitor.look_again)
    snapshot = visitor.figures()
    visitor.measure("a page of courses", lambda: snapshot.courses(CourseQuery(sort="state")))
    visitor.measure("a page of a course", lambda: snapshot.course(f"course:{FIRST + 1}"))


def _ask_for_pages(visitor: _Visitor, courses: int) -> None:
    snapshot = visitor.look()
    queries = {
        "the first": CourseQuery(),
        "the last, by state": CourseQuery(sort="state", descending=True, offset=courses - 50),
        "by name, from the middle": CourseQuery(sort="name", offset=courses // 2),
        "found by two words": CourseQuery(text=f"subj introduction {FIRST + courses // 2}"),
        "found by a word of all": CourseQuery(text="fall", sort="newest", descending=True),
        "with a state": CourseQuery(state=CourseState.MISSING, sort="bytes"),
    }
    for name, query in queries.items():
        visitor.measure(f"a page {_OF}: {name}", lambda query=query: snapshot.courses(query))  # type: ignore[misc]
    visitor.measure(f"a page {_OF}: the overview", snapshot.overview)
    visitor.measure(f"a page {_OF}: one course", lambda: snapshot.course(f"course:{FIRST + 1}"))


def _counts(url: str) -> Counter[str]:
    with urllib.request.urlopen(f"{url}/counts") as answer:  # noqa: S310 - our own server
        return Counter(json.loads(answer.read()))


if __name__ == "__main__":
    sys.exit(main())
