"""Add the text of stored packages to the search index, the newest copies first, within a budget."""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from functools import partial

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.future_dates import without_future_dates
from canvas_exports.core.archive.catalog.index import read_with_index
from canvas_exports.core.archive.catalog.presence import require_copies
from canvas_exports.core.archive.catalog.read import Holding
from canvas_exports.core.archive.package_content import open_package
from canvas_exports.core.archive.search.compact_index import merge_segments, segments_to_merge
from canvas_exports.core.archive.search.documents import package_documents
from canvas_exports.core.archive.search.index_rows import IndexedPackage, document_digest
from canvas_exports.core.archive.search.index_segments import LONGEST_LINE, SegmentWriting
from canvas_exports.core.archive.search.known_packages import KnownPackages, PresentPackages
from canvas_exports.core.packages.content.model import CourseContent
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveDeniedError, ArchiveError, ObjectNotFoundError, PackageError
from canvas_exports.foreign_text import harmless

log = logging.getLogger(__name__)

OpenPackage = Callable[[Store, Copy], CourseContent]

#: Packages of one run; it bounds the memory for their order.
MOST = 50_000

_READERS = 4  # packages read at once
_FLUSH_AFTER = 300.0  # seconds; what is not written is read again after a kill
_LONGEST_PACKAGE = 600.0  # seconds
_MOST_DENIED = 3  # packages, from the first one on, before the run fails
_TOO_LONG = "not all of it is indexed: it took too long, or has too many items"


@dataclass
class SearchIndexUpdate:
    """The result of a run.

    Attributes:
        added: packages whose documents are in the index now.
        documents: documents that no earlier package had.
        problems: packages that cannot be read, or not wholly, with the reason; they are not tried again.
        denied: packages that the store denies, or that vanished.
        left: packages for the next run.
        segments: segments that were written.
        merged: segments that were merged into fewer.
        known: packages that the index held before.
    """

    added: int = 0
    documents: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)
    denied: int = 0
    left: int = 0
    segments: int = 0
    merged: int = 0
    known: int = 0


