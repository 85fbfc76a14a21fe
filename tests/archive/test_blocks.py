from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from canvas_exports.archive.blocks import MIN_BLOCK_SIZE, BlockBudget, LentBlock
from canvas_exports.errors import InputError


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
