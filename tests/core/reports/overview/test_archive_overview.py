"""One thread reads, nobody waits, nothing is read twice, and every error is a sentence."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.archives.overviews import Overview, overview_of
from tests.support.archives.random_archives import NOW, Shelf, Spec, laid
from tests.support.archives.run_reports import outcome, report

from canvas_exports.core.reports.overview.archive_overview import CACHE_TIME, ArchiveOverview
from canvas_exports.core.reports.overview.course_list import CourseQuery
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveDeniedError, ArchiveUnavailableError

MINUTE = timedelta(minutes=1)


def archive(courses: int = 3) -> Shelf:
    shelf = laid(
        Spec(NOW - timedelta(days=day), course=100 + number) for number in range(courses) for day in (3, 2)
    )
    report(shelf, outcome("course:100", "stored"), day=NOW.date(), max_age=timedelta(days=2))
    return shelf


class Gate:
    """Holds every operation of a store until it is opened, and counts them."""

    def __init__(self, shelf: Shelf) -> None:
        self.opened = threading.Event()
        self.entered = threading.Event()
        self.operations: list[tuple[str, str]] = []
        shelf.before = self._pass

    def _pass(self, operation: str, key: str) -> None:
        self.operations.append((operation, key))
        self.entered.set()
        assert self.opened.wait(30)


def test_many_views_at_once_are_one_reading() -> None:
    shelf = archive()
    gate = Gate(shelf)
    opened: list[int] = []

    def open_store() -> Store:
        opened.append(1)
        return shelf

    overview = ArchiveOverview(open_store, clock=lambda: NOW)
    try:
        views = []
        threads = [threading.Thread(target=lambda: views.append(overview.view())) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(views) == 16
        assert all(view.snapshot is None and view.is_reading for view in views), "nobody waits"
        gate.opened.set()
        assert overview.view(wait=30).snapshot is not None
        assert opened == [1]
    finally:
        gate.opened.set()
        overview.close()


def test_while_the_archive_is_read_again_others_see_the_former_snapshot_and_its_age() -> None:
    shelf = archive()
    with overview_of(shelf) as overview:
        overview.read()
        gate = Gate(shelf)
        laid([Spec(NOW, course=900)], shelf, first_id=900)
        overview.now += 7 * MINUTE
        assert overview.view().is_reading
        assert gate.entered.wait(30)
        view = overview.view(wait=30)
        assert view.is_reading, "with a snapshot nobody waits"
        assert view.age == 7 * MINUTE
        assert view.snapshot is not None
        assert view.snapshot.course("course:900") is None
        assert view.snapshot.overview().coverage.contexts == 3
        gate.opened.set()
        view = overview.read()
        assert view.snapshot is not None
        assert view.snapshot.course("course:900") is not None


def test_a_store_that_hangs_holds_no_other_archive() -> None:
    hanging, other = archive(), archive()
    gate = Gate(hanging)
    with overview_of(hanging) as slow, overview_of(other) as quick:
        assert slow.view().is_reading
        assert quick.read().snapshot is not None
        gate.opened.set()


def test_nothing_is_read_within_the_cache_time_and_only_what_changed_after_it() -> None:
    shelf = archive()
    with overview_of(shelf) as overview:
        asked: list[tuple[str, str]] = []
        overview.read()
        shelf.before = lambda operation, key: asked.append((operation, key))
        overview.now += CACHE_TIME - MINUTE
        overview.read()
        assert asked == []
        overview.now += 2 * MINUTE
        overview.read()
        assert {operation for operation, _ in asked} == {"list"}
        asked.clear()
        laid([Spec(NOW - timedelta(days=1), course=100)], shelf, first_id=900)
        overview.now += CACHE_TIME
        overview.read()
        (new,) = [key for key in shelf.objects if key.endswith("-900.json")]
        assert [key for operation, key in asked if operation == "read"] == [new]


def test_a_manifest_that_changes_shortly_after_it_was_written_is_read_again() -> None:
    shelf = laid([Spec(NOW - timedelta(days=2), course=100)])
    (key,) = [key for key in shelf.objects if key.endswith(".json")]
    document = shelf.objects[key][0]
    shelf.objects[key] = (document, NOW)
    with overview_of(shelf) as overview:
        overview.read()
        spoilt = document.replace(b'"whole"', b'"empty"')
        shelf.objects[key] = (spoilt, NOW)  # the same size and time
        snapshot = overview.refresh()
        view = snapshot.course("course:100")
        assert view is not None
        assert [copy.state for copy in view.copies] == ["empty"]


class ReadOnly(Shelf):
    """A store whose credentials may only read."""

    def put_if_absent(self, key: str, data: bytes) -> bool:  # noqa: ARG002 - a Store
        raise AssertionError(f"{key} is written")

    def replace(self, key: str, data: bytes) -> None:  # noqa: ARG002 - a Store
        raise AssertionError(f"{key} is written")

    def delete(self, key: str) -> None:
        raise AssertionError(f"{key} is deleted")


def test_nothing_is_written_to_the_archive() -> None:
    shelf = ReadOnly()
    shelf.objects = dict(archive().objects)
    with overview_of(shelf) as overview:
        assert overview.read().problem is None
        overview.refresh()


ERRORS: list[Callable[[], Exception]] = [
    lambda: ArchiveUnavailableError("the store does not answer"),
    lambda: ArchiveDeniedError("no right to list"),
    lambda: RuntimeError("a fault of ours"),
]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 40), st.sampled_from(ERRORS), st.booleans())
def test_a_fault_at_any_operation_is_a_sentence_and_the_next_reading_is_whole(
    at: int, error: Callable[[], Exception], has_snapshot: bool
) -> None:
    shelf = archive()
    with overview_of(shelf) as overview:
        if has_snapshot:
            overview.read()
            laid([Spec(NOW - timedelta(days=1), course=900)], shelf, first_id=900)
            overview.now += CACHE_TIME
        passed = 0

        def fail(*_: str) -> None:
            nonlocal passed
            passed += 1
            if passed > at:
                raise error()

        shelf.before = fail
        view = overview.read()
        assert (view.snapshot is None) is (view.problem is not None and not has_snapshot)
        if view.problem is not None:
            assert "\n" not in view.problem
            assert "Traceback" not in view.problem
            assert view.failed_at == overview.now
            assert overview.view().is_reading is False, "a store that fails is left alone for a while"
        shelf.before = lambda *_: None
        snapshot = overview.refresh()
        with overview_of(shelf, overview.now) as fresh:
            again = fresh.read().snapshot
            assert again is not None
            assert snapshot.overview() == again.overview()
            assert snapshot.courses() == again.courses()


def test_what_was_read_before_a_fault_is_not_read_again() -> None:
    shelf = archive(courses=40)
    reads: list[str] = []

    def fail(operation: str, key: str) -> None:
        if operation == "read" and key.endswith(".json"):
            reads.append(key)
            if len(reads) == 70:
                raise ArchiveUnavailableError("the store does not answer")

    with overview_of(shelf) as overview:
        shelf.before = fail
        assert overview.read().problem == "the store does not answer"
        first = set(reads)
        reads.clear()
        overview.refresh()
        assert len(first.intersection(reads)) < len(first) / 2


def test_a_store_that_cannot_be_opened_is_a_sentence() -> None:
    def open_store() -> Store:
        raise ArchiveDeniedError("no credentials")

    overview = ArchiveOverview(open_store)
    view = overview.view(wait=30)
    while view.is_reading:
        view = overview.view(wait=30)
    assert (view.snapshot, view.problem) == (None, "no credentials")
    overview.close()


@pytest.mark.parametrize("is_reading", [False, True])
def test_a_closed_overview_leaves_no_file(is_reading: bool) -> None:
    shelf = archive()
    overview = Overview(shelf)
    snapshot = overview.read().snapshot
    assert snapshot is not None
    gate = Gate(shelf)
    if is_reading:
        overview.now += CACHE_TIME
        assert overview.view().is_reading
        assert gate.entered.wait(30)
    overview.close()
    gate.opened.set()
    reading = overview._reading
    if reading is not None:
        reading.join(30)
    assert not snapshot.path.parent.exists()
    assert not overview.view().is_reading


def test_a_snapshot_is_read_by_many_threads_while_it_is_written() -> None:
    shelf = archive(courses=30)
    with overview_of(shelf) as overview:
        overview.read()
        wrong: list[object] = []
        done = threading.Event()

        def ask() -> None:
            while not done.is_set():
                snapshot = overview.view().snapshot
                assert snapshot is not None
                page = snapshot.courses(CourseQuery(limit=500))
                if page.total != len(page.rows) or page.total not in (30, 31):
                    wrong.append(page)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(8):
            if number % 2:
                shelf.objects = {key: each for key, each in shelf.objects.items() if "/900/" not in key}
            else:
                laid([Spec(NOW - timedelta(days=1), course=900)], shelf, first_id=900)
            overview.refresh()
        done.set()
        for thread in threads:
            thread.join(30)
        assert wrong == []


@pytest.mark.parametrize("folder_too", [False, True])
def test_a_snapshot_that_was_cleaned_away_is_made_again(folder_too: bool) -> None:
    with overview_of(archive()) as overview:
        snapshot = overview.read().snapshot
        assert snapshot is not None
        for path in list(snapshot.path.parent.iterdir()):
            path.unlink()
        if folder_too:
            snapshot.path.parent.rmdir()
        overview.now += MINUTE
        again = overview.read().snapshot
        assert again is not None
        assert again.overview().coverage.contexts == 3


def test_a_full_disk_is_a_sentence_and_the_former_snapshot_stays() -> None:
    shelf = archive()
    with overview_of(shelf) as overview:
        overview.read()
        writer = overview._writer
        assert writer is not None
        (pages,) = writer.execute("PRAGMA page_count").fetchone()
        writer.execute(f"PRAGMA max_page_count = {pages}")
        laid(
            (Spec(NOW - timedelta(days=1), course=number) for number in range(300, 600)), shelf, first_id=900
        )
        overview.now += CACHE_TIME
        view = overview.read()
        assert view.problem == "the temporary file of the overview cannot be written: OperationalError"
        assert view.snapshot is not None
        assert view.snapshot.overview().coverage.contexts == 3
        writer.execute("PRAGMA max_page_count = 1000000")
        assert overview.refresh().overview().coverage.contexts == 303


def test_the_temporary_file_is_private_to_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with overview_of(archive()) as overview:
        snapshot = overview.read().snapshot
        assert snapshot is not None
        assert snapshot.path.parent.stat().st_mode & 0o077 == 0