def update_search_index(
    store: Store,
    *,
    max_time: timedelta | None = None,
    max_packages: int = MOST,
    allow_empty: bool = False,
    stop: threading.Event | None = None,
    report: Callable[[int, int], object] = lambda *_: None,
    open_content: OpenPackage = open_package,
    now: datetime | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> SearchIndexUpdate:
    """Add the packages of courses that the search index does not hold yet: the newest copy of each course first.

    Reads the catalog, the packages of the index's segments, and of each new package its documents; no files of a course. Each
    segment is whole when it is visible: if the run ends early, by its budget, a kill or a failing store, the next one goes on.
    Segments are merged when there are many small
    ones, and rewritten when packages of theirs are deleted. Changes no package.

    Args:
        store: the archive.
        max_time: no package is started after this time; ``None`` for no limit.
        max_packages: no more packages are read.
        allow_empty: accept an archive without copies.
        stop: when set, the run ends after the packages that were started.
        report: called after each package with the number of those that are done, and of all.
        open_content: opens a package.
        now: the time.
        clock: returns seconds.

    Raises:
        NoArchiveError: the archive holds no copy (permanent).
        ArchiveDeniedError: no right to list, to write, or to read any package (permanent).
        ArchiveUnavailableError: the store failed (retryable); what was written stays.
    """
    now = now or datetime.now(timezone.utc)
    began, stop, update = clock(), stop or threading.Event(), SearchIndexUpdate()

    def is_spent() -> bool:
        return stop.is_set() or (max_time is not None and clock() - began >= max_time.total_seconds())

    with closing(KnownPackages(store, now=now)) as known, closing(PresentPackages()) as present:
        update.known = known.count()
        with closing(require_copies(store, read_with_index(store), allow_empty=allow_empty)) as holdings:
            courses = (without_future_dates(each, now=now) for each in holdings if each.kind == "course")
            missing = _Counted(_missing(courses, known, present))
            chosen = heapq.nsmallest(min(max_packages, MOST), missing, key=_urgency)
        update.left = missing.number
        adding = _Adding(store, known, update, clock)
        with closing(_read_in_order(store, chosen, partial(_read, open_content, clock), is_spent)) as reading:
            for number, (copy, read) in enumerate(reading, start=1):
                adding.add(copy, read)
                report(number, len(chosen))
        adding.finish()
        if update.denied >= _MOST_DENIED and not update.added:
            raise ArchiveDeniedError("no package may be read")
        to_merge = segments_to_merge(known, present)
        if to_merge and not is_spent():
            update.merged = len(to_merge)
            merge_segments(store, to_merge, present, now=now)
    return update


class _Counted:
    """Counts what passes."""

    def __init__(self, source: Iterator[tuple[bool, Copy]]) -> None:
        self.number = 0
        self._source = source

    def __iter__(self) -> Iterator[tuple[bool, Copy]]:
        for each in self._source:
            self.number += 1
            yield each


def _missing(
    courses: Iterator[Holding], known: KnownPackages, present: PresentPackages
) -> Iterator[tuple[bool, Copy]]:
    """Yield the packages that are not indexed, and whether each is the newest of its course; note those that are there."""
    for holding in courses:
        first: dict[str, Copy] = {}
        for copy in holding.copies:  # oldest first: the package was built for the first copy that names it
            if copy.is_present:
                first.setdefault(copy.package.key, copy)
        newest = {copy.export.type: key for key, copy in first.items()}
        for key, copy in first.items():
            present.add(key, copy.package.identity)
            if not known.has_package(key, copy.package.identity):
                yield newest[copy.export.type] == key, copy


def _urgency(each: tuple[bool, Copy]) -> tuple[bool, float, str]:
    is_newest, copy = each
    return not is_newest, -copy.created_at.timestamp(), copy.key


@dataclass(frozen=True)
class _Read:
    """What was read of a package: identifier, digest and row of each document; or why it was not."""

    rows: tuple[tuple[str, str, bytes], ...] = ()
    problem: str = ""
    is_denied: bool = False


def _read(open_content: OpenPackage, clock: Callable[[], float], store: Store, copy: Copy) -> _Read:
    began = clock()
    is_late = False

    def late() -> bool:
        nonlocal is_late
        is_late = clock() - began >= _LONGEST_PACKAGE
        return is_late

    rows = []
    try:
        documents = package_documents(open_content(store, copy), is_late=late)
        for found in documents:
            row = found.document.to_json()
            rows.append((found.identifier, document_digest(row), row))
    except (ObjectNotFoundError, ArchiveDeniedError):
        return _Read(is_denied=True)
    except ArchiveError:
        raise
    except PackageError as error:
        return _Read(problem=error.message)
    except Exception as error:  # noqa: BLE001 - a package that the reader cannot take costs itself only
        return _Read(problem=f"its reading ended in {type(error).__name__}")
    return _Read(tuple(rows), problem=_TOO_LONG if is_late else "")


def _read_in_order(
    store: Store,
    chosen: list[tuple[bool, Copy]],
    read: Callable[[Store, Copy], _Read],
    is_spent: Callable[[], bool],
) -> Generator[tuple[Copy, _Read], None, None]:
    """Yield what is read of each package; a few are read at once, and few more are kept."""
    waiting: deque[tuple[Copy, Future[_Read]]] = deque()
    pool = ThreadPoolExecutor(_READERS, thread_name_prefix="search-index")
    try:
        for _, copy in chosen:
            if is_spent():
                break
            waiting.append((copy, pool.submit(read, store, copy)))
            while len(waiting) > _READERS:
                done = waiting.popleft()
                yield done[0], done[1].result()
        while waiting:
            done = waiting.popleft()
            yield done[0], done[1].result()
    finally:
        pool.shutdown(cancel_futures=True)


class _Adding:
    """Adds packages to segments, and each new document once."""

    def __init__(
        self, store: Store, known: KnownPackages, update: SearchIndexUpdate, clock: Callable[[], float]
    ) -> None:
        self._known, self._update, self._clock = known, update, clock
        self._writing = SegmentWriting(store)
        self._flushed_at = clock()

    def add(self, copy: Copy, read: _Read) -> None:
        """Add one package; one that was denied or is gone is tried again by the next run."""
        if read.is_denied:
            self._update.denied += 1
            return
        for _, digest, row in read.rows:
            if not self._known.has_document(digest):
                self._known.add_document(digest)
                self._writing.add_document(digest, row)
                self._update.documents += 1
        self._writing.add_package(_package(copy, read))
        self._update.added += 1
        self._update.left -= 1
        if read.problem:
            self._update.problems.append((copy.package.key, read.problem))
        if self._clock() - self._flushed_at >= _FLUSH_AFTER:
            self.finish()

    def finish(self) -> None:
        """Write what is not written yet."""
        self._writing.flush()
        self._flushed_at = self._clock()
        self._update.segments = len(self._writing.written)


def _package(copy: Copy, read: _Read) -> IndexedPackage:
    facts = copy.context
    package = IndexedPackage(
        key=copy.package.key,
        size=copy.package.size,
        identity=copy.package.identity,
        manifest=copy.key,
        canvas_id=facts.id,
        export_type=copy.export.type,
        created_at=copy.export.created_at,
        name=facts.name,
        course_code=facts.course_code,
        sis_id=facts.sis_id,
        term=facts.term,
        is_selection=copy.is_selection,
        problem=harmless(read.problem),
        items=tuple((identifier, digest) for identifier, digest, _ in read.rows),
    )
    while len(package.to_json()) >= LONGEST_LINE:  # names of files as long as they can be
        package = replace(package, items=package.items[: len(package.items) // 2], problem=_TOO_LONG)
    return package
