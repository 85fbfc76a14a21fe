"""Read the copies in an archive: list its objects, and read the manifests several at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain, groupby, islice
from typing import Protocol

from canvas_exports.core.archive.catalog.copies import Copy, newest_first, oldest_first
from canvas_exports.core.archive.layout import CONTEXT_FOLDERS, context_folder, context_of, manifest_key
from canvas_exports.core.archive.manifest import read_manifest
from canvas_exports.core.archive.records import RecordName, is_manifest_key, read_record_name
from canvas_exports.core.storage.object_keys import is_key
from canvas_exports.core.storage.store import ObjectInfo, Store
from canvas_exports.errors import ArchiveDeniedError, ObjectNotFoundError, UnreadableDocumentError

READERS = 16  # manifests read at once
_AHEAD = 256  # manifests requested before the first of them is needed

#: Why a manifest is unreadable for which the credentials have no right.
NO_RIGHT = "no right to read it"


@dataclass(frozen=True)
class UnreadableDocument:
    """A manifest, or in a verification a package, that cannot be read. It does not count as a copy.

    Attributes:
        key: of the document.
        reason: one sentence. It quotes nothing of the document, which may contain anything.
    """

    key: str
    reason: str


@dataclass(frozen=True)
class Holding:
    """The copies of one context in an archive.

    Attributes:
        kind: ``course``, ``group`` or ``user``.
        id: Canvas's number.
        copies: oldest first.
        unreadable: its manifests that cannot be read.
        objects: the listing of its folder.
    """

    kind: str
    id: int
    copies: tuple[Copy, ...]
    unreadable: tuple[UnreadableDocument, ...] = ()
    objects: tuple[ObjectInfo, ...] = field(default=(), repr=False, compare=False)

    @property
    def name(self) -> str:
        """Return the context, such as ``course:101``."""
        return f"{self.kind}:{self.id}"


class ManifestCache(Protocol):
    """Copies by manifest, so that manifests need not be read again. See ``index``."""

    def get(self, info: ObjectInfo) -> Copy | None:
        """Return the copy that a manifest of this key, size and time describes; ``None`` if it is unknown."""

    def add(self, info: ObjectInfo, copy: Copy) -> None:
        """Add the copy that a manifest describes."""


def copies_of(store: Store, kind: str, canvas_id: int) -> Holding:
    """Return the copies of one context. Lists its folder and reads each of its manifests.

    Raises:
        ArchiveDeniedError: no right to list (permanent).
        ArchiveUnavailableError: the store failed, so the answer would be incomplete (retryable).
    """
    listed = _Listed(kind, canvas_id, list(store.list(context_folder(kind, canvas_id))))
    with closing(_holdings(store, [listed], None)) as found:
        return next(found)


def every_context(
    store: Store,
    cache: ManifestCache | None = None,
    *,
    skip: Callable[[str, int, Sequence[ObjectInfo]], bool] | None = None,
) -> Generator[Holding, None, None]:
    """Yield the copies of each context, in the order of the listing.

    Lists the three folders (a request for each thousand objects) and reads each manifest that the cache does not know. The
    objects of some contexts are in memory, never of all. Close the iterator (``closing``) if you leave it early.

    Args:
        store: the archive.
        cache: of manifests that need not be read.
        skip: gets kind, id and listed objects of each context; where it returns true, the context is not yielded, and none
            of its manifests is read.

    Raises:
        ArchiveDeniedError: no right to list (permanent).
        ArchiveUnavailableError: the store failed, so the answer would be incomplete (retryable).
    """
    listed = _contexts(store)
    if skip is not None:
        listed = (each for each in listed if not skip(each.kind, each.id, each.objects))
    return _holdings(store, listed, cache)


def copies_of_each(
    store: Store, contexts: Iterable[tuple[str, int]], cache: ManifestCache | None = None
) -> Generator[Holding, None, None]:
    """Yield the copies of some contexts, in their order; of one that the archive does not have, none.

    Lists the folder of each, several at a time, and reads each manifest that the cache does not know. Close the iterator
    (``closing``) if you leave it early.

    Args:
        store: the archive.
        contexts: kinds and ids.
        cache: of manifests that need not be read.

    Raises:
        ArchiveDeniedError: no right to list (permanent).
        ArchiveUnavailableError: the store failed, so the answer would be incomplete (retryable).
    """
    return _holdings(store, _listed_folders(store, contexts), cache)


def _listed_folders(store: Store, contexts: Iterable[tuple[str, int]]) -> Generator[_Listed, None, None]:
    def listed(context: tuple[str, int]) -> _Listed:
        kind, number = context
        return _Listed(kind, number, list(store.list(context_folder(kind, number))))

    remaining = iter(contexts)
    with ThreadPoolExecutor(READERS, thread_name_prefix="folders") as pool:
        while some := list(islice(remaining, READERS)):
            yield from pool.map(listed, some)


@dataclass(frozen=True)
class _Listed:
    """The objects below the folder of one context."""

    kind: str
    id: int
    objects: list[ObjectInfo]


def _contexts(store: Store) -> Iterator[_Listed]:
    """Yield the objects of each context; every store lists the objects of one folder together."""
    listed = chain.from_iterable(store.list(folder) for folder in CONTEXT_FOLDERS)
    for context, objects in groupby(listed, key=lambda info: context_of(info.key)):
        if context is not None:
            yield _Listed(*context, list(objects))


def _holdings(
    store: Store, contexts: Iterable[_Listed], cache: ManifestCache | None
) -> Generator[Holding, None, None]:
    waiting: deque[_PendingContext] = deque()
    pending = 0
    pool = ThreadPoolExecutor(READERS, thread_name_prefix="catalog")
    try:
        for listed in contexts:
            waiting.append(_PendingContext(store, listed, pool, cache))
            pending += waiting[-1].pending
            while waiting and (pending > _AHEAD or waiting[0].is_done):
                pending -= waiting[0].pending
                yield waiting.popleft().holding()
        while waiting:
            yield waiting.popleft().holding()
    finally:
        pool.shutdown(cancel_futures=True)


class _PendingContext:
    """One context whose manifests are being read."""

    def __init__(
        self, store: Store, listed: _Listed, pool: ThreadPoolExecutor, cache: ManifestCache | None
    ) -> None:
        self._store, self._listed, self._cache = store, listed, cache
        self._sizes = {info.key: info.size for info in listed.objects}
        self._records: dict[str, list[RecordName]] = {}
        self._known: list[Copy] = []
        self._read: list[tuple[ObjectInfo, Future[Copy | UnreadableDocument | None]]] = []
        for info in listed.objects:
            if (record := read_record_name(info.key)) is not None:
                self._records.setdefault(record.manifest, []).append(record)
            elif is_manifest_key(info.key) and is_key(info.key):
                known = None if cache is None else cache.get(info)
                if known is None:
                    self._read.append((info, pool.submit(self._manifest, info)))
                else:
                    self._known.append(known)

    @property
    def pending(self) -> int:
        """Return the number of manifests to read."""
        return len(self._read)

    @property
    def is_done(self) -> bool:
        """Return whether all manifests are read."""
        return all(read.done() for _, read in self._read)

    def holding(self) -> Holding:
        """Wait for the manifests and return the copies."""
        copies, unreadable = list(self._known), []
        for info, read in self._read:
            found = read.result()
            if isinstance(found, UnreadableDocument):
                unreadable.append(found)
            elif found is not None:
                copies.append(found)
                if self._cache is not None:
                    self._cache.add(info, found)
        ordered = oldest_first(self._with_package_state(copy) for copy in copies)
        listed = self._listed
        return Holding(listed.kind, listed.id, tuple(ordered), tuple(unreadable), tuple(listed.objects))

    def _manifest(self, info: ObjectInfo) -> Copy | UnreadableDocument | None:
        key = info.key
        try:
            return Copy.of(key, read_manifest(self._store, key, size=info.size))
        except ObjectNotFoundError:
            return None  # deleted since it was listed
        except UnreadableDocumentError as error:
            return UnreadableDocument(key, error.why)
        except ArchiveDeniedError:
            return UnreadableDocument(key, NO_RIGHT)

    def _with_package_state(self, copy: Copy) -> Copy:
        """Return the copy with what the listing shows of its package and its records."""
        package = copy.package
        is_present = self._sizes.get(package.key) == package.size
        if not is_present:  # or it was stored after the listing had passed its key
            info = self._store.stat(package.key)
            is_present = info is not None and info.size == package.size
        records = newest_first(self._records.get(manifest_key(package.key), ()))
        return copy if is_present and not records else replace(copy, is_present=is_present, records=records)
