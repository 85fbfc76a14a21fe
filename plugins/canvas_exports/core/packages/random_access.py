"""Random access to a package: stored in an archive, or the part that was kept while it streamed by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from canvas_exports.core.storage.buffers import MiB, close
from canvas_exports.core.storage.store import Block, Store

TAIL = 4 * MiB  # the directory of some 40,000 entries, and nearly always the cartridge's manifest before it

_END = MiB // 4  # of a stored package: in most cases the directory and the manifest in one request


class BytesNotKeptError(Exception):
    """Bytes were not kept while the package streamed by. Another pass over the package can keep the ``missing`` ones."""

    def __init__(self, *missing: range) -> None:
        super().__init__(", ".join(f"bytes {window.start} to {window.stop}" for window in missing))
        self.missing = missing


class RandomAccess(Protocol):
    """Random access to a package, or to a part of it; ``size`` is the length in bytes."""

    size: int

    def read(self, window: range) -> bytes:
        """Return the bytes of a window. Raises ``BytesNotKeptError`` if they are not available."""
        ...


class StoredPackage:
    """Reads a package from a store, one request a read. Its end is requested once and kept.

    Args:
        store: the archive.
        key: of the package.
        size: bytes of the object.
        end: bytes of its end that are kept.

    Attributes:
        size: bytes of the object.
        bytes_read: so far, from the store.
    """

    def __init__(self, store: Store, key: str, size: int, *, end: int = _END) -> None:
        self.size = size
        self.bytes_read = 0
        self._store = store
        self._key = key
        self._end_starts = max(0, size - end)
        self._end: bytes | None = None

    def read(self, window: range) -> bytes:
        """Return the bytes of a window, read from the store."""
        if window.start < self._end_starts:
            return self._read(window)
        if self._end is None:
            self._end = self._read(range(self._end_starts, self.size))
        return self._end[window.start - self._end_starts : window.stop - self._end_starts]

    def _read(self, window: range) -> bytes:
        data = self._store.read(self._key, window.start, len(window))
        self.bytes_read += len(data)
        return data


class TailBuffer:
    """Keeps the tail of a package and chosen windows while it streams by; ``size`` counts the bytes that have passed.

    Args:
        expected: size of the package in bytes, if known: then nothing before the tail is copied.
        windows: byte ranges to keep besides the tail.
        tail: length of the tail in bytes.
    """

    def __init__(self, expected: int | None = None, windows: Sequence[range] = (), tail: int = TAIL) -> None:
        self.size = 0
        self._tail_starts = 0 if expected is None else max(0, expected - tail)
        # A ring: the byte at an offset lies at that offset modulo its length. Untouched pages cost nothing.
        self._tail = bytearray(tail)
        self._windows = {window: bytearray() for window in windows}

    def record(self, source: Iterator[Block]) -> Iterator[Block]:
        """Pass the stream on and keep the tail and the windows."""
        try:
            for block in source:
                self._keep(memoryview(block))
                yield block
        finally:
            close(source)

    def read(self, window: range) -> bytes:
        """Return the bytes of a range that lies in the tail or in one of the windows."""
        if window.start >= max(self._tail_starts, self.size - len(self._tail)):
            return b"".join(memoryview(self._tail)[piece] for piece in self._pieces(window))
        for wanted, kept in self._windows.items():
            if wanted.start <= window.start and window.stop <= wanted.start + len(kept):
                return bytes(memoryview(kept)[window.start - wanted.start : window.stop - wanted.start])
        raise BytesNotKeptError(window)

    def _keep(self, block: memoryview) -> None:
        start, stop = self.size, self.size + len(block)
        for window, kept in self._windows.items():
            if start < window.stop and window.start < stop:
                kept.extend(block[max(0, window.start - start) : window.stop - start])
        first = max(start, self._tail_starts, stop - len(self._tail))
        for piece in self._pieces(range(first, stop)):
            size = piece.stop - piece.start
            memoryview(self._tail)[piece] = block[first - start : first - start + size]
            first += size
        self.size = stop

    def _pieces(self, window: range) -> Iterator[slice]:
        """Yield where the bytes of a range lie in the ring: one slice, or two if it wraps."""
        left, at = len(window), window.start % len(self._tail)
        while left > 0:
            size = min(left, len(self._tail) - at)
            yield slice(at, at + size)
            left, at = left - size, 0
