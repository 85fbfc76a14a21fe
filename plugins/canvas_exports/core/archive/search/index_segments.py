"""Segments of the search index: pairs of immutable objects below ``search/``, each named after the digest of its content.

*Texts* hold one document in each row; the digest of a row names the document. *Packages* name the texts that belong to them,
the documents in these, and for each package the documents that it holds, which may be in any segment. They are written last:
texts without packages are ignored. An object whose name is not its digest is ignored, and so is a row that nobody would write.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from canvas_exports.core.archive.json_documents import encoded, parse, read_bytes
from canvas_exports.core.archive.search.index_rows import (
    IndexedPackage,
    document_digest,
    read_digest,
    read_whole,
)
from canvas_exports.core.storage.buffers import MiB
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import (
    ArchiveDeniedError,
    ArchiveError,
    ObjectNotFoundError,
    UnreadableDocumentError,
)

FOLDER = "search/"
#: Changes with what documents hold and how rows are written. A version of this package with another has its own segments.
FORMAT = "1"
TEXTS, PACKAGES = ".texts.jsonl.gz", ".packages.jsonl.gz"

#: Text in a full segment, in bytes before compression; and its most documents and packages.
FULL_TEXT = 32 * MiB
FULL_DOCUMENTS = 60_000
FULL_PACKAGES = 2_000

#: After this time, nobody is still writing the packages of texts; and nobody uses segments of another format.
UNFINISHED = timedelta(days=2)
UNUSED = timedelta(days=90)

LARGEST = 64 * MiB  # of a stored object
_LARGEST_INFLATED = 256 * MiB
LONGEST_LINE = 4 * MiB
_MOST_ROWS = 100_000
_ATTEMPTS = 5  # to write an object whose name is taken by a damaged one
_GZIP = 31  # zlib's wbits for gzip
_PIECE = 256 * 1024
_NAME = re.compile(rf"{FOLDER}{FORMAT}-[0-9a-f]{{32}}(?:{re.escape(TEXTS)}|{re.escape(PACKAGES)})")
_ANY_NAME = re.compile(rf"{FOLDER}[0-9]{{1,4}}-[0-9a-f]{{32}}(?:{re.escape(TEXTS)}|{re.escape(PACKAGES)})")


@dataclass(frozen=True)
class PackagesSegment:
    """The packages of a segment.

    Attributes:
        name: key of the object.
        texts: key of the texts.
        documents: digest and bytes of each document in the texts.
        packages: of the segment.
    """

    name: str
    texts: str
    documents: tuple[tuple[str, int], ...]
    packages: tuple[IndexedPackage, ...]


class SegmentWriting:
    """Collects documents and packages, compressed, and writes a segment when one is full.

    Args:
        store: the archive.

    Attributes:
        written: keys of the packages and the texts of each segment that was written.
    """

    def __init__(self, store: Store) -> None:
        self.written: list[tuple[str, str]] = []
        self._store = store
        self._begin()

    def _begin(self) -> None:
        self._texts = _Packer()
        self._documents: dict[str, int] = {}
        self._packages: list[bytes] = []

    def add_document(self, digest: str, row: bytes) -> None:
        """Add a document by its row."""
        if digest not in self._documents:
            self._documents[digest] = len(row)
            self._texts.add(row)
            if self._texts.size >= FULL_TEXT or len(self._documents) >= FULL_DOCUMENTS:
                self.flush()

    def add_package(self, package: IndexedPackage) -> None:
        """Add a package, after its documents."""
        self._packages.append(package.to_json())
        if len(self._packages) >= FULL_PACKAGES:
            self.flush()

    def flush(self) -> None:
        """Write what was added: the texts, then the packages. A kill between the two leaves no segment.

        Raises:
            ArchiveDeniedError: no right to write (permanent).
            ArchiveUnavailableError: the store failed (retryable).
        """
        if not self._documents and not self._packages:
            return
        texts = self._put(self._texts, TEXTS)
        names = _Packer()
        head = {"texts": texts, "documents": list(self._documents.items())}
        for line in (encoded(head), *self._packages):
            names.add(line)
        self.written.append((self._put(names, PACKAGES), texts))
        self._begin()

    def _put(self, packer: _Packer, suffix: str) -> str:
        for _ in range(_ATTEMPTS):
            data = packer.content()
            key = _key(data, suffix)
            if self._store.put_if_absent(key, data) or _is_stored(self._store, key, data):
                return key
            packer.add(b"")  # a damaged object has this name: an empty row makes another
        raise ArchiveDeniedError(
            "damaged objects have the names of new segments of the search index: delete the objects below search/"
        )


@dataclass(frozen=True)
class ListedSegments:
    """The objects of the search index in a listing.

    Attributes:
        packages: keys, the oldest first.
        texts: keys, with the time of their last change.
        abandoned: keys of other formats that are older than ``UNUSED``.
    """

    packages: tuple[str, ...]
    texts: Mapping[str, datetime]
    abandoned: tuple[str, ...]


def list_segments(store: Store, *, now: datetime) -> ListedSegments:
    """List the segments; an object that is too large for one is left out.

    Raises:
        ArchiveDeniedError: no right to list (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    listed = [info for info in store.list(FOLDER) if _ANY_NAME.fullmatch(info.key) and info.size <= LARGEST]
    listed.sort(key=lambda info: (info.modified, info.key))
    ours = [info.key for info in listed if _NAME.fullmatch(info.key)]
    return ListedSegments(
        tuple(key for key in ours if key.endswith(PACKAGES)),
        {
            info.key: info.modified
            for info in listed
            if info.key.endswith(TEXTS) and _NAME.fullmatch(info.key)
        },
        tuple(info.key for info in listed if not _NAME.fullmatch(info.key) and info.modified < now - UNUSED),
    )


def read_packages(store: Store, key: str) -> PackagesSegment | None:
    """Read the packages of a segment; ``None`` if they are absent or invalid. Rows that nobody would write are left out.

    Raises:
        ArchiveDeniedError: no right to read (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    lines = _lines(store, key, PACKAGES)
    try:
        head = parse(next(lines, b""), "segment of the search index")
        texts, documents = head["texts"], head["documents"]
        if not (_NAME.fullmatch(texts) and texts.endswith(TEXTS)) or len(documents) > _MOST_ROWS:
            return None
        known = tuple((read_digest(digest), read_whole(size)) for digest, size in documents)
    except (ArchiveError, KeyError, TypeError, ValueError):
        return None
    rows = (IndexedPackage.from_json(line) for line in lines)
    return PackagesSegment(key, texts, known, tuple(row for row in rows if row is not None))


def read_texts(store: Store, key: str) -> Iterator[tuple[str, bytes]]:
    """Yield the documents of a segment: digest and row. Nothing if it is absent or invalid; rows are not parsed.

    Raises:
        ArchiveDeniedError: no right to read (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    for line in _lines(store, key, TEXTS):
        yield document_digest(line), line


def _lines(store: Store, key: str, suffix: str) -> Iterator[bytes]:
    """Yield the lines of an object within the bounds, if its name is its digest."""
    try:
        data = read_bytes(store, key, LARGEST)
    except (ObjectNotFoundError, UnreadableDocumentError):
        return
    if _key(data, suffix) != key:
        return
    yield from islice(_unpacked_lines(data), _MOST_ROWS)


def _unpacked_lines(data: bytes) -> Iterator[bytes]:
    """Yield the lines of compressed data, as far as it is valid and within the bounds."""
    unpacker, rest, size, waiting = zlib.decompressobj(_GZIP), b"", 0, data
    try:
        while not unpacker.eof and size <= _LARGEST_INFLATED:
            piece = unpacker.decompress(waiting, _PIECE)
            waiting = unpacker.unconsumed_tail
            if not piece and not waiting:
                return
            size += len(piece)
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines
            if len(rest) > LONGEST_LINE:
                return
    except zlib.error:
        return


class _Packer:
    """Compresses lines as they come."""

    def __init__(self) -> None:
        self.size = 0
        self._packer = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
        self._pieces: list[bytes] = []

    def add(self, line: bytes) -> None:
        self.size += len(line) + 1
        self._pieces.append(self._packer.compress(line + b"\n"))

    def content(self) -> bytes:
        return b"".join([*self._pieces, self._packer.copy().flush()])


def _is_stored(store: Store, key: str, data: bytes) -> bool:
    try:
        return read_bytes(store, key, LARGEST) == data
    except (ObjectNotFoundError, UnreadableDocumentError):
        return False


def _key(data: bytes, suffix: str) -> str:
    return f"{FOLDER}{FORMAT}-{hashlib.sha256(data).hexdigest()[:32]}{suffix}"
