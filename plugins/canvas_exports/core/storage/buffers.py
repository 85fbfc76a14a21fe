"""The pool of buffers that all packages of a task share.

A package in transfer occupies buffers of 8 MiB: one being filled, one being hashed, a few being uploaded. All come from one
``BufferPool``, so the memory of a task is bounded, however many packages are transferred and however slow the store is: a
download waits for a free buffer until an upload has released one.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Generator, Iterator
from typing import Any, Protocol

from canvas_exports.errors import InputError

MiB = 1024 * 1024
BLOCK_SIZE = 8 * MiB
MIN_BLOCK_SIZE = 5 * MiB  # S3 refuses smaller parts, other than the last
SMALL = MiB  # packages up to this size bypass the pool: dozens move at once, and a whole buffer for each would be too much


class PooledBuffer(bytearray):
    """A buffer of a pool.

    The bytes that a view from ``BufferPool.lease`` shows do not change while the view exists, not only until the next block
    is requested. A store that recognises such a view may keep it instead of copying it.
    """


class BufferPool:
    """Recycle buffers of ``block_size``, ``limit`` bytes at most. Thread-safe.

    A thread that waits for a buffer never keeps another one from being released: a stream acquires a buffer only when it has
    bytes for it, and by then all its earlier buffers are with the store, which needs no further buffer to finish. So even a
    pool of one buffer transfers any number of packages, one after the other.

    Args:
        limit: bytes; at least one buffer.
        block_size: bytes of a buffer. S3 accepts at most 10,000 parts, so it also bounds a package (8 MiB: 78 GiB).

    Raises:
        InputError: a buffer smaller than 5 MiB (S3 would refuse the part), or a limit below one buffer.
    """

    def __init__(self, limit: int = 16 * BLOCK_SIZE, block_size: int = BLOCK_SIZE) -> None:
        if block_size < MIN_BLOCK_SIZE:
            raise InputError(
                "block_size", f"{block_size} is too small", accepted=f"at least {MIN_BLOCK_SIZE} bytes"
            )
        if limit < block_size:
            raise InputError("limit", f"{limit} holds no block", accepted=f"at least {block_size} bytes")
        self.block_size = block_size
        self._size = self._unused = limit // block_size
        self._idle: list[PooledBuffer] = []
        self._released = threading.Condition()

    @property
    def in_use(self) -> int:
        """Return the number of buffers that are acquired or leased now."""
        with self._released:
            return self._size - self._unused - len(self._idle)

    def acquire(self) -> PooledBuffer:
        """Return an empty buffer; wait for one. The caller has to ``lease`` or ``release`` it."""
        with self._released:
            while not self._idle and not self._unused:
                self._released.wait()
            return self._next()

    def try_acquire(self) -> PooledBuffer | None:
        """Return an empty buffer, or ``None`` if all are in use: for a caller that has others already and must not wait."""
        with self._released:
            return self._next() if self._idle or self._unused else None

    def _next(self) -> PooledBuffer:
        if self._idle:
            return self._idle.pop()
        self._unused -= 1
        return PooledBuffer(self.block_size)

    def lease(self, buffer: PooledBuffer, filled: int) -> memoryview:
        """Return a view of the first ``filled`` bytes. The buffer is released when the last reference to the view is gone.

        A slice of the view does not keep the buffer.
        """
        view = memoryview(buffer)[:filled]
        weakref.finalize(view, self.release, buffer).atexit = False
        return view

    def release(self, buffer: PooledBuffer) -> None:
        """Free a buffer that was acquired and not leased."""
        with self._released:
            self._idle.append(buffer)
            self._released.notify()


class SingleBuffer:
    """A buffer for one small package, outside of any pool: as large as the package, and used once.

    Args:
        size: bytes.
    """

    def __init__(self, size: int) -> None:
        self._size = size

    def acquire(self) -> bytearray:
        """Return the buffer."""
        return bytearray(self._size)

    def try_acquire(self) -> None:
        """Return ``None``: there is no second buffer."""

    def lease(self, buffer: bytearray, filled: int) -> memoryview:
        """Return a view of the first ``filled`` bytes."""
        return memoryview(buffer)[:filled]

    def release(self, buffer: bytearray) -> None:
        """Do nothing: no other thread waits for it."""


def close(source: object) -> None:
    """Close a generator now, with all that it keeps open, and not when an error that refers to it is garbage-collected."""
    if isinstance(source, Generator):
        source.close()


def is_small(size: int | None) -> bool:
    """Return whether a package of this size bypasses the pool."""
    return size is not None and 0 < size <= SMALL


class BufferSource(Protocol):
    """The source of a ``BlockWriter``'s buffers: ``BufferPool`` or ``SingleBuffer``."""

    def acquire(self) -> Any:
        """Return an empty buffer; may wait for one."""

    def try_acquire(self) -> Any:
        """Return an empty buffer, or ``None``."""

    def lease(self, buffer: Any, filled: int) -> memoryview:
        """Return a view of the first ``filled`` bytes."""

    def release(self, buffer: Any) -> None:
        """Free a buffer that was not leased."""


