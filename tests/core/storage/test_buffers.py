from __future__ import annotations

import gc
import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from canvas_exports.core.storage.buffers import MIN_BLOCK_SIZE, BlockBudget, Filling, LentBlock, OneBlock
from canvas_exports.errors import InputError

DATA = hashlib.shake_128(b"data").digest(2 * MIN_BLOCK_SIZE + 12_345)


def budget(blocks: int) -> BlockBudget:
    return BlockBudget(blocks * MIN_BLOCK_SIZE, MIN_BLOCK_SIZE)


def test_a_lent_view_shows_what_was_filled_and_is_known_as_lent() -> None:
    one = budget(1)
    block = one.take()
    block[:3] = b"abc"
    view = one.lend(block, 3)
    assert view.tobytes() == b"abc"
    assert isinstance(view.obj, LentBlock)


def test_a_block_is_free_again_when_the_last_who_keeps_its_view_lets_go() -> None:
    one = budget(1)
    view = one.lend(one.take(), 3)
    keeper = [view]
    got = threading.Event()

    def wait() -> None:
        one.take()
        got.set()

    threading.Thread(target=wait, daemon=True).start()
    del view
    assert not got.wait(0.05)
    keeper.clear()
    assert got.wait(5)


def test_blocks_are_recycled_and_never_more_than_the_limit() -> None:
    two = budget(2)
    made = set()
    for _ in range(10):
        first, second = two.take(), two.take()
        made |= {id(first), id(second)}
        two.give_back(first)
        two.lend(second, 1)
    assert len(made) == 2


def test_many_threads_share_one_block() -> None:
    one = budget(1)
    inside: list[int] = []

    def use(number: int) -> int:
        block = one.take()
        inside.append(number)
        assert len(inside) == 1
        inside.remove(number)
        one.give_back(block)
        return number

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(use, range(200))) == list(range(200))


def test_blocks_that_s3_would_refuse_and_limits_that_hold_none_are_refused() -> None:
    with pytest.raises(InputError, match="block_size"):
        BlockBudget(10 * MIN_BLOCK_SIZE, MIN_BLOCK_SIZE - 1)
    with pytest.raises(InputError, match="limit"):
        BlockBudget(MIN_BLOCK_SIZE - 1, MIN_BLOCK_SIZE)


def in_place(filling: Filling, data: bytes, step: int) -> Iterator[memoryview]:
    """A source that writes into the space it is offered."""
    at = 0
    while at < len(data):
        part = filling.part()[:step]
        piece = data[at : at + len(part)]
        part[: len(piece)] = piece
        at += len(piece)
        yield part[: len(piece)]


class TestFilling:
    @pytest.mark.parametrize("step", [1_000_003, MIN_BLOCK_SIZE, 10**9])
    def test_what_is_written_in_place_comes_out_once_and_in_order(self, step: int) -> None:
        budget = BlockBudget(2 * MIN_BLOCK_SIZE, MIN_BLOCK_SIZE)
        filling = Filling(budget)
        blocks = [bytes(block) for block in filling.blocks(in_place(filling, DATA, step))]
        assert b"".join(blocks) == DATA
        assert {len(block) for block in blocks[:-1]} == {MIN_BLOCK_SIZE}
        assert all_are_free(budget, 2)

    def test_whole_blocks_come_out_as_they_are_and_the_last_one_as_far_as_it_was_filled(self) -> None:
        budget = BlockBudget(3 * MIN_BLOCK_SIZE, MIN_BLOCK_SIZE)
        filling = Filling(budget)

        def source() -> Iterator[memoryview]:
            for start in range(0, len(DATA), MIN_BLOCK_SIZE):
                block = filling.whole(wait=True)
                assert block is not None
                piece = DATA[start : start + MIN_BLOCK_SIZE]
                block[: len(piece)] = piece
                yield block[: len(piece)]

        assert b"".join(bytes(block) for block in filling.blocks(source())) == DATA
        assert all_are_free(budget, 3)

    def test_a_further_block_is_not_waited_for(self) -> None:
        filling = Filling(BlockBudget(MIN_BLOCK_SIZE, MIN_BLOCK_SIZE))
        first = filling.whole(wait=True)
        assert first is not None
        assert filling.whole(wait=False) is None
        filling.give_up(first)
        assert filling.whole(wait=False) is not None

    def test_a_source_that_mixes_memory_of_its_own_with_what_it_was_offered_is_copied(self) -> None:
        filling = Filling(BlockBudget(2 * MIN_BLOCK_SIZE, MIN_BLOCK_SIZE))

        def source() -> Iterator[memoryview]:
            yield memoryview(b"one")
            part = filling.part()
            part[:3] = b"two"
            yield part[:3]
            filling.part()[:5] = b"stray"  # written and not yielded: not part of the stream
            yield memoryview(b"three")

        assert b"".join(bytes(block) for block in filling.blocks(source())) == b"onetwothree"

    def test_a_small_package_is_one_block_of_its_own_size_outside_of_any_budget(self) -> None:
        data = b"PK" * 50
        filling = Filling(OneBlock(len(data)))
        assert filling.whole(wait=False) is None
        (block,) = filling.blocks(in_place(filling, data, 30))
        assert bytes(block) == data
        assert not isinstance(block.obj, LentBlock)  # a store that sends it later has to copy it


def all_are_free(budget: BlockBudget, blocks: int) -> bool:
    gc.collect()
    return all(budget.take_at_once() is not None for _ in range(blocks))
