"""What the segments of the search index hold already: packages and documents, in a temporary table."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from canvas_exports.core.archive.search.index_segments import (
    ListedSegments,
    PackagesSegment,
    list_segments,
    read_packages,
)
from canvas_exports.core.storage.store import Store

_CACHE = 16_384  # KiB of memory; the rest is in a temporary file
_TABLES = """
CREATE TABLE documents (digest BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE packages (
    key TEXT, identity TEXT, segment INTEGER, series TEXT, is_selection INTEGER, created REAL, is_whole INTEGER,
    PRIMARY KEY (key, segment)
) WITHOUT ROWID;
CREATE TABLE waiting (key TEXT, segment INTEGER, digests BLOB);
"""
_NEWEST_FIRST = """
SELECT key, identity, segment, series FROM packages ORDER BY series, is_selection, created DESC, key DESC
"""
_DIGEST = 16  # bytes
_MOST_ABSENT = 4  # a segment is rewritten if more than one of so many packages is deleted


@dataclass(frozen=True)
class SegmentSize:
    """A segment that can be read, and the bytes of its texts before compression."""

    packages: str
    texts: str
    size: int


class KnownPackages:
    """Packages all of whose documents are in the archive's segments. Close it.

    Attributes:
        listed: the listing it was read from.
        segments: the valid ones.
    """

    def __init__(self, store: Store, *, now: datetime) -> None:
        self.segments: list[SegmentSize] = []
        self._table = temporary_table(_TABLES)
        self.listed: ListedSegments = list_segments(store, now=now)
        for key in self.listed.packages:
            segment = read_packages(store, key)
            if segment is not None and segment.texts in self.listed.texts:
                self._add(segment)
        waiting = self._table.execute("SELECT key, segment, digests FROM waiting").fetchall()
        for package, number, digests in waiting:
            if all(
                self.has_document(digests[at : at + _DIGEST].hex()) for at in range(0, len(digests), _DIGEST)
            ):
                self._table.execute(
                    "UPDATE packages SET is_whole = 1 WHERE key = ? AND segment = ?", (package, number)
                )

    def close(self) -> None:
        """Delete the table."""
        self._table.close()

    def has_document(self, digest: str) -> bool:
        """Return whether a document is in a segment."""
        found = self._table.execute("SELECT 1 FROM documents WHERE digest = ?", (bytes.fromhex(digest),))
        return found.fetchone() is not None

    def add_document(self, digest: str) -> None:
        """Note a document that is being written."""
        self._table.execute("INSERT OR IGNORE INTO documents VALUES (?)", (bytes.fromhex(digest),))

    def has_package(self, key: str, identity: str) -> bool:
        """Return whether a package, with these bytes, is in the index with all its documents."""
        found = self._table.execute(
            "SELECT 1 FROM packages WHERE key = ? AND identity = ? AND is_whole", (key, identity)
        )
        return found.fetchone() is not None

    def count(self) -> int:
        """Return the number of packages."""
        return int(
            self._table.execute("SELECT count(DISTINCT key) FROM packages WHERE is_whole").fetchone()[0]
        )

    def outdated_segments(self, present: PresentPackages) -> list[SegmentSize]:
        """Return the segments with a deleted package that is the newest of its course, or with many deleted ones."""
        newest, absent, packages = set[int](), Counter[int](), Counter[int]()
        series = None
        for key, identity, segment, of_series in self._table.execute(_NEWEST_FIRST):
            is_absent = not present.has(key, identity)
            packages[segment] += 1
            absent[segment] += is_absent
            if of_series != series and is_absent:
                newest.add(segment)
            series = of_series
        return [
            each
            for number, each in enumerate(self.segments)
            if number in newest or _MOST_ABSENT * absent[number] > packages[number]
        ]

    def _add(self, segment: PackagesSegment) -> None:
        number = len(self.segments)
        self.segments.append(
            SegmentSize(segment.name, segment.texts, sum(size for _, size in segment.documents))
        )
        own = {digest for digest, _ in segment.documents}
        self._table.executemany(
            "INSERT OR IGNORE INTO documents VALUES (?)", ((bytes.fromhex(digest),) for digest in own)
        )
        for package in segment.packages:
            is_whole = all(digest in own or self.has_document(digest) for _, digest in package.items)
            self._table.execute(
                "INSERT OR IGNORE INTO packages VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    package.key,
                    package.identity,
                    number,
                    f"{package.canvas_id} {package.export_type}",
                    package.is_selection,
                    package.created_at.timestamp(),
                    is_whole,
                ),
            )
            if not is_whole:  # a younger segment may hold the rest
                digests = b"".join(bytes.fromhex(digest) for _, digest in package.items)
                self._table.execute("INSERT INTO waiting VALUES (?, ?, ?)", (package.key, number, digests))


class PresentPackages:
    """The packages that the catalog lists, by key and bytes, in a temporary table. Close it."""

    def __init__(self) -> None:
        self._table = temporary_table(
            "CREATE TABLE packages (key TEXT PRIMARY KEY, identity TEXT) WITHOUT ROWID"
        )

    def close(self) -> None:
        """Delete the table."""
        self._table.close()

    def add(self, key: str, identity: str) -> None:
        """Note a package."""
        self._table.execute("INSERT OR REPLACE INTO packages VALUES (?, ?)", (key, identity))

    def has(self, key: str, identity: str) -> bool:
        """Return whether a package was noted."""
        found = self._table.execute("SELECT identity FROM packages WHERE key = ?", (key,)).fetchone()
        return found is not None and found[0] == identity


def temporary_table(tables: str) -> sqlite3.Connection:
    """Return an empty database, in memory as far as it fits into its cache and else in a temporary file."""
    table = sqlite3.connect("", check_same_thread=False, isolation_level=None)
    table.execute(f"PRAGMA cache_size = -{_CACHE}")
    table.execute("PRAGMA journal_mode = OFF")
    table.execute("PRAGMA synchronous = OFF")
    table.executescript(tables)
    table.execute("BEGIN")  # never ended: one transaction for each statement would take longer
    return table
