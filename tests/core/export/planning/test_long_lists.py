"""What sees a whole list at once takes a bounded number of bytes for each course, however long the list."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from canvas_exports.core.archive.sweep import sweep
from canvas_exports.core.canvas.api.models import Course
from canvas_exports.core.export.engine.items import Item
from canvas_exports.core.export.options import MAX_EXPORTS
from canvas_exports.core.export.planning.batch_plan import planned, write_plan
from canvas_exports.core.export.planning.batching import MAX_BATCHES, last_copies, oldest_copy_first, unique
from canvas_exports.core.export.planning.course_facts import CourseFacts
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.model.runs import RunInfo
from canvas_exports.core.reports.page import copy_status, rows
from canvas_exports.core.reports.run_report import gather_run_report, store_batch_report
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import ObjectInfo

RUN = RunInfo("nightly", "manual__2026-11-23", "list", date(2026, 11, 23))
FEW, MANY = 400, 2_000
FIRST = 1_000_000


class LongArchive(FileStore):
    """Says it holds two copies of every course, and of as many courses that are not asked for."""

    def __init__(self, folder: Path, count: int) -> None:
        super().__init__(folder.as_uri(), folder)
        self.count = count

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        if prefix != "courses/":
            yield from super().list(prefix)
            return
        for number in range(FIRST, FIRST + 2 * self.count):
            for copy in (1, 2):
                stem = f"courses/{number}/202611{copy:02}T020000Z-common_cartridge-{number}"
                moment = datetime(2026, 11, copy, tzinfo=timezone.utc) + timedelta(seconds=number % 86_400)
                yield ObjectInfo(f"{stem}.imscc", 1, moment)
                yield ObjectInfo(f"{stem}.json", 1, moment)


def contexts(count: int) -> Iterator[Context]:
    return (Context(ContextKind.COURSE, str(number)) for number in range(FIRST, FIRST + count))


def stored(number: int) -> Item:
    key = f"courses/{number}/20261123T020000Z-common_cartridge-{number}.imscc"
    item = Item(f"course:{number}", "common_cartridge", key=key, label="BIO-101")
    item.end(Outcome.STORED)
    return item


def never_asked(context: Context) -> int:
    raise AssertionError(f"{context} is a number already")


def peak(action: Callable[[], Any]) -> int:
    """Bytes that an action held at its peak."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def grows_by(measure: Callable[[int], int]) -> float:
    """Bytes for each further course."""
    measure(100)  # what is imported and kept by the first call is not what grows
    return (measure(MANY) - measure(FEW)) / (MANY - FEW)


def test_a_list_is_resolved_ordered_and_written_down_in_some_hundred_bytes_a_course(tmp_path: Path) -> None:
    def measure(count: int) -> int:
        store = LongArchive(tmp_path / str(count), count)

        def listing() -> None:
            facts = CourseFacts("https://canvas.example.edu", datetime(2026, 11, 23, tzinfo=timezone.utc))
            for number in range(FIRST, FIRST + count):
                name = f"Introduction to the Biology of {number}"
                facts.add(Course(number, name, "BIO-101", None, 3, 1, 5, "Autumn", None, None, "u" * 40))
            found = unique(contexts(count), never_asked, lambda: None)
            ordered = oldest_copy_first(found, last_copies(store, among=found))
            references = write_plan(store, RUN, ordered, 50, facts=facts)
            assert all(each.readings for each in references)
            assert sum(1 for _ in planned(store, [each.to_json() for each in references])) == count

        return peak(listing)

    assert grows_by(measure) < 1000


def test_a_report_gathers_outcomes_in_little_more_than_a_kilobyte_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MOST_ROWS", 100)  # what a page holds is bounded, and not what grows
    monkeypatch.setattr(copy_status, "MOST_CONTEXTS", 100)

    def measure(count: int) -> int:
        store = FileStore((tmp_path / str(count)).as_uri(), tmp_path / str(count))
        for at in range(0, count, MAX_EXPORTS):
            items = [Item(str(context), "common_cartridge", label="BIO-101") for context in contexts(count)]
            for item in items[at : at + MAX_EXPORTS]:
                item.key = (
                    f"courses/{item.context[7:]}/20261123T020000Z-common_cartridge-{item.context[7:]}.imscc"
                )
                item.end(Outcome.STORED)
            run = RunInfo("nightly", RUN.run_id, "export", RUN.date, map_index=at)
            store_batch_report(store, items[at : at + MAX_EXPORTS], run, started_at=1.8e9)
        expected = ((str(context), "common_cartridge") for context in contexts(count))
        return peak(lambda: gather_run_report(store, RUN, expected))

    assert grows_by(measure) < 2000


def test_a_sweep_holds_the_objects_of_one_course_at_a_time(tmp_path: Path) -> None:
    def measure(count: int) -> int:
        return peak(lambda: sweep(LongArchive(tmp_path / "archive", count)))

    assert grows_by(measure) < 100


@pytest.mark.parametrize("size", [1, 50, 200])
def test_the_longest_list_a_run_can_carry_is_still_few_and_small_to_airflow(
    tmp_path: Path, size: int
) -> None:
    store = FileStore(tmp_path.as_uri(), tmp_path)
    references = write_plan(store, RUN, list(contexts(MAX_BATCHES * MAX_EXPORTS)), size)
    assert len(references) == MAX_BATCHES
    assert len(json.dumps([each.to_json() for each in references])) < 256 * 1024
