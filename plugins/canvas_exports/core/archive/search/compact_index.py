"""Merge segments of the search index: many small ones into few, without what no copy in the archive needs any more."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime

from canvas_exports.core.archive.search.index_rows import IndexedPackage
from canvas_exports.core.archive.search.index_segments import (
    FULL_TEXT,
    UNFINISHED,
    SegmentWriting,
    list_segments,
    read_packages,
    read_texts,
)
from canvas_exports.core.archive.search.known_packages import (
    KnownPackages,
    PresentPackages,
    SegmentSize,
    temporary_table,
)
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveDeniedError

log = logging.getLogger(__name__)

#: Segments with less than half of the text of a full one, before they are merged.
MOST_SMALL = 12
_USED = """
CREATE TABLE documents (digest BLOB PRIMARY KEY, is_written INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE packages (key TEXT PRIMARY KEY) WITHOUT ROWID;
"""


def segments_to_merge(known: KnownPackages, present: PresentPackages) -> list[SegmentSize]:
    """Return the segments that should be rewritten: those with deleted packages, and small ones if there are many."""
    outdated = known.outdated_segments(present)
    small = [each for each in known.segments if each.size < FULL_TEXT // 2]
    merged = small if len(small) > MOST_SMALL else []
    return [each for each in known.segments if each in outdated or each in merged]


def merge_segments(
    store: Store, merged: list[SegmentSize], present: PresentPackages, *, now: datetime
) -> int:
    """Write the packages that the archive still has, and the documents that they need, into new segments; then delete the old.

    New segments are whole before an old one is deleted: a kill leaves rows twice, which does no harm. Memory is bounded.

    Args:
        store: the archive.
        merged: see ``segments_to_merge``.
        present: every package that the archive has.
        now: the time.

    Returns:
        The number of new segments.

    Raises:
        ArchiveDeniedError: no right to read or write (permanent). Without the right to delete, old segments are kept.
        ArchiveUnavailableError: the store failed (retryable); nothing that is needed was deleted.
    """
    with closing(temporary_table(_USED)) as used:
        for key in list_segments(store, now=now).packages:
            for package in _present_packages(store, key, present):
                used.executemany(
                    "INSERT OR IGNORE INTO documents (digest) VALUES (?)",
                    ((bytes.fromhex(digest),) for _, digest in package.items),
                )

        def is_first(digest: str) -> bool:
            changed = used.execute(
                "UPDATE documents SET is_written = 1 WHERE digest = ? AND NOT is_written",
                (bytes.fromhex(digest),),
            )
            return changed.rowcount == 1

        writing = SegmentWriting(store)
        for segment in merged:
            for digest, row in read_texts(store, segment.texts):
                if is_first(digest):
                    writing.add_document(digest, row)
        for segment in merged:
            for package in _present_packages(store, segment.packages, present):
                if used.execute("INSERT OR IGNORE INTO packages VALUES (?)", (package.key,)).rowcount == 1:
                    writing.add_package(package)
        writing.flush()
    kept = {each for pair in writing.written for each in pair}
    _delete(store, [each.packages for each in merged if each.packages not in kept])
    _delete(store, [each.texts for each in merged if each.texts not in kept])
    remove_abandoned(store, now=now)
    return len(writing.written)


def remove_abandoned(store: Store, *, now: datetime) -> None:
    """Delete texts that no packages name, of killed writers, and segments of formats that nobody uses any more."""
    listed = list_segments(store, now=now)
    named = {segment.texts for key in listed.packages if (segment := read_packages(store, key)) is not None}
    unnamed = [
        key for key, changed in listed.texts.items() if key not in named and changed < now - UNFINISHED
    ]
    _delete(store, [*unnamed, *listed.abandoned])


def _present_packages(store: Store, key: str, present: PresentPackages) -> Iterator[IndexedPackage]:
    segment = read_packages(store, key)
    return (each for each in (segment.packages if segment else ()) if present.has(each.key, each.identity))


def _delete(store: Store, keys: Iterable[str]) -> None:
    try:
        for key in keys:
            store.delete(key)
    except ArchiveDeniedError as error:  # such as a lock; old segments do no harm
        log.info("old segments of the search index are kept: %s", error)
