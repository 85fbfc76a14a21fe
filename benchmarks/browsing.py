"""What does it cost to open a course that lies in an archive? ``python -m benchmarks.browsing`` opens one of 20 GiB over S3.

Each row is a fresh process that opens the package from an S3 server (``large_course.py``, a process of its own, with a round trip
of 20 ms) and reads the front page, or more. A connection to the server stands before the clock starts.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.large_course import CREATED, KEY, LAYOUTS
from benchmarks.reading import Reading, forget_peak
from benchmarks.report import RESULTS, ROOT, Column, Report
from benchmarks.s3_sink import BUCKET
from benchmarks.servers import server
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.manifest import ContextFacts, ExportFacts, PackageFacts
from canvas_exports.core.archive.package_content import open_package
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.packages.content.model import CourseContent, ItemKind
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.options import StoreOptions

MOST_REQUESTS = 4
MOST_SECONDS = 1.0
MOST_MIB = 64
_DELAY = 0.02
_MIB = 1024**2
_COLUMNS = (
    Column("case", "case"),
    Column("requests", "requests", ",d"),
    Column("read_mib", "read MiB", ".1f"),
    Column("seconds", "seconds", ".2f"),
    Column("cpu", "CPU-s", ".2f"),
    Column("growth_mib", "growth MiB", ".0f"),
    Column("verdict", ""),
)


def main(arguments: list[str] | None = None) -> int:
    """Run every case, print the table, write the results as JSON. 1 if a goal of the front page was missed."""
    options = _parser().parse_args(arguments)
    if options.open:
        what, url, size, members = options.open
        sys.stdout.write(json.dumps(_measure(what, url, int(size), int(members))) + "\n")
        return 0
    report = Report("browsing", _COLUMNS)
    cases = [(gib, layout) for gib in ((1,) if options.small else (1, 20)) for layout in LAYOUTS]
    for gib, layout in cases:
        with server("benchmarks.large_course", str(gib), layout, f"--delay={_DELAY}") as archive:
            for what in WAYS if (gib, layout) == cases[-1] else ["front page"]:
                report.add(
                    {"case": f"{gib} GiB, {layout}: {what}", **_row(what, archive, small=options.small)}
                )
    report.write(
        options.results,
        round_trip=_DELAY,
        most_requests=MOST_REQUESTS,
        most_seconds=MOST_SECONDS,
        most_mib=MOST_MIB,
    )
    return int(any(row["verdict"] == "OVER" for row in report.rows))


def _row(what: str, archive: dict[str, Any], *, small: bool) -> dict[str, Any]:
    before = _counts(archive["url"])
    measured = _measured(what, archive)
    made = _counts(archive["url"])
    made.subtract(before)
    row = {"requests": made["requests"], "read_mib": made["bytes"] / _MIB, **measured, "verdict": ""}
    if what == "front page":
        is_fast = small or row["seconds"] <= MOST_SECONDS
        row["verdict"] = (
            "ok" if is_fast and row["requests"] <= MOST_REQUESTS and row["growth_mib"] <= MOST_MIB else "OVER"
        )
    return row


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.browsing", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--small", action="store_true", help="1 GiB: requests and memory, not time")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON documents")
    parser.add_argument("--open", nargs=4, metavar=("WHAT", "URL", "SIZE", "MEMBERS"), help=argparse.SUPPRESS)
    return parser


def _measured(what: str, archive: dict[str, Any]) -> dict[str, Any]:
    order = (what, archive["url"], str(archive["size"]), str(archive["members"]))
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "benchmarks.browsing", "--open", *order],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def _measure(what: str, url: str, size: int, members: int) -> dict[str, Any]:
    """What is measured, in a process of its own."""
    options = StoreOptions(endpoint=url, region="us-east-1", access_key="benchmark", secret_key="benchmark")  # noqa: S106
    with open_store(f"s3://{BUCKET}/canvas", options) as store:
        copy = _copy(size, members)
        store.stat(copy.package.key)  # the libraries are loaded, the connection stands
        forget_peak()
        before = Reading.take()
        WAYS[what](open_package(store, copy))
        after = Reading.take()
    return {
        "seconds": after.clock - before.clock,
        "cpu": after.cpu - before.cpu,
        "growth_mib": after.peak - before.peak,
    }


def _copy(size: int, members: int) -> Copy:
    key = KEY.removeprefix("canvas/")
    return Copy(
        key=key.replace(".imscc", ".json"),
        context=ContextFacts("course", 101, name="Field methods"),
        export=ExportFacts(501, "common_cartridge", CREATED, "canvas.example.edu"),
        package=PackageFacts(key, size, {"sha256": "0" * 64}, "0" * 64, members, "application/zip"),
        run=RunFacts("benchmark"),
        level="directory",
        verdict=Verdict.WHOLE,
        counts={},
        stored_at=CREATED,
    )


def _front_page(content: CourseContent) -> None:
    home = content.home()
    if home is None or "Welcome" not in content.read(home).html:
        raise SystemExit("the front page is not what it should be")


def _every_document(content: CourseContent) -> None:
    problems = [document for document in content.read_all(content.items) if document.problem]
    if problems:
        raise SystemExit(f"{len(problems)} documents cannot be read, such as {problems[0].item.title}")


def _part_of_film(content: CourseContent) -> None:
    film = next(item for item in reversed(content.items) if item.kind is ItemKind.FILE)
    start = film.size // 2
    for _ in content.file_blocks(film.member or "", range(start, start + 4 * _MIB)):
        pass


def _counts(url: str) -> Counter[str]:
    with urllib.request.urlopen(f"{url}/counts") as answer:  # noqa: S310 - our own server
        return Counter(json.loads(answer.read()))


WAYS: dict[str, Callable[[CourseContent], None]] = {
    "front page": _front_page,
    "all documents": _every_document,
    "4 MiB of a film": _part_of_film,
}


if __name__ == "__main__":
    sys.exit(main())
