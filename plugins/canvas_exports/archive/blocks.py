"""The memory that all packages of a task share.

A package on its way lives in blocks of 8 MiB: one being filled, one being hashed, a few being uploaded. All of them
come from one ``BlockBudget``, so the memory of a task is bounded however many packages flow and however slow the
store is: who wants a block that is not there waits until an upload has let go of one.
"""

from __future__ import annotations

import threading
import weakref

from canvas_exports.errors import InputError

MiB = 1024 * 1024
BLOCK_SIZE = 8 * MiB
MIN_BLOCK_SIZE = 5 * MiB  # S3 refuses smaller parts, other than the last


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
        self._unused = limit // block_size
        self._idle: list[LentBlock] = []
        self._freed = threading.Condition()

    def take(self) -> LentBlock:
        """An empty block; waits for one. It goes back through ``lend`` or ``give_back``."""
        with self._freed:
            while not self._idle and not self._unused:
                self._freed.wait()
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