class BlockWriter:
    """Write a stream into full blocks of a pool, and a shorter last one.

    A source may write in place, which saves a copy: into ``free_space`` what comes next, or into an ``acquire``d buffer what
    comes later. It then yields what it wrote, in order. All other bytes that it yields are copied. A block is passed on
    before the next buffer is waited for: a stream that waits for memory holds none.
    """

    def __init__(self, buffers: BufferSource) -> None:
        self._buffers = buffers
        self._current: Any = None
        self._filled = 0
        self._acquired: dict[int, Any] = {}

    def free_space(self) -> memoryview:
        """Return the free rest of the current buffer, at least one byte. May wait for a buffer."""
        if self._current is None:
            self._current, self._filled = self._buffers.acquire(), 0
        return memoryview(self._current)[self._filled :]

    def acquire(self, *, wait: bool) -> memoryview | None:
        """Return an empty buffer for bytes that come later. The source yields it whole (the last one: its filled part), or releases it.

        Args:
            wait: for a free buffer. Only for a source that has no other one.
        """
        buffer = self._buffers.acquire() if wait else self._buffers.try_acquire()
        if buffer is None:
            return None
        self._acquired[id(buffer)] = buffer
        return memoryview(buffer)

    def release(self, buffer: memoryview) -> None:
        """Free an acquired buffer that will not be yielded. Nothing may write to it afterwards."""
        self._buffers.release(self._acquired.pop(id(buffer.obj)))

    def blocks(self, source: Iterator[bytes | bytearray | memoryview]) -> Iterator[memoryview]:
        """Yield all bytes of the source, in blocks."""
        try:
            for arrived in source:
                left = memoryview(arrived)
                if (buffer := self._acquired.pop(id(left.obj), None)) is not None:
                    full, buffer = [self._buffers.lease(buffer, len(left))], None
                    yield full.pop()
                    continue
                while left:
                    written = self._write(left)
                    left = left[written:]
                    self._filled += written
                    if self._current is not None and self._filled == len(self._current):
                        full, self._current = [self._buffers.lease(self._current, self._filled)], None
                        yield full.pop()
            if self._current is not None and self._filled:
                full, self._current = [self._buffers.lease(self._current, self._filled)], None
                yield full.pop()
        finally:
            close(source)  # it may still write into buffers
            if self._current is not None:
                self._buffers.release(self._current)
                self._current = None
            while self._acquired:  # neither yielded nor released
                self._buffers.release(self._acquired.popitem()[1])

    def _write(self, arrived: memoryview) -> int:
        """Copy into the current buffer what is not there yet. Returns the number of bytes that are in it now."""
        if self._current is not None and arrived.obj is self._current:
            return len(arrived)
        space = self.free_space()
        count = min(len(space), len(arrived))
        space[:count] = arrived[:count]
        return count
