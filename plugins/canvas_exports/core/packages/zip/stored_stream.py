"""A stored package from its first byte to its last: digested in a thread of its own, cut into pieces as they are asked for.

One request of a store brings all of it, however many members it has, and only one of its blocks is held at a time.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType

from canvas_exports.core.storage.buffers import MiB
from canvas_exports.core.storage.store import Block
from canvas_exports.errors import ArchiveUnavailableError, InputError

PIECE = MiB


@dataclass(frozen=True)
class Limit:
    """How much of a package may be read, in one go from its front. What begins counts as allowed.

    Args:
        max_bytes: no further block is read once so many have been; ``None`` for no limit.
        max_seconds: likewise, once so much time has passed since the proof began.
        clock: seconds that only grow.

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
        """Whether no more may be read, after so many bytes, and having begun at that time of ``clock``."""
        return (self.max_bytes is not None and read >= self.max_bytes) or (
            self.max_seconds is not None and self.clock() - since >= self.max_seconds
        )


class LimitReached(Exception):  # noqa: N818 - not an error: as much was read as was allowed
    """No more of the package may be read."""


class Stream:
    """Bytes of a package in order; a context manager, since it digests in a thread.

    Args:
        blocks: from the store; a block need only stay as it is until the next one is asked for.
        size: bytes of the whole package, as the store told.
        limit: how much may be read.

    Attributes:
        position: bytes handed out.
        covered: bytes of them that are known to hold together: up to the end of a member.
        read: bytes that came from the store.
    """

    def __init__(self, blocks: Iterator[Block], size: int, limit: Limit) -> None:
        self.position = 0
        self.covered = 0
        self.read = 0
        self._blocks = blocks
        self._size = size
        self._limit = limit
        self._began = limit.clock()
        self._digest = hashlib.sha256()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sha256")
        self._digesting: Future[object] | None = None
        self._left = memoryview(b"")

    @property
    def sha256(self) -> str:
        """Of all that came, in hexadecimal."""
        self._digested()
        return self._digest.hexdigest()

    def take(self, count: int) -> bytes:
        """The next bytes, at once: for what is small."""
        if count <= len(self._left):
            taken, self._left = self._left[:count], self._left[count:]
            self.position += count
            return bytes(taken)
        return b"".join(bytes(piece) for piece in self.pieces(count))

    def pieces(self, count: int) -> Iterator[memoryview]:
        """The next bytes, in pieces of at most a mebibyte, each to be used before the next one is asked for.

        Raises:
            LimitReached: no more may be read.
            ArchiveUnavailableError: the store gave less, or more, than it had said (retryable).
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
        """Read what is left, and see that there is nothing beyond it. Raises what ``pieces`` does."""
        for _ in self.pieces(self._size - self.position):
            pass
        self._digested()
        if self._left or any(len(block) for block in self._blocks):
            raise ArchiveUnavailableError(f"the store gave more than the {self._size:,} bytes it had named")

    def _next_block(self) -> None:
        self._digested()  # the store may write the next block over this one
        if self._limit.is_reached(self.read, self._began):
            raise LimitReached
        block = next((block for block in self._blocks if len(block)), None)
        if block is None:
            raise ArchiveUnavailableError(
                f"the store gave {self.read:,} of the {self._size:,} bytes it had named"
            )
        self.read += len(block)
        self._left = memoryview(block)
        self._digesting = self._thread.submit(self._digest.update, block)

    def _digested(self) -> None:
        if self._digesting is not None:
            self._digesting.result()
            self._digesting = None

    def __enter__(self) -> Stream:  # noqa: PYI034 - typing.Self is newer than Python 3.10
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown()
        if isinstance(self._blocks, Generator):
            self._blocks.close()
        self._left = memoryview(b"")
