"""The local database of a search: a full-text index (SQLite FTS5) made of the segments in an archive.

It is a cache: a file that may be deleted at any time. No database is ever read from the archive; its rows are checked and
inserted one by one. Several processes may use one file.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

from canvas_exports.core.archive.catalog.future_dates import is_in_future
from canvas_exports.core.archive.search.documents import SearchDocument
from canvas_exports.core.archive.search.hosts import reversed_name
from canvas_exports.core.archive.search.index_rows import IndexedPackage, parse_document
from canvas_exports.core.archive.search.index_segments import (
    PackagesSegment,
    list_segments,
    read_packages,
    read_texts,
)
from canvas_exports.core.archive.search.words import spaced
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import InputError

log = logging.getLogger(__name__)

#: The largest file, in bytes. Beyond it, nothing more is added.
LARGEST = 64 * 10**9

_CACHE = 65_536  # KiB of memory
_PAGE = 8_192
_BUSY = 60  # seconds to wait for another process
_PAUSE = 0.05  # seconds
_BATCH = 500
_VERSION = 2
_TABLES = f"""
CREATE TABLE segments (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, is_marked INTEGER NOT NULL DEFAULT 0);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, kind TEXT, title TEXT, text BLOB
);
CREATE VIRTUAL TABLE words USING fts5(title, text, content='', tokenize="unicode61 remove_diacritics 2");
CREATE TABLE hosts (
    name TEXT NOT NULL, is_tool INTEGER NOT NULL, document INTEGER NOT NULL, PRIMARY KEY (name, is_tool, document)
) WITHOUT ROWID;
CREATE TABLE packages (
    id INTEGER PRIMARY KEY, segment INTEGER NOT NULL, key TEXT NOT NULL, size INTEGER NOT NULL, manifest TEXT NOT NULL,
    course INTEGER NOT NULL, type TEXT NOT NULL, created INTEGER NOT NULL, is_selection INTEGER NOT NULL,
    name TEXT, course_code TEXT, sis_id TEXT, term TEXT, is_newest INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX packages_of_course ON packages (course, type, is_selection, created);
CREATE TABLE items (
    document INTEGER NOT NULL, package INTEGER NOT NULL, identifier NOT NULL, PRIMARY KEY (document, package, identifier)
) WITHOUT ROWID;
PRAGMA user_version = {_VERSION};
"""
_MARK_NEWEST = """
UPDATE packages SET is_newest = 1 WHERE id IN (
    SELECT id FROM (
        SELECT id, row_number() OVER (PARTITION BY course, type ORDER BY is_selection, created DESC, key DESC, id) AS place
        FROM packages
    ) WHERE place = 1
)
"""
_ORPHANS = """
SELECT id, kind, title, text FROM documents
WHERE id > ? AND NOT EXISTS (SELECT 1 FROM items WHERE document = documents.id) ORDER BY id LIMIT ?
"""
_IDENTIFIER = 33  # ``g`` and 32 hexadecimal digits, as Canvas writes them


class SearchDatabase:
    """A connection to the database of one archive. One thread uses it at a time.

    Args:
        path: of the file; made if it is absent. Its folder exists.
        largest: bytes of the file.

    Raises:
        InputError: SQLite has no FTS5 here, or another process has used the file for a minute without a pause (permanent).
    """

    def __init__(self, path: Path, *, largest: int = LARGEST) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._largest = largest
        try:
            self.connection = self._open_when_free()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "fts5" in str(error):
                raise InputError(
                    "search",
                    "this Python's SQLite has no FTS5",
                    accepted="a Python with SQLite and FTS5, as python.org builds it",
                ) from None
            if _is_in_use(error):  # and so is not ours to delete
                raise InputError(
                    "--cache",
                    f"the search database {path} is used by another process",
                    accepted="another folder, or a later search",
                ) from None
            delete_database(path)
            self.connection = self._open()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
        try:
            connection.execute(f"PRAGMA page_size = {_PAGE}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")  # a cache: what a crash damages is made again
            connection.execute(f"PRAGMA cache_size = -{_CACHE}")
            connection.execute(f"PRAGMA max_page_count = {max(self._largest // _PAGE, 100)}")
            connection.execute("PRAGMA trusted_schema = OFF")
            _make_tables(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _open_when_free(self) -> sqlite3.Connection:
        """Open the file; two processes that make it at the same time wait for each other."""
        ends = time.monotonic() + _BUSY
        while True:
            try:
                return self._open()
            except sqlite3.OperationalError as error:
                if not _is_in_use(error) or time.monotonic() >= ends:
                    raise
            time.sleep(_PAUSE)

    def close(self) -> None:
        """Close the connection; the file stays."""
        self.connection.close()

    def update(
        self,
        store: Store,
        *,
        now: datetime | None = None,
        is_late: Callable[[], bool] = lambda: False,
        patience: float | None = None,
        report: Callable[[int, int], object] = lambda *_: None,
    ) -> int:
        """Add the segments of the archive that are missing, and remove those that it no longer has.

        While another process does the same, nothing is done.

        Args:
            store: the archive.
            now: the time; packages dated after it are left out.
            is_late: asked before each segment; if it is true, no more are added.
            patience: seconds to wait for another process that writes to the file; ``None`` for a minute.
            report: called before each segment with the number of those that were added, and of all to add.

        Returns:
            The number of segments that are still missing; at least 1 while another process adds some.

        Raises:
            InputError: the disk, or the largest size of the database, does not suffice (permanent).
            ArchiveDeniedError: no right to list or read (permanent).
            ArchiveUnavailableError: the store failed (retryable); what was added stays.
        """
        now = now or datetime.now(timezone.utc)
        wanted = list_segments(store, now=now).packages
        known = {name for (name,) in self.connection.execute("SELECT name FROM segments")}
        missing = [name for name in wanted if name not in known]
        gone = known.difference(wanted)
        left = len(missing)
        unmarked = self.connection.execute("SELECT 1 FROM segments WHERE NOT is_marked LIMIT 1").fetchone()
        if not missing and not gone and unmarked is None:
            return 0
        self.connection.execute(
            f"PRAGMA busy_timeout = {int(1000 * (_BUSY if patience is None else patience))}"
        )
        try:
            for name in missing:
                if is_late():
                    break
                report(len(missing) - left, len(missing))
                segment = read_packages(store, name)
                with self._writing():
                    self._add(store, name, segment, now)
                left -= 1
            with self._writing():
                self._remove(gone)
                self.connection.execute("UPDATE packages SET is_newest = 0 WHERE is_newest")
                self.connection.execute(_MARK_NEWEST)
                self.connection.execute("UPDATE segments SET is_marked = 1 WHERE NOT is_marked")
        except sqlite3.OperationalError as error:
            if not _is_in_use(error):
                raise InputError(
                    "--cache",
                    f"the search database {self.path} cannot grow: {error}",
                    accepted="a folder with more room",
                ) from None
            return max(left, 1)
        return left

    def _add(self, store: Store, name: str, segment: PackagesSegment | None, now: datetime) -> None:
        added = self.connection.execute("INSERT OR IGNORE INTO segments (name) VALUES (?)", (name,))
        if added.rowcount != 1 or segment is None:  # another process was faster; or it is invalid
            return
        number = added.lastrowid or 0
        for digest, row in read_texts(store, segment.texts):
            self._add_document(digest, row)
        for package in segment.packages:
            if not is_in_future(package.created_at, now):
                self._add_package(number, package)

    def _add_document(self, digest: str, row: bytes) -> None:
        execute = self.connection.execute
        known = execute(
            "SELECT id, kind FROM documents WHERE digest = ?", (bytes.fromhex(digest),)
        ).fetchone()
        if known is not None and known[1] is not None:
            return
        document = parse_document(row)
        if document is None:
            return
        values = (document.kind, document.title, _packed(document.text))
        if known:
            number = int(known[0])
            execute("UPDATE documents SET kind = ?, title = ?, text = ? WHERE id = ?", (*values, number))
        else:
            number = self._new_document(digest, *values)
        execute(
            "INSERT INTO words (rowid, title, text) VALUES (?, ?, ?)",
            (number, spaced(document.title), spaced(document.text)),
        )
        self._add_hosts(number, document)

    def _add_hosts(self, number: int, document: SearchDocument) -> None:
        hosts = [(host, 0) for host in document.hosts] + [(host, 1) for host in document.tools]
        self.connection.executemany(
            "INSERT OR IGNORE INTO hosts (name, is_tool, document) VALUES (?, ?, ?)",
            ((reversed_name(host), is_tool, number) for host, is_tool in hosts),
        )

    def _new_document(
        self, digest: str, kind: str | None = None, title: str | None = None, text: bytes | None = None
    ) -> int:
        inserted = self.connection.execute(
            "INSERT INTO documents (digest, kind, title, text) VALUES (?, ?, ?, ?)",
            (bytes.fromhex(digest), kind, title, text),
        )
        return inserted.lastrowid or 0

    def _add_package(self, segment: int, package: IndexedPackage) -> None:
        inserted = self.connection.execute(
            "INSERT INTO packages (segment, key, size, manifest, course, type, created, is_selection, name, course_code, sis_id, term)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                segment,
                package.key,
                package.size,
                package.manifest,
                package.canvas_id,
                package.export_type,
                int(package.created_at.timestamp()),
                package.is_selection,
                package.name,
                package.course_code,
                package.sis_id,
                package.term,
            ),
        )
        number = inserted.lastrowid
        self.connection.executemany(
            "INSERT OR IGNORE INTO items (document, package, identifier) VALUES (?, ?, ?)",
            (
                (self._document(digest), number, _packed_identifier(identifier))
                for identifier, digest in package.items
            ),
        )

    def _document(self, digest: str) -> int:
        """Return the number of a document, which a segment that was not read yet may hold."""
        found = self.connection.execute("SELECT id FROM documents WHERE digest = ?", (bytes.fromhex(digest),))
        known = found.fetchone()
        return int(known[0]) if known else self._new_document(digest)

    def _remove(self, names: set[str]) -> None:
        execute = self.connection.execute
        for name in names:
            execute("DELETE FROM packages WHERE segment IN (SELECT id FROM segments WHERE name = ?)", (name,))
            execute("DELETE FROM segments WHERE name = ?", (name,))
        if not names:
            return
        execute("DELETE FROM items WHERE package NOT IN (SELECT id FROM packages)")
        last = 0
        while orphans := execute(_ORPHANS, (last, _BATCH)).fetchall():
            for last, kind, title, text in orphans:
                if kind is not None:  # without its content, the full-text index has to be told what it holds
                    execute(
                        "INSERT INTO words (words, rowid, title, text) VALUES ('delete', ?, ?, ?)",
                        (last, spaced(title), spaced(unpacked(text))),
                    )
                execute("DELETE FROM documents WHERE id = ?", (last,))
        execute("DELETE FROM hosts WHERE document NOT IN (SELECT id FROM documents)")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """All or nothing; one process at a time."""
        with self._lock:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise


def _is_in_use(error: sqlite3.DatabaseError) -> bool:
    """Return whether another connection has kept a lock for longer than this one waits."""
    return isinstance(error, sqlite3.OperationalError) and "is locked" in str(error)


def _make_tables(connection: sqlite3.Connection) -> None:
    """Make the tables of an empty database. Raises ``DatabaseError`` if it is one of another version."""
    if connection.execute("PRAGMA user_version").fetchone()[0] == _VERSION:
        return  # nobody who only searches waits for somebody who writes
    connection.execute("BEGIN IMMEDIATE")
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables and found != _VERSION:
        raise sqlite3.DatabaseError("it is of another version")
    if not tables:
        for statement in _TABLES.split(";\n"):
            if statement.strip():
                connection.execute(statement)
    connection.execute("COMMIT")


def delete_database(path: Path) -> None:
    """Delete the files of a database."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def unpacked(text: bytes) -> str:
    """Return the text of a document."""
    return zlib.decompress(text).decode()


def unpacked_identifier(stored: str | bytes) -> str:
    """Return the identifier of an item."""
    return f"g{stored.hex()}" if isinstance(stored, bytes) else stored


def _packed(text: str) -> bytes:
    return zlib.compress(text.encode(), 6)


def _packed_identifier(identifier: str) -> str | bytes:
    digits = identifier[1:]
    if (
        len(identifier) == _IDENTIFIER
        and identifier[0] == "g"
        and digits.isalnum()
        and digits == digits.lower()
    ):
        try:
            return bytes.fromhex(digits)
        except ValueError:
            return identifier
    return identifier
