"""The index grows by what is new, survives kills and failing stores, and forgets what is deleted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.archives.holdings import START
from tests.support.archives.searchable import LATER, MadeContent, SearchableArchive, page, segments

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.search import compact_index, update_index
from canvas_exports.core.archive.search.index_segments import PACKAGES, TEXTS, read_packages, read_texts
from canvas_exports.core.packages.content.model import Document
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import ObjectInfo
from canvas_exports.errors import (
    ArchiveDeniedError,
    ArchiveUnavailableError,
    CorruptPackageError,
    LockedError,
    NoArchiveError,
    ObjectNotFoundError,
)


class Failing(FileStore):
    """A folder whose writes and deletions can be counted, and end at one of them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder.as_uri(), folder)
        self.left: int | None = None
        self.error: BaseException = ArchiveUnavailableError("the archive cannot be reached")

    def put_if_absent(self, key: str, data: bytes) -> bool:
        self._step(key)
        return super().put_if_absent(key, data)

    def delete(self, key: str) -> None:
        self._step(key)
        super().delete(key)

    def _step(self, key: str) -> None:
        if self.left is not None and key.startswith("search/"):
            self.left -= 1
            if self.left < 0:
                raise self.error


@pytest.fixture
def archive(tmp_path: Path) -> SearchableArchive:
    return SearchableArchive(Failing(tmp_path / "archive"), tmp_path / "cache")


def _page(number: int, more: str = "") -> Document:
    return page(f"Page {number}", f"soil {number} {more}")


def test_only_new_packages_are_read(archive: SearchableArchive) -> None:
    first = archive.add(1, [_page(1)])
    assert archive.index().added == 1
    second = archive.add(1, [_page(1), _page(2)], day=1)
    update = archive.index()
    assert (update.known, update.added, update.documents, update.left) == (1, 1, 1, 0)
    assert archive.opened == [first.package.key, second.package.key]
    assert archive.index().segments == 0


def test_the_newest_copies_are_read_first_and_the_rest_in_later_nights(archive: SearchableArchive) -> None:
    stored = {
        (course, day): archive.add(course, [_page(course)], day=day) for course in (1, 2) for day in (0, 1, 2)
    }
    update = archive.index(max_packages=2)
    assert (update.added, update.left) == (2, 4)
    assert set(archive.opened) == {stored[1, 2].package.key, stored[2, 2].package.key}
    ticks = iter(range(1000))
    late = archive.index(max_time=timedelta(seconds=0), clock=lambda: float(next(ticks)))
    assert (late.added, late.left) == (0, 4)
    assert archive.index().left == 0
    assert archive.found("soil", all_copies=True) == [(1, "Page 1"), (2, "Page 2")]


def test_a_document_is_stored_once_whoever_has_it(archive: SearchableArchive) -> None:
    for course in range(1, 5):
        for day in range(3):
            archive.add(course, [_page(7), _page(course)], day=day)
    assert archive.index().documents == 5
    texts = [key for key in segments(archive.store) if key.endswith(TEXTS)]
    assert sum(len(list(read_texts(archive.store, key))) for key in texts) == 5


def test_groups_and_users_are_not_searched(archive: SearchableArchive) -> None:
    archive.add(1, [_page(1)])
    archive.add(7, [_page(7)], kind="group", export_type="zip")
    archive.add(8, [_page(8)], kind="user", export_type="zip", facts={})
    assert archive.index().added == 1
    assert archive.found("soil") == [(1, "Page 1")]


def test_a_package_that_cannot_be_read_costs_itself_only_and_is_not_tried_again(
    archive: SearchableArchive,
) -> None:
    bad = [
        archive.add(1, CorruptPackageError("it is no zip")),
        archive.add(2, RecursionError("a mistake of a reader")),
    ]
    archive.add(3, [_page(3)])
    update = archive.index()
    assert (update.added, sorted(key for key, _ in update.problems)) == (
        3,
        [each.package.key for each in bad],
    )
    assert all(
        reason in ("it is no zip", "its reading ended in RecursionError") for _, reason in update.problems
    )
    assert archive.found("soil") == [(3, "Page 3")]
    archive.opened.clear()
    archive.index()
    assert archive.opened == []


