"""Reading copies from an archive: listings tell what there is, manifests are read several at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain, groupby
from typing import Protocol

from canvas_exports.core.archive.catalog.copies import Copy, newest_first, oldest_first
from canvas_exports.core.archive.layout import context_folder, context_of, manifest_key
from canvas_exports.core.archive.manifest import read_manifest
from canvas_exports.core.archive.records import RecordName, is_manifest_key, read_record_name
from canvas_exports.core.storage.object_keys import is_key
from canvas_exports.core.storage.store import ObjectInfo, Store
from canvas_exports.errors import ArchiveDeniedError, ObjectNotFoundError, UnreadableDocumentError

FOLDERS = ("courses/", "groups/", "users/")

READERS = 16  # manifests read at once
_AHEAD = 256  # and asked for before the first of them is wanted


@dataclass(frozen=True)
class UnreadableDocument:
    """A manifest that cannot be read. It is not a copy; the package it was written for may still be there.

    Attributes:
        key: of the manifest.
        reason: one sentence: why. Nothing of the document is quoted: it may be anybody's.
    """

    key: str
    reason: str


@dataclass(frozen=True)
class Holding:
    """What the archive holds of one context.

    Attributes:
        kind: ``course``, ``group`` or ``user``.
        id: Canvas's number.
        copies: oldest first.
        unreadable: its manifests that cannot be read.
        objects: the listing that all of this was told from.
    """

    kind: str
    id: int
    copies: tuple[Copy, ...]
    unreadable: tuple[UnreadableDocument, ...] = ()
    objects: tuple[ObjectInfo, ...] = field(default=(), repr=False, compare=False)

    @property
    def name(self) -> str:
        """The context as reports write it: ``course:101``."""
        return f"{self.kind}:{self.id}"


class Memory(Protocol):
    """What is remembered of manifests, so that they need not be read again. See ``index``."""

    def recall(self, info: ObjectInfo) -> Copy | None:
        """The copy of exactly this manifest, as it was learnt; ``None`` if it is not known."""

    def learn(self, info: ObjectInfo, copy: Copy) -> None:
        """Take in what a manifest said."""


def copies_of(store: Store, kind: str, canvas_id: int) -> Holding:
    """What the archive holds of one context: one listing of its folder, and each of its manifests read.

    Raises:
        ArchiveDeniedError: no right to list (permanent).
        ArchiveUnavailableError: the store failed, so the answer would not be whole (retryable).
    """
    listed = _Listed(kind, canvas_id, list(store.list(context_folder(kind, canvas_id))))
    with closing(_holdings(store, [listed], None)) as found:
        return next(found)


def every_context(store: Store, memory: Memory | None = None) -> Generator[Holding, None, None]:
    """What the archive holds of each context, in the order of its listing.

    One listing of each of the three folders (a request for each thousand objects), and each manifest read that the
    memory does not know. In memory are the objects of some contexts, never of all. Close the iterator (``closing``) if
    you leave it early.

    Raises:
        ArchiveDeniedError: no right to list (permanent).
        ArchiveUnavailableError: the store failed, so the answer would not be whole (retryable).
    """
    return _holdings(store, _contexts(store), memory)


@dataclass(frozen=True)
class _Listed:
    """The objects below the folder of one context."""

    kind: str
    id: int
    objects: list[ObjectInfo]


def _contexts(store: Store) -> Iterator[_Listed]:
    """One context after another; every store lists the objects of one folder together."""
    listed = chain.from_iterable(store.list(folder) for folder in FOLDERS)
    for context, objects in groupby(listed, key=lambda info: context_of(info.key)):
        if context is not None:
            yield _Listed(*context, list(objects))


def _holdings(
    store: Store, contexts: Iterable[_Listed], memory: Memory | None
) -> Generator[Holding, None, None]:
    waiting: deque[_Reading] = deque()
    asked = 0
    pool = ThreadPoolExecutor(READERS, thread_name_prefix="catalog")
    try:
        for listed in contexts:
            waiting.append(_Reading(store, listed, pool, memory))
            asked += waiting[-1].asked
            while waiting and (asked > _AHEAD or waiting[0].is_done):
                asked -= waiting[0].asked
                yield waiting.popleft().holding()
        while waiting:
            yield waiting.popleft().holding()
    finally:
        pool.shutdown(cancel_futures=True)


class _Reading:
    """One context whose manifests are being read."""

    def __init__(
        self, store: Store, listed: _Listed, pool: ThreadPoolExecutor, memory: Memory | None
    ) -> None:
        self._store, self._listed, self._memory = store, listed, memory
        self._sizes = {info.key: info.size for info in listed.objects}
        self._records: dict[str, list[RecordName]] = {}
        self._known: list[Copy] = []
        self._read: list[tuple[ObjectInfo, Future[Copy | UnreadableDocument | None]]] = []
        for info in listed.objects:
            if (record := read_record_name(info.key)) is not None:
                self._records.setdefault(record.manifest, []).append(record)
            elif is_manifest_key(info.key) and is_key(info.key):
                known = None if memory is None else memory.recall(info)
                if known is None:
                    self._read.append((info, pool.submit(self._manifest, info)))
                else:
                    self._known.append(known)

    @property
    def asked(self) -> int:
        """How many manifests."""
        return len(self._read)

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to wait for."""
        return all(read.done() for _, read in self._read)

    def holding(self) -> Holding:
        """Wait for the manifests."""
        copies, unreadable = list(self._known), []
        for info, read in self._read:
            found = read.result()
            if isinstance(found, UnreadableDocument):
                unreadable.append(found)
            elif found is not None:
                copies.append(found)
                if self._memory is not None:
                    self._memory.learn(info, found)
        told = oldest_first(self._joined(copy) for copy in copies)
        listed = self._listed
        return Holding(listed.kind, listed.id, tuple(told), tuple(unreadable), tuple(listed.objects))

    def _manifest(self, info: ObjectInfo) -> Copy | UnreadableDocument | None:
        key = info.key
        try:
            return Copy.of(key, read_manifest(self._store, key, size=info.size))
        except ObjectNotFoundError:
            return None  # deleted since it was listed
        except UnreadableDocumentError as error:
            return UnreadableDocument(key, error.why)
        except ArchiveDeniedError:
            return UnreadableDocument(key, "these credentials may not read it")

    def _joined(self, copy: Copy) -> Copy:
        """The copy with what the listing says of its package."""
        package = copy.package
        is_present = self._sizes.get(package.key) == package.size
        if not is_present:  # or it was stored since its place in the listing was passed
            info = self._store.stat(package.key)
            is_present = info is not None and info.size == package.size
        records = newest_first(self._records.get(manifest_key(package.key), ()))
        return copy if is_present and not records else replace(copy, is_present=is_present, records=records)
