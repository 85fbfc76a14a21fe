"""The memory that all packages of a task share.

A package on its way lives in blocks of 8 MiB: one being filled, one being hashed, a few being uploaded. All of them
come from one ``BlockBudget``, so the memory of a task is bounded however many packages flow and however slow the
store is: who wants a block that is not there waits until an upload has let go of one.
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
SMALL = MiB  # a package up to this size moves in memory of its own: with dozens at once, whole blocks would be too many


class LentBlock(bytearray):
    """Memory of a budget.

    What a view from ``BlockBudget.lend`` shows stays as it is until the view itself is gone, not only until the
    next block is asked for: a store that recognises it may keep the view instead of copying it.
    """


class BlockBudget:
    """At most ``limit`` bytes in blocks of ``block_size``, recycled; shared by threads.

    Nobody who waits for a block keeps another one from being freed: a pipeline takes a block only when it has bytes
    for it, and by then everything it took before is with the store, which needs no further block to finish. So even
    a budget of one block moves any number of packages, one after the other.

    Args:
        limit: bytes; at least one block.
        block_size: bytes; S3 takes at most 10,000 parts, so it also bounds a package (8 MiB: 78 GiB).

    Raises:
        InputError: a block smaller than 5 MiB (S3 would refuse the part), or a limit below one block.
    """

    def __init__(self, limit: int = 16 * BLOCK_SIZE, block_size: int = BLOCK_SIZE) -> None:
        if block_size < MIN_BLOCK_SIZE:
            raise InputError(
                "block_size", f"{block_size} is too small", accepted=f"at least {MIN_BLOCK_SIZE} bytes"
            )
        if limit < block_size:
            raise InputError("limit", f"{limit} holds no block", accepted=f"at least {block_size} bytes")
        self.block_size = block_size
        self._blocks = self._unused = limit // block_size
        self._idle: list[LentBlock] = []
        self._freed = threading.Condition()

    @property
    def out(self) -> int:
        """Blocks that are with somebody now."""
        with self._freed:
            return self._blocks - self._unused - len(self._idle)

    def take(self) -> LentBlock:
        """An empty block; waits for one. It goes back through ``lend`` or ``give_back``."""
        with self._freed:
            while not self._idle and not self._unused:
                self._freed.wait()
            return self._taken()

    def take_at_once(self) -> LentBlock | None:
        """An empty block, if there is one: for who has others already, and must not wait."""
        with self._freed:
            return self._taken() if self._idle or self._unused else None

    def _taken(self) -> LentBlock:
        if self._idle:
            return self._idle.pop()
        self._unused -= 1
        return LentBlock(self.block_size)

    def lend(self, block: LentBlock, filled: int) -> memoryview:
        """The first bytes of a block, for others. It is free again when this view, and all who keep it, are gone.

        A slice of the view does not keep it.
        """
        view = memoryview(block)[:filled]
        weakref.finalize(view, self.give_back, block).atexit = False
        return view

    def give_back(self, block: LentBlock) -> None:
        """Free a block that was taken and not lent."""
        with self._freed:
            self._idle.append(block)
            self._freed.notify()


class OneBlock:
    """The memory of a small package, outside of any budget: as large as the package, and used once.

    Args:
        size: bytes.
    """

    def __init__(self, size: int) -> None:
        self._size = size

    def take(self) -> bytearray:
        """The block."""
        return bytearray(self._size)

    def take_at_once(self) -> None:
        """There is no other."""

    def lend(self, block: bytearray, filled: int) -> memoryview:
        """Its first bytes."""
        return memoryview(block)[:filled]

    def give_back(self, block: bytearray) -> None:
        """Nobody else waits for it."""


def close(source: object) -> None:
    """End a generator now, and with it whatever it keeps open, not when an error that mentions it is forgotten."""
    if isinstance(source, Generator):
        source.close()


def is_small(size: int | None) -> bool:
    """Whether a package of so many bytes is one of those of which many are moved at once."""
    return size is not None and 0 < size <= SMALL


class Memory(Protocol):
    """Where ``Filling`` takes its blocks from."""

    def take(self) -> Any:
        """An empty block; may wait for one."""

    def take_at_once(self) -> Any:
        """An empty block, or ``None``."""

    def lend(self, block: Any, filled: int) -> memoryview:
        """The first bytes of a block, for others."""

    def give_back(self, block: Any) -> None:
        """Free a block that was not lent."""


class Filling:
    """Full blocks of a budget from a stream, and a shorter last one.

    A source may write in place: into ``part`` what comes next, or into a ``whole`` block what comes later. It then yields
    what it wrote, in order, which saves a copy. Anything else that it yields is copied. A block is let go before the next
    one is waited for: a pipeline that waits for memory holds none.
    """

    def __init__(self, budget: Memory) -> None:
        self._budget = budget
        self._block: Any = None
        self._filled = 0
        self._whole: dict[int, Any] = {}

    def part(self) -> memoryview:
        """Where the next bytes go: at least one. Waits for memory."""
        if self._block is None:
            self._block, self._filled = self._budget.take(), 0
        return memoryview(self._block)[self._filled :]

    def whole(self, *, wait: bool) -> memoryview | None:
        """A block of its own. The source yields it whole, or, as the last one, what it filled of it; or gives it up.

        Args:
            wait: for memory, if there is none. Only for a source that has no other block.
        """
        block = self._budget.take() if wait else self._budget.take_at_once()
        if block is None:
            return None
        self._whole[id(block)] = block
        return memoryview(block)

    def give_up(self, whole: memoryview) -> None:
        """Give back a block that will not be yielded. Nobody may write to it any more."""
        self._budget.give_back(self._whole.pop(id(whole.obj)))

    def blocks(self, source: Iterator[bytes | bytearray | memoryview]) -> Iterator[memoryview]:
        """Everything that the source yields, in blocks of the budget."""
        try:
            for arrived in source:
                left = memoryview(arrived)
                if (block := self._whole.pop(id(left.obj), None)) is not None:
                    full, block = [self._budget.lend(block, len(left))], None
                    yield full.pop()
                    continue
                while left:
                    written = self._wrote(left)
                    left = left[written:]
                    self._filled += written
                    if self._block is not None and self._filled == len(self._block):
                        full, self._block = [self._budget.lend(self._block, self._filled)], None
                        yield full.pop()
            if self._block is not None and self._filled:
                full, self._block = [self._budget.lend(self._block, self._filled)], None
                yield full.pop()
        finally:
            close(source)  # whatever else may still write into blocks
            if self._block is not None:
                self._budget.give_back(self._block)
                self._block = None
            while self._whole:  # taken, and neither yielded nor given up
                self._budget.give_back(self._whole.popitem()[1])

    def _wrote(self, arrived: memoryview) -> int:
        """How many of these bytes stand in the block now."""
        if self._block is not None and arrived.obj is self._block:
            return len(arrived)
        part = self.part()
        count = min(len(part), len(arrived))
        part[:count] = arrived[:count]
        return count
