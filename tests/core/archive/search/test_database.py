"""The local database is a cache: whatever becomes of it, the answer is that of the archive."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.archives.searchable import SearchableArchive, page, segments

from canvas_exports.core.archive.search.database import SearchDatabase
from canvas_exports.core.archive.search.search import open_database
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import InputError


@pytest.fixture
def archive(tmp_path: Path) -> SearchableArchive:
    folder = tmp_path / "archive"
    made = SearchableArchive(FileStore(folder.as_uri(), folder), tmp_path / "cache" / "inner")
    for course in range(1, 4):
        made.add(course, [page("Soil", f"nitrogen {course}")])
        made.index()
    return made


FOUND = [(course, "Soil") for course in range(1, 4)]


def _file(archive: SearchableArchive) -> Path:
    return next(archive.folder.glob("*.sqlite3"))


def test_only_its_owner_may_read_it(archive: SearchableArchive) -> None:
    assert archive.found("nitrogen") == FOUND
    assert stat.S_IMODE(archive.folder.stat().st_mode) == 0o700
    archive.folder = archive.folder.parent
    archive.folder.chmod(0o755)
    assert archive.found("nitrogen") == FOUND
    assert {stat.S_IMODE(path.stat().st_mode) for path in archive.folder.glob("*.sqlite3*")} == {0o600}


@pytest.mark.parametrize("content", [b"", b"no database" * 1000, b"SQLite format 3\0" + b"\0" * 5000])
def test_a_file_that_is_damaged_is_made_again(archive: SearchableArchive, content: bytes) -> None:
    assert archive.found("nitrogen") == FOUND
    path = _file(archive)
    for each in archive.folder.iterdir():
        each.unlink()
    path.write_bytes(content)
    assert archive.found("nitrogen") == FOUND


def test_a_file_that_is_damaged_behind_its_first_page_is_made_again(archive: SearchableArchive) -> None:
    assert archive.found("nitrogen") == FOUND
    with closing(open_database(archive.folder, archive.store.uri)) as database:
        database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = _file(archive).read_bytes()
    for first in range(8_192, len(data), 8_192):
        _file(archive).write_bytes(data[:first] + b"\xa5" * (len(data) - first))
        assert archive.found("nitrogen") == FOUND, first


def test_a_file_of_another_version_is_made_again(archive: SearchableArchive) -> None:
    assert archive.found("nitrogen") == FOUND
    with closing(open_database(archive.folder, archive.store.uri)) as database:
        database.connection.execute("PRAGMA user_version = 99")
    assert archive.found("nitrogen") == FOUND


def test_several_may_use_one_file(archive: SearchableArchive) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: archive.found("nitrogen"), range(8))) == [FOUND] * 8


def test_a_search_neither_waits_for_another_process_nor_deletes_what_it_uses(
    archive: SearchableArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert archive.found("nitrogen") == FOUND
    path = _file(archive)
    before = path.stat().st_ino
    archive.add(4, [page("Soil", "nitrogen 4")])
    archive.index()
    monkeypatch.setattr("canvas_exports.core.archive.search.database._BUSY", 0)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # it adds a large segment
        with closing(open_database(archive.folder, archive.store.uri)) as database:
            assert database.update(archive.store, patience=0) == 1
            assert _courses(database) == [1, 2, 3]
        other.execute("ROLLBACK")
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(InputError, match="used by another process"):
            open_database(archive.folder, archive.store.uri)
    assert path.stat().st_ino == before
    assert archive.found("nitrogen") == [*FOUND, (4, "Soil")]


def test_what_an_update_that_was_killed_has_added_is_found_by_the_next_search(
    archive: SearchableArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with closing(open_database(archive.folder, archive.store.uri)) as database:
        with monkeypatch.context() as broken:
            broken.setattr(database, "_remove", killed)
            with pytest.raises(KeyboardInterrupt):
                database.update(archive.store)
        assert _courses(database) == []
    assert archive.found("nitrogen") == FOUND


def test_a_disk_without_room_is_an_error_that_says_so(archive: SearchableArchive, tmp_path: Path) -> None:
    archive.add(9, [page(f"Page {number}", f"nitrogen {number} " * 900) for number in range(300)])
    archive.index()
    with (
        closing(SearchDatabase(tmp_path / "small.sqlite3", largest=1)) as database,
        pytest.raises(InputError, match="--cache"),
    ):
        database.update(archive.store)
    with pytest.raises(InputError, match="--cache"):
        open_database(Path("/proc/nowhere"), archive.store.uri)


def test_an_update_that_ends_early_is_continued(archive: SearchableArchive) -> None:
    late = iter([False, True])
    with closing(open_database(archive.folder, archive.store.uri)) as database:
        assert database.update(archive.store, is_late=lambda: next(late)) == 2
        assert _courses(database) == [1]
        assert database.update(archive.store) == 0
        assert _courses(database) == [1, 2, 3]


def _courses(database: SearchDatabase) -> list[int]:
    return [
        course
        for (course,) in database.connection.execute(
            "SELECT course FROM packages WHERE is_newest ORDER BY course"
        )
    ]


def test_nothing_is_left_of_a_segment_that_the_archive_no_longer_has(archive: SearchableArchive) -> None:
    assert archive.found("nitrogen") == FOUND
    for key in segments(archive.store):
        archive.store.delete(key)
    assert archive.found("nitrogen") == []
    with closing(open_database(archive.folder, archive.store.uri)) as database:
        for table in ("segments", "packages", "items", "documents", "hosts"):
            assert database.connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608 - our own names
        assert list(_words(database)) == []


def _words(database: SearchDatabase) -> Iterator[str]:
    database.connection.execute(
        "CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab('main', 'words', 'row')"
    )
    yield from (word for (word,) in database.connection.execute("SELECT term FROM temp.vocabulary"))
