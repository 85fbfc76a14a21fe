"""Stream a stored package from its first byte to its last, digest it in a thread, and cut it into pieces.

One request to the store reads the whole package, and only one of its blocks is in memory at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType

from canvas_exports.core.packages.digests import Hasher
from canvas_exports.core.storage.buffers import MiB
from canvas_exports.core.storage.store import Block
from canvas_exports.errors import ArchiveUnavailableError, InputError

PIECE = MiB


@dataclass(frozen=True)
class ReadLimit:
    """Limit of the bytes and the time for reading a package. A block that is being read when a limit is reached is read to its end.

    Args:
        max_bytes: no further block is read after so many bytes; ``None`` for no limit.
        max_seconds: no further block is read after so many seconds since the beginning; ``None`` for no limit.
        clock: monotonic clock in seconds.

    Raises:
        InputError: a limit below zero.
    """

    max_bytes: int | None = None
    max_seconds: float | None = None
    clock: Callable[[], float] = field(default=time.monotonic, compare=False)

    def __post_init__(self) -> None:
        for name, value in (("max_bytes", self.max_bytes), ("max_seconds", self.max_seconds)):
            if value is not None and value < 0:
                raise InputError(name, f"{value} is below zero", accepted="zero or more, or nothing")

    def is_reached(self, read: int, since: float) -> bool:
        """Return whether the limit is reached after ``read`` bytes, having begun at the clock's ``since``."""
        return (self.max_bytes is not None and read >= self.max_bytes) or (
            self.max_seconds is not None and self.clock() - since >= self.max_seconds
        )


class ReadLimitReached(Exception):  # noqa: N818 - not an error: a limit of the caller
    """The limit is reached: no more of the package may be read."""


class StoredStream:
    """Reads the bytes of a package in order; a context manager, because it digests in a thread.

    Args:
        blocks: from the store; a block may change once the next one is requested.
        size: size of the whole package in bytes, as reported by the store.
        limit: how much may be read.
        algorithms: of the digests to make.

    Attributes:
        position: number of bytes returned so far.
        covered: number of those that are consistent: up to the end of a member.
        read: number of bytes received from the store.
    """

    def __init__(
        self, blocks: Iterator[Block], size: int, limit: ReadLimit, algorithms: Iterable[str] = ()
    ) -> None:
        self.position = 0
        self.covered = 0
        self.read = 0
        self._blocks = blocks
        self._size = size
        self._limit = limit
        self._began = limit.clock()
        self._hasher = Hasher(algorithms)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="digest")
        self._digesting: Future[object] | None = None
        self._left = memoryview(b"")

    @property
    def digests(self) -> dict[str, str]:
        """Digests of all bytes received, hexadecimal, by algorithm."""
        self._digested()
        return self._hasher.hexdigests()

    def take(self, count: int) -> bytes:
        """Return the next bytes at once. Only for small numbers of bytes."""
        if count <= len(self._left):
            taken, self._left = self._left[:count], self._left[count:]
            self.position += count
            return bytes(taken)
        return b"".join(bytes(piece) for piece in self.pieces(count))

    def pieces(self, count: int) -> Iterator[memoryview]:
        """Yield the next bytes in pieces of at most 1 MiB. A piece is valid until the next one is requested.

        Raises:
            ReadLimitReached: no more may be read.
            ArchiveUnavailableError: the store returned fewer or more bytes than it had reported (retryable).
        """
        while count:
            if not self._left:
                self._next_block()
            piece = self._left[: min(count, PIECE)]
            self._left = self._left[len(piece) :]
            self.position += len(piece)
            count -= len(piece)
            yield piece

    def finish(self) -> None:
        """Read the rest, and check that nothing follows. Raises the errors of ``pieces``."""
        for _ in self.pieces(self._size - self.position):
            pass
        self._digested()
        if self._left or any(len(block) for block in self._blocks):
            raise ArchiveUnavailableError(
                f"the store returned more than the {self._size:,} bytes it had reported"
            )

    def _next_block(self) -> None:
        self._digested()  # the store may write the next block over this one
        if self._limit.is_reached(self.read, self._began):
            raise ReadLimitReached
        block = next((block for block in self._blocks if len(block)), None)
        if block is None:
            raise ArchiveUnavailableError(
                f"the store returned {self.read:,} of the {self._size:,} bytes it had reported"
            )
        self.read += len(block)
        self._left = memoryview(block)
        self._digesting = self._thread.submit(self._hasher.update, block)

    def _digested(self) -> None:
        if self._digesting is not None:
            self._digesting.result()
            self._digesting = None

    def __enter__(self) -> StoredStream:  # noqa: PYI034 - typing.Self is newer than Python 3.10
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown()
        if isinstance(self._blocks, Generator):
            self._blocks.close()
        self._left = memoryview(b"")
