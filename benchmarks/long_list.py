"""The process that is measured over a long list: ``python -m benchmarks.long_list STEP COUNT URL FOLDER``.

``list`` resolves, orders, cuts and plans it, as the list task does; ``report`` gathers the outcomes of as many courses, as
the report task does; ``sweep`` looks through an archive of as many. Prints what that took as one line of JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from benchmarks.long_list_server import FIRST
from benchmarks.reading import Reading, forget_peak
from canvas_exports.core.archive.sweep import sweep
from canvas_exports.core.canvas.api.course_filters import CourseFilters
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.export.engine.items import Item, State
from canvas_exports.core.export.options import MAX_EXPORTS
from canvas_exports.core.export.planning.batch_plan import write_plan
from canvas_exports.core.export.planning.batching import last_copies, oldest_copy_first, unique
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.model.runs import RunInfo
from canvas_exports.core.reports.run_report import gather_run_report, store_batch_report
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import ObjectInfo

COPIES = 2  # of each course, in the archive that is listed
_DAY = date(2026, 11, 23)
_TYPE = "common_cartridge"


class LongArchive(FileStore):
    """A folder that says it holds two packages and manifests of every course, in the order of an object store."""

    def __init__(self, folder: Path, count: int) -> None:
        super().__init__(folder.as_uri(), folder)
        self._count = count

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """The objects of the courses, made up as they are asked for; else the folder's own."""
        if prefix != "courses/":
            yield from super().list(prefix)
            return
        stored = datetime(2026, 11, 1, tzinfo=timezone.utc)
        for number in range(FIRST, FIRST + self._count):
            for copy in range(COPIES):
                stem = f"courses/{number}/202611{copy + 1:02}T020000Z-{_TYPE}-{number * COPIES + copy}"
                moment = stored + timedelta(seconds=number * 7919 % 86_400, days=copy)
                yield ObjectInfo(f"{stem}.imscc", 1, moment)
                yield ObjectInfo(f"{stem}.json", 1, moment)


def list_courses(count: int, url: str, folder: Path) -> dict[str, Any]:
    """As ``CanvasListCoursesOperator`` does."""
    store = LongArchive(folder, count)
    with CanvasClient(url, "token") as client:
        found = client.account_courses("1", CourseFilters())
        contexts = unique(
            (Context(ContextKind.COURSE, str(course.id)) for course in found), client.resolve, client.whoami
        )
    ordered = oldest_copy_first(contexts, last_copies(store, among=contexts))
    run = RunInfo("canvas_backup_nightly", "scheduled__2026-11-23T02:00:00+00:00", "list", _DAY)
    references = write_plan(store, run, ordered, 50)
    return {
        "courses": len(contexts),
        "batches": len(references),
        "xcom": len(json.dumps([reference.to_json() for reference in references])),
        "document": (folder / references[0].plan).stat().st_size,
    }


def report(count: int, folder: Path) -> Callable[[], dict[str, Any]]:
    """As ``CanvasRunReportOperator`` does, once the batches have left what they leave."""
    store = FileStore(folder.as_uri(), folder)
    for at, start in enumerate(range(0, count, MAX_EXPORTS)):
        numbers = range(FIRST + start, FIRST + min(start + MAX_EXPORTS, count))
        run = RunInfo("night", "night", "export", _DAY, map_index=at)
        store_batch_report(store, map(_outcome, numbers), run, started_at=1.8e9)

    def gather() -> dict[str, Any]:
        planned = ((f"course:{number}", _TYPE) for number in range(FIRST, FIRST + count))
        gathered = gather_run_report(store, RunInfo("night", "night", "report", _DAY), planned)
        receipt = gathered.receipt
        return {
            "courses": receipt.exports,
            "xcom": len(json.dumps(receipt.to_json())),
            "document": (folder / receipt.report).stat().st_size,
        }

    return gather


def _outcome(number: int) -> Item:
    """One in twenty is gone."""
    key = f"courses/{number}/20261123T020000Z-{_TYPE}-{number}.imscc"
    item = Item(
        f"course:{number}",
        _TYPE,
        State.READY,
        canvas_id=number,
        export_id=number,
        key=key,
        size=10**8,
        label=f"SUBJ-{number}",
        seconds=42.0,
    )
    if number % 20:
        item.end(Outcome.STORED)
    else:
        item.end(Outcome.GONE, "deleted, never there, or not visible to the token's user")
    return item


def sweep_archive(count: int, folder: Path) -> dict[str, Any]:
    """As ``CanvasRunReportOperator`` does; every package has its manifest."""
    swept = sweep(LongArchive(folder, count))
    if swept.problem or swept.packages:
        raise SystemExit(f"nothing was to be swept: {swept}")
    return {"courses": count}


def main(step: str, count: int, url: str, folder: Path) -> None:
    """Do one step, and print what it took."""
    todo: Callable[[], dict[str, Any]]
    if step == "list":
        todo = lambda: list_courses(count, url, folder)  # noqa: E731 - two lines shorter than three functions
    elif step == "report":
        todo = report(count, folder)
    else:
        todo = lambda: sweep_archive(count, folder)  # noqa: E731 - as above
    forget_peak()
    before = Reading.take()
    facts = todo()
    after = Reading.take()
    facts |= {
        "step": step,
        "seconds": round(after.clock - before.clock, 1),
        "cpu": round(after.cpu - before.cpu, 1),
        "growth_mib": round(after.peak - before.peak, 1),
        "bytes_each": round((after.peak - before.peak) * 1024**2 / count),
    }
    sys.stdout.write(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
