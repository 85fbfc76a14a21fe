"""The index: what manifests say, stored in the archive so that they need not be read again.

The index is a cache. Which copies exist is known from the listing alone. An index row replaces the reading of a manifest
only if the listing shows the manifest with the same key, size and time of change. Every reader of the archive adds what it
read in segments of its own, without locks: two readers may write the same rows twice, and a reader that finds too many
segments rewrites them. Rows that are lost or damaged are written again by a later reader.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, timezone
from itertools import islice

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.index_segments import (
    ROWS,
    Row,
    encode_segment,
    list_segments,
    microseconds,
    parse_row,
    read_segment,
    row_of,
    segment_key,
)
from canvas_exports.core.archive.catalog.read import Holding, every_context
from canvas_exports.core.storage.store import ObjectInfo, Store
from canvas_exports.errors import ArchiveError

log = logging.getLogger(__name__)

#: A younger manifest gets no row: in a store with times in whole seconds, a changed manifest could look the same.
YOUNG = timedelta(minutes=10)

_READERS = 4
#: Segments more than needed, before they are rewritten.
SPARE = 8
_CACHE = 8192  # KiB of memory; the rest of the table is on disk

_TABLE = """
CREATE TABLE rows (
    key TEXT, size INTEGER, modified INTEGER, text BLOB, used INTEGER DEFAULT 0, PRIMARY KEY (key, size, modified)
) WITHOUT ROWID
"""
_INSERT = "INSERT OR REPLACE INTO rows (key, size, modified, text) VALUES (?, ?, ?, ?)"
_FIND = "SELECT text FROM rows WHERE key = ? AND size = ? AND modified = ?"
_MARK = "UPDATE rows SET used = 1 WHERE key = ? AND size = ? AND modified = ?"


def read_with_index(
    store: Store, *, now: datetime | None = None, segment_rows: int = ROWS, spare_segments: int = SPARE
) -> Generator[Holding, None, None]:
    """Yield the copies of each context, as ``read.every_context`` does, with the help of the index.

    It takes a listing of the archive, a request for each index segment (2,000 manifests), and one for each manifest that
    is not in the index. Memory is bounded; a temporary file holds the index, some 1.2 KB for each manifest. Manifests that
    were read are added to the index, unless the credentials may not write. Close the iterator (``closing``) if you leave it
    early: then segments are not rewritten.

    Args:
        store: the archive.
        now: the time; the clock's, if it is not given.
        segment_rows: rows of a full segment.
        spare_segments: segments more than needed, before they are rewritten.

    Raises:
        ArchiveDeniedError: no right to list (permanent).
        ArchiveUnavailableError: the store failed, so the answer would be incomplete (retryable).
    """
    now = now or datetime.now(timezone.utc)
    with closing(Index(store, now=now, segment_rows=segment_rows, spare_segments=spare_segments)) as index:
        index.load()
        with closing(every_context(store, index)) as holdings:
            yield from holdings
        index.save()


class Index:
    """The index of one archive, while one thread reads the archive.

    Args:
        store: the archive.
        now: when the reading begins.
        segment_rows: rows of a full segment.
        spare_segments: segments more than needed, before they are rewritten.
    """

    def __init__(
        self, store: Store, *, now: datetime, segment_rows: int = ROWS, spare_segments: int = SPARE
    ) -> None:
        self._store = store
        self._now = now
        self._segment_rows = segment_rows
        self._spare_segments = spare_segments
        self._oldest_young = microseconds(now - YOUNG)
        # In memory as far as it fits into the cache; the rest in a temporary file.
        self._table = sqlite3.connect("", check_same_thread=False)
        self._table.execute(f"PRAGMA cache_size = -{_CACHE}")
        self._table.execute("PRAGMA journal_mode = OFF")
        self._table.execute(_TABLE)
        self._segments: list[str] = []
        self._abandoned: list[str] = []
        self._loaded = 0
        self._used = 0
        self._new: list[Row] = []
        self._saves = True
        self._works = True

    def load(self) -> None:
        """Read the segments; one that is deleted or invalid is ignored."""
        self._segments, self._abandoned = list_segments(self._store, now=self._now)
        with ThreadPoolExecutor(_READERS, thread_name_prefix="index") as pool:
            for start in range(0, len(self._segments), _READERS):
                keys = self._segments[start : start + _READERS]
                for rows in pool.map(lambda key: read_segment(self._store, key), keys):
                    self._loaded += len(rows)
                    self._insert(rows)

    def get(self, info: ObjectInfo) -> Copy | None:
        """Return the copy that a manifest of this key, size and time describes; ``None`` if it is not in the index."""
        manifest = (info.key, info.size, microseconds(info.modified))
        copy = None
        with self._tolerating_table_errors():
            found = self._table.execute(_FIND, manifest).fetchone()
            copy = parse_row(found[0]) if found else None
            if copy is not None:
                self._table.execute(_MARK, manifest)
                self._used += 1
        return copy

    def add(self, info: ObjectInfo, copy: Copy) -> None:
        """Add the copy that a manifest describes, unless the manifest is young."""
        if self._works and microseconds(info.modified) < self._oldest_young:
            self._new.append(row_of(info, copy))
            if len(self._new) >= self._segment_rows:
                self._flush()

    def save(self) -> None:
        """Write new rows, and rewrite the segments if there are too many for the rows in use.

        To be called after the whole archive was read.
        """
        if not self._works:
            return  # which rows are new, and which were used, is unknown
        self._flush()
        needed = -(-self._used // self._segment_rows)
        if (
            len(self._segments) > 2 * needed + self._spare_segments
            or self._loaded > 2 * self._used + self._segment_rows
        ):
            self._remove(set(self._segments) - self._rewrite())
        self._remove(self._abandoned)

    def save_new(self) -> None:
        """Write the new rows alone, after a part of the archive was read. A later ``save`` brings the segments together."""
        if self._works:
            self._flush()

    def close(self) -> None:
        """Delete the temporary table."""
        self._table.close()

    def _insert(self, rows: Iterable[Row]) -> None:
        with self._tolerating_table_errors():
            self._table.executemany(_INSERT, ((row.key, row.size, row.modified, row.text) for row in rows))

    @contextmanager
    def _tolerating_table_errors(self) -> Iterator[None]:
        """Go on without the index if the table fails; the manifests are read instead."""
        try:
            yield
        except sqlite3.Error as error:  # such as a full disk
            if self._works:
                log.warning("the archive is read without its index: %s", error)
            self._works = False

    def _flush(self) -> None:
        if self._new:
            self._write(self._new)
            self._new = []

    def _rewrite(self) -> set[str]:
        """Write the rows that were used into as few segments as possible; return their keys."""
        used = self._table.execute("SELECT key, size, modified, text FROM rows WHERE used ORDER BY key")
        remaining = (Row(*each) for each in used)
        written = set()
        while rows := list(islice(remaining, self._segment_rows)):
            written.add(self._write(rows))
        return written

    def _remove(self, keys: Iterable[str]) -> None:
        try:
            for key in keys:
                if self._saves:
                    self._store.delete(key)
        except ArchiveError as error:  # such as a lock; old segments do no harm
            log.info("old index segments are kept: %s", error)

    def _write(self, rows: list[Row]) -> str:
        data = encode_segment(rows)
        key = segment_key(data)
        if self._saves:
            try:
                self._store.put_if_absent(key, data)
            except ArchiveError as error:
                self._saves = False
                log.info("the index is not saved: %s", error)
        return key
