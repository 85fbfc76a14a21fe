"""Prepare blocks for obstore, which keeps some of them while it sends them, and compare what it sent with the store's answer."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator

from canvas_exports.core.storage.buffers import PooledBuffer
from canvas_exports.core.storage.store import Block


def unchanging(block: Block) -> Block:
    """Return the block itself if nothing will write to it while obstore sends it, else a copy."""
    return block if isinstance(block, bytes) or is_leased(block) else bytes(block)


def is_leased(block: Block) -> bool:
    """Return whether a block is a buffer of the pool, which nothing writes to until it is released."""
    return isinstance(block, memoryview) and isinstance(block.obj, PooledBuffer)


def is_full(block: Block) -> bool:
    """Return whether more may follow; asking for it could wait for the very block that is being held."""
    return (
        isinstance(block, memoryview) and isinstance(block.obj, PooledBuffer) and len(block) == len(block.obj)
    )


def chained(head: deque[Block], rest: Iterator[Block]) -> Iterator[Block]:
    """Yield the blocks of a queue, and then the rest of the stream."""
    # Nothing here may keep a block once it was handed on: its memory is free when obstore releases it.
    while head:
        yield head.popleft()
    yield from rest


def md5_of(data: bytes) -> str | None:
    """Return the MD5 of the data; ``None`` where the machine refuses to compute it (FIPS)."""
    try:
        return hashlib.md5(data, usedforsecurity=False).hexdigest()
    except ValueError:
        return None
