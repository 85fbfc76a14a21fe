from __future__ import annotations

import gc
import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from canvas_exports.core.storage.buffers import (
    MIN_BLOCK_SIZE,
    BlockWriter,
    BufferPool,
    PooledBuffer,
    SingleBuffer,
)
from canvas_exports.errors import InputError

DATA = hashlib.shake_128(b"data").digest(2 * MIN_BLOCK_SIZE + 12_345)


def pool_of(blocks: int) -> BufferPool:
    return BufferPool(blocks * MIN_BLOCK_SIZE, MIN_BLOCK_SIZE)


def test_a_leased_view_shows_the_filled_bytes_and_belongs_to_a_pooled_buffer() -> None:
    one = pool_of(1)
    block = one.acquire()
    block[:3] = b"abc"
    view = one.lease(block, 3)
    assert view.tobytes() == b"abc"
    assert isinstance(view.obj, PooledBuffer)


def test_a_buffer_is_released_when_the_last_reference_to_its_view_is_gone() -> None:
    one = pool_of(1)
    view = one.lease(one.acquire(), 3)
    keeper = [view]
    got = threading.Event()

    def wait() -> None:
        one.acquire()
        got.set()

    threading.Thread(target=wait, daemon=True).start()
    del view
    assert not got.wait(0.05)
    keeper.clear()
    assert got.wait(5)


def test_buffers_are_recycled_and_never_more_than_the_limit() -> None:
    two = pool_of(2)
    made = set()
    for _ in range(10):
        first, second = two.acquire(), two.acquire()
        made |= {id(first), id(second)}
        two.release(first)
        two.lease(second, 1)
    assert len(made) == 2


def test_many_threads_share_one_buffer() -> None:
    one = pool_of(1)
    inside: list[int] = []

    def use(number: int) -> int:
        block = one.acquire()
        inside.append(number)
        assert len(inside) == 1
        inside.remove(number)
        one.release(block)
        return number

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(use, range(200))) == list(range(200))


def test_buffers_that_s3_would_refuse_and_limits_below_one_buffer_are_refused() -> None:
    with pytest.raises(InputError, match="block_size"):
        BufferPool(10 * MIN_BLOCK_SIZE, MIN_BLOCK_SIZE - 1)
    with pytest.raises(InputError, match="limit"):
        BufferPool(MIN_BLOCK_SIZE - 1, MIN_BLOCK_SIZE)


def in_place(writer: BlockWriter, data: bytes, step: int) -> Iterator[memoryview]:
    """A source that writes into the space it is offered."""
    at = 0
    while at < len(data):
        part = writer.free_space()[:step]
        piece = data[at : at + len(part)]
        part[: len(piece)] = piece
        at += len(piece)
        yield part[: len(piece)]


class TestBlockWriter:
    @pytest.mark.parametrize("step", [1_000_003, MIN_BLOCK_SIZE, 10**9])
    def test_what_is_written_in_place_comes_out_once_and_in_order(self, step: int) -> None:
        pool = BufferPool(2 * MIN_BLOCK_SIZE, MIN_BLOCK_SIZE)
        writer = BlockWriter(pool)
        blocks = [bytes(block) for block in writer.blocks(in_place(writer, DATA, step))]
        assert b"".join(blocks) == DATA
        assert {len(block) for block in blocks[:-1]} == {MIN_BLOCK_SIZE}
        assert all_are_free(pool, 2)

    def test_acquired_buffers_are_yielded_as_they_are_and_the_last_one_as_far_as_it_was_filled(self) -> None:
        pool = BufferPool(3 * MIN_BLOCK_SIZE, MIN_BLOCK_SIZE)
        writer = BlockWriter(pool)

        def source() -> Iterator[memoryview]:
            for start in range(0, len(DATA), MIN_BLOCK_SIZE):
                block = writer.acquire(wait=True)
                assert block is not None
                piece = DATA[start : start + MIN_BLOCK_SIZE]
                block[: len(piece)] = piece
                yield block[: len(piece)]

        assert b"".join(bytes(block) for block in writer.blocks(source())) == DATA
        assert all_are_free(pool, 3)

    def test_a_further_buffer_is_not_waited_for(self) -> None:
        writer = BlockWriter(BufferPool(MIN_BLOCK_SIZE, MIN_BLOCK_SIZE))
        first = writer.acquire(wait=True)
        assert first is not None
        assert writer.acquire(wait=False) is None
        writer.release(first)
        assert writer.acquire(wait=False) is not None

    def test_a_source_that_mixes_memory_of_its_own_with_what_it_was_offered_is_copied(self) -> None:
        writer = BlockWriter(BufferPool(2 * MIN_BLOCK_SIZE, MIN_BLOCK_SIZE))

        def source() -> Iterator[memoryview]:
            yield memoryview(b"one")
            part = writer.free_space()
            part[:3] = b"two"
            yield part[:3]
            writer.free_space()[:5] = b"stray"  # written and not yielded: not part of the stream
            yield memoryview(b"three")

        assert b"".join(bytes(block) for block in writer.blocks(source())) == b"onetwothree"

    def test_a_small_package_is_one_buffer_of_its_own_size_outside_of_any_pool(self) -> None:
        data = b"PK" * 50
        writer = BlockWriter(SingleBuffer(len(data)))
        assert writer.acquire(wait=False) is None
        (block,) = writer.blocks(in_place(writer, data, 30))
        assert bytes(block) == data
        assert not isinstance(block.obj, PooledBuffer)  # a store that sends it later has to copy it


def all_are_free(pool: BufferPool, blocks: int) -> bool:
    gc.collect()
    return all(pool.try_acquire() is not None for _ in range(blocks))