def test_a_package_that_is_denied_or_gone_is_tried_again(archive: SearchableArchive) -> None:
    archive.add(1, ArchiveDeniedError("no"))
    archive.add(2, ObjectNotFoundError("gone"))
    archive.add(3, [_page(3)])
    update = archive.index()
    assert (update.added, update.denied, update.left) == (1, 2, 2)
    assert archive.index().denied == 2
    archive.contents = {key: ArchiveDeniedError("no") for key in archive.contents}
    archive.add(4, ArchiveDeniedError("no"))
    with pytest.raises(ArchiveDeniedError):
        archive.index()


def test_a_store_that_fails_while_a_package_is_read_ends_the_run(archive: SearchableArchive) -> None:
    archive.add(1, ArchiveUnavailableError("the archive cannot be reached"))
    with pytest.raises(ArchiveUnavailableError):
        archive.index()


def test_an_address_without_an_archive_is_an_error(archive: SearchableArchive) -> None:
    with pytest.raises(NoArchiveError):
        archive.index()
    assert archive.index(allow_empty=True).added == 0


def test_a_package_that_takes_too_long_is_indexed_in_part(
    archive: SearchableArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(update_index, "_LONGEST_PACKAGE", 3.0)
    ticks = iter(range(1000))
    stored = archive.add(1, [_page(number) for number in range(9)])
    update = archive.index(clock=lambda: float(next(ticks)))
    assert [key for key, _ in update.problems] == [stored.package.key]
    assert 0 < len(archive.found("soil")) < 9


def test_a_run_that_is_stopped_keeps_what_it_has(archive: SearchableArchive) -> None:
    for course in range(1, 30):
        archive.add(course, [_page(course)])
    stop = threading.Event()
    update = archive.index(stop=stop, report=lambda done, _: stop.set() if done >= 5 else None)
    assert 5 <= update.added < 29
    assert update.added + update.left == 29
    assert len(archive.found("soil")) == update.added


@settings(max_examples=15, deadline=None)
@given(steps=st.integers(0, 30), is_kill=st.booleans(), data=st.data())
def test_a_kill_at_any_step_leaves_an_index_that_the_next_run_completes(
    steps: int, is_kill: bool, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("kill")
    store = Failing(folder / "archive")
    store.error = KeyboardInterrupt() if is_kill else ArchiveUnavailableError("the archive cannot be reached")
    archive = SearchableArchive(store, folder / "cache")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(compact_index, "MOST_SMALL", 2)
        wanted: dict[int, set[str]] = {}
        for day in range(5):
            for course in (1, 2):
                pages = [_page(number, f"day {data.draw(st.integers(0, 1))}") for number in range(3)]
                archive.add(course, pages, day=day)
                wanted[course] = {f"Page {number}" for number in range(3)}
            if day < 4:
                archive.index(now=START + timedelta(days=day + 1))
        store.left = steps
        with suppress(KeyboardInterrupt, ArchiveUnavailableError):
            archive.index()
        store.left = None
        _check_segments(store)
        found = archive.found("soil", all_copies=True)
        assert {title for _, title in found} <= {"Page 0", "Page 1", "Page 2"}
        archive.index()
        _check_segments(store)
        assert archive.found("soil") == sorted(
            (course, title) for course, titles in wanted.items() for title in titles
        )
        archive.index(now=LATER + timedelta(days=5))
        names = segments(store)
        texts = {key for key in names if key.endswith(TEXTS)}
        named = {
            read.texts for key in names if key.endswith(PACKAGES) and (read := read_packages(store, key))
        }
        assert named <= texts


def _check_segments(store: FileStore) -> None:
    """Every segment that is visible is whole."""
    for key in segments(store):
        if key.endswith(PACKAGES):
            segment = read_packages(store, key)
            assert segment is not None
            assert {digest for digest, _ in read_texts(store, segment.texts)} >= {
                digest for digest, _ in segment.documents
            }


def test_two_runs_at_once_do_no_harm(archive: SearchableArchive) -> None:
    for course in range(1, 12):
        archive.add(course, [_page(course), _page(0)])
    with ThreadPoolExecutor(3) as pool:
        updates = list(pool.map(lambda _: archive.index(), range(3)))
    assert sum(each.added for each in updates) >= 11
    assert len(archive.found("soil")) == 22
    assert archive.index().added == 0


def test_many_small_segments_become_few(archive: SearchableArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compact_index, "MOST_SMALL", 3)
    for course in range(1, 9):
        archive.add(course, [_page(course)])
        archive.index()
        assert len(segments(archive.store)) <= 2 * 4
        assert archive.found("soil") == [(each, f"Page {each}") for each in range(1, course + 1)]


def test_what_is_deleted_leaves_the_index(archive: SearchableArchive) -> None:
    gone = archive.add(1, [page("Old", "a secret that is withdrawn"), _page(0)])
    archive.add(1, [_page(0), _page(1)], day=1)
    whole = archive.add(2, [page("Other", "a secret of a course that is deleted")])
    archive.index()
    assert archive.found("secret", all_copies=True) == [(1, "Old"), (2, "Other")]
    for document in (gone, whole):
        archive.store.delete(manifest_key(document.package.key))
        archive.store.delete(document.package.key)
    assert archive.found("secret", all_copies=True) == []
    archive.index()
    texts = [
        row
        for key in segments(archive.store)
        if key.endswith(TEXTS)
        for _, row in read_texts(archive.store, key)
    ]
    assert len(texts) == 2
    assert not any(b"secret" in row for row in texts)
    assert archive.found("soil", all_copies=True) == [(1, "Page 0"), (1, "Page 1")]


def test_an_older_copy_is_found_when_the_newest_is_deleted(archive: SearchableArchive) -> None:
    archive.add(1, [_page(1)])
    newest = archive.add(1, [_page(2)], day=1)
    archive.index()
    archive.store.delete(manifest_key(newest.package.key))
    archive.store.delete(newest.package.key)
    archive.index()
    assert archive.found("soil") == [(1, "Page 1")]


def test_segments_that_cannot_be_deleted_are_kept(
    archive: SearchableArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compact_index, "MOST_SMALL", 1)

    def locked(key: str) -> None:
        raise LockedError("it is locked", key=key)

    monkeypatch.setattr(archive.store, "delete", locked)
    for course in range(1, 5):
        archive.add(course, [_page(course)])
        archive.index()
    assert archive.found("soil") == [(each, f"Page {each}") for each in range(1, 5)]


def test_an_index_that_is_lost_in_part_or_whole_is_made_again(archive: SearchableArchive) -> None:
    for course in range(1, 4):
        archive.add(course, [_page(course), _page(0)])
        archive.index()
    whole = archive.found("soil")
    texts = next(key for key in segments(archive.store) if key.endswith(TEXTS))
    archive.store.delete(texts)
    assert archive.index().added >= 1
    assert archive.found("soil") == whole
    for key in segments(archive.store):
        archive.store.delete(key)
    assert archive.index().added == 3
    assert archive.found("soil") == whole


def test_leftovers_of_killed_writers_are_deleted_when_they_are_old(archive: SearchableArchive) -> None:
    store = archive.store
    assert isinstance(store, Failing)
    archive.add(1, [_page(1)])
    store.left, store.error = 1, KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        archive.index()
    store.left = None
    (orphan,) = segments(store)
    archive.index()
    assert orphan in segments(store)  # these are the texts of the new packages
    other = store.put_if_absent("search/1-" + "0" * 32 + TEXTS, b"texts of nobody")
    assert other
    compact_index.remove_abandoned(store, now=_changed(store) + timedelta(days=1))
    assert len(segments(store)) == 3
    compact_index.remove_abandoned(store, now=_changed(store) + timedelta(days=3))
    assert len(segments(store)) == 2


def _changed(store: FileStore) -> datetime:
    return max(info.modified for info in _infos(store))


def _infos(store: FileStore) -> Iterator[ObjectInfo]:
    return store.list("search/")


def test_a_course_with_more_than_the_bounds_is_indexed_up_to_them(archive: SearchableArchive) -> None:
    names = [
        page(f"{number:04}" + "x" * 490, identifier=f"{number:04}" + "ü" * 490) for number in range(2_500)
    ]
    archive.add(1, names)
    endless = MadeContent([_page(1)])
    endless.items *= 5_000
    archive.add(2, endless)
    update = archive.index()
    assert update.added == 2
    assert archive.index().added == 0
    assert archive.found("soil") == [(2, "Page 1")]
