"""The index: what manifests said, kept in the archive so that they need not be read again.

It is a cache and nothing else. Which copies there are is told by the listing alone; the index only saves reading a
manifest that the listing shows, and only if size and time of change are those that were noted with it. Whoever reads the
archive adds what he learnt, in segments of his own, and nobody waits for anybody: two that learn the same write it twice,
and whoever finds too many segments writes them anew. What is lost or damaged is learnt again.
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
    copy_of,
    listed,
    microseconds,
    name_of,
    pack,
    row_of,
    rows_of,
)
from canvas_exports.core.archive.catalog.read import Holding, every_context
from canvas_exports.core.storage.store import ObjectInfo, Store
from canvas_exports.errors import ArchiveError

log = logging.getLogger(__name__)

#: A manifest younger than this is not noted: a store that tells time in seconds could not tell it from a second one.
YOUNG = timedelta(minutes=10)

_READERS = 4
_SPARE = 8  # segments more than needed, before they are written anew
_CACHE = 8192  # KiB of memory; the rest of the table is on the disk

_TABLE = """
CREATE TABLE rows (
    key TEXT, size INTEGER, modified INTEGER, text BLOB, used INTEGER DEFAULT 0, PRIMARY KEY (key, size, modified)
) WITHOUT ROWID
"""
_ENTER = "INSERT OR REPLACE INTO rows (key, size, modified, text) VALUES (?, ?, ?, ?)"
_LOOK = "SELECT text FROM rows WHERE key = ? AND size = ? AND modified = ?"
_MARK = "UPDATE rows SET used = 1 WHERE key = ? AND size = ? AND modified = ?"


def read_with_index(store: Store, *, now: datetime | None = None) -> Generator[Holding, None, None]:
    """What the archive holds of each context, as ``reading.every_context`` tells it, with the help of the index.

    Takes a listing of the archive, a request for each segment (2,000 manifests), and one for each manifest that is not
    noted yet. Memory is bounded; a temporary file holds the index meanwhile, some 1.2 KB for each manifest. What was
    learnt is noted in the archive; where that is not allowed, it is not. Close the iterator (``closing``) if you leave it
    early: then nothing is written anew.

    Raises:
        ArchiveDeniedError: no right to list (permanent).
        ArchiveUnavailableError: the store failed, so the answer would not be whole (retryable).
    """
    with closing(Index(store, now=now or datetime.now(timezone.utc))) as index:
        index.load()
        with closing(every_context(store, index)) as holdings:
            yield from holdings
        index.settle()


class Index:
    """The index of one archive, during one reading of it by one thread.

    Args:
        store: the archive.
        now: when the reading begins.
    """

    def __init__(self, store: Store, *, now: datetime) -> None:
        self._store = store
        self._now = now
        self._oldest_young = microseconds(now - YOUNG)
        # In memory as far as it fits into the cache, else in a temporary file.
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
        """Read the segments. One that is gone, or is none, is passed over."""
        self._segments, self._abandoned = listed(self._store, now=self._now)
        with ThreadPoolExecutor(_READERS, thread_name_prefix="index") as pool:
            for start in range(0, len(self._segments), _READERS):
                some = self._segments[start : start + _READERS]
                for rows in pool.map(lambda key: rows_of(self._store, key), some):
                    self._loaded += len(rows)
                    self._enter(rows)

    def recall(self, info: ObjectInfo) -> Copy | None:
        """The copy of exactly this manifest; ``None`` if it is not noted."""
        place = (info.key, info.size, microseconds(info.modified))
        copy = None
        with self._table_may_fail():
            found = self._table.execute(_LOOK, place).fetchone()
            copy = copy_of(found[0]) if found else None
            if copy is not None:
                self._table.execute(_MARK, place)
                self._used += 1
        return copy

    def learn(self, info: ObjectInfo, copy: Copy) -> None:
        """Note what a manifest said, unless it is young."""
        if self._works and microseconds(info.modified) < self._oldest_young:
            self._new.append(row_of(info, copy))
            if len(self._new) >= ROWS:
                self._flush()

    def settle(self) -> None:
        """After the whole archive was read: save what is new, and write the segments anew if too many are about little."""
        if not self._works:
            return  # what is new, and what was of use, is not known
        self._flush()
        needed = -(-self._used // ROWS)
        if len(self._segments) > 2 * needed + _SPARE or self._loaded > 2 * self._used + ROWS:
            self._remove(set(self._segments) - self._rewrite())
        self._remove(self._abandoned)

    def close(self) -> None:
        """Forget everything that is not in the archive."""
        self._table.close()

    def _enter(self, rows: Iterable[Row]) -> None:
        with self._table_may_fail():
            self._table.executemany(_ENTER, ((row.key, row.size, row.modified, row.text) for row in rows))

    @contextmanager
    def _table_may_fail(self) -> Iterator[None]:
        """Go on without the rows that the table cannot take or tell: their manifests are read."""
        try:
            yield
        except sqlite3.Error as error:  # no room for its temporary file
            if self._works:
                log.warning("the index is of no use here: %s", error)
            self._works = False

    def _flush(self) -> None:
        if self._new:
            self._save(self._new)
            self._new = []

    def _rewrite(self) -> set[str]:
        """Write everything that was of use into as few segments as it takes; returns their keys."""
        useful = self._table.execute("SELECT key, size, modified, text FROM rows WHERE used ORDER BY key")
        rows = (Row(*each) for each in useful)
        written = set()
        while some := list(islice(rows, ROWS)):
            written.add(self._save(some))
        return written

    def _remove(self, keys: Iterable[str]) -> None:
        try:
            for key in keys:
                if self._saves:
                    self._store.delete(key)
        except ArchiveError as error:  # a lock, perhaps; they do no harm
            log.info("old segments of the index stay: %s", error)

    def _save(self, rows: list[Row]) -> str:
        data = pack(rows)
        key = name_of(data)
        if self._saves:
            try:
                self._store.put_if_absent(key, data)
            except ArchiveError as error:
                self._saves = False
                log.info("the index is not saved: %s", error)
        return key
