"""A file that exists only as segments of known size, read by offset."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

BLOCK = 256 * 1024
"""Bytes per step of a stream: large enough to be cheap, small enough for many streams at once."""


class Segment(Protocol):
    """A run of bytes of known size."""

    @property
    def size(self) -> int:
        """Length in bytes."""
        ...

    @property
    def fingerprint(self) -> bytes:
        """Return a cheap value that is equal for equal bytes."""
        ...

    def read(self, start: int, stop: int) -> bytes | memoryview:
        """Return bytes from ``start``, at least one and at most up to ``stop``."""
        ...


class Literal:
    """Bytes held in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    @property
    def fingerprint(self) -> bytes:
        """Return the digest of the bytes."""
        return hashlib.sha256(self._data).digest()

    def read(self, start: int, stop: int) -> memoryview:
        """Return the bytes from ``start`` to ``stop``."""
        return memoryview(self._data)[start:stop]


class OnDisk:
    """A file on disk, opened for each read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = path.stat().st_size

    @property
    def fingerprint(self) -> bytes:
        """Return the digest of path, size and modification time."""
        status = self._path.stat()
        return hashlib.sha256(f"{self._path}:{status.st_size}:{status.st_mtime_ns}".encode()).digest()

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes from ``start`` to ``stop``."""
        with self._path.open("rb") as file:
            file.seek(start)
            return file.read(stop - start)


class VirtualFile:
    """A sequence of segments with a size and an ETag, read in any order."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._segments = [segment for segment in segments if segment.size]
        self._offsets: list[int] = []
        size = 0
        digest = hashlib.sha256()
        for segment in self._segments:
            self._offsets.append(size)
            size += segment.size
            digest.update(segment.fingerprint)
        self.size = size
        self.etag = f'"{digest.hexdigest()[:32]}"'

    def blocks(
        self, start: int = 0, stop: int | None = None, block: int = BLOCK
    ) -> Iterator[bytes | memoryview]:
        """Yield the bytes from ``start`` to ``stop`` in pieces of at most ``block``."""
        position, end = start, self.size if stop is None else min(stop, self.size)
        while position < end:
            index = bisect_right(self._offsets, position) - 1
            offset, segment = self._offsets[index], self._segments[index]
            last = min(end, offset + segment.size, position + block)
            piece = segment.read(position - offset, last - offset)
            position += len(piece)
            yield piece

    def read(self, start: int = 0, stop: int | None = None) -> bytes:
        """Return the bytes from ``start`` to ``stop``."""
        return b"".join(self.blocks(start, stop))

    def part(self, start: int, stop: int) -> VirtualFile:
        """Return the file that consists of the bytes from ``start`` to ``stop``."""
        return VirtualFile([Window(self, start, min(stop, self.size))])


class Window:
    """A part of a virtual file, as a segment."""

    def __init__(self, file: VirtualFile, start: int, stop: int) -> None:
        self._file = file
        self._start = start
        self.size = stop - start

    @property
    def fingerprint(self) -> bytes:
        """Return the file's ETag and the bounds."""
        return f"{self._file.etag}:{self._start}:{self.size}".encode()

    def read(self, start: int, stop: int) -> bytes | memoryview:
        """Return the first piece from ``start``."""
        return next(iter(self._file.blocks(self._start + start, self._start + stop)))
