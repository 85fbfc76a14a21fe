"""How many packages move at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from canvas_exports.core.export.transfer_slots import SMALL_FOR_A_LARGE, TransferSlots
from canvas_exports.core.storage.buffers import SMALL

NEVER = threading.Event()


def test_it_begins_with_as_many_as_may_be_large() -> None:
    assert TransferSlots(4).width == 4


def test_every_small_package_that_moved_makes_room_for_one_more_up_to_a_limit() -> None:
    slots = TransferSlots(2)
    widths = []
    for _ in range(2 * SMALL_FOR_A_LARGE):
        with slots.slot(SMALL, NEVER):
            widths.append(slots.width)
    assert widths[:3] == [2, 3, 4]
    assert slots.width == slots.max_width == 2 * SMALL_FOR_A_LARGE


def test_a_small_package_that_failed_makes_no_room() -> None:
    slots = TransferSlots(2)
    with pytest.raises(ConnectionError), slots.slot(1, NEVER):
        raise ConnectionError
    assert slots.width == 2


def test_no_more_than_the_limit_of_large_or_unknown_packages_move_at_once() -> None:
    slots = TransferSlots(2)
    inside, most = [0], [0]
    lock, full = threading.Lock(), threading.Barrier(2, timeout=10)

    def move(size: int | None) -> None:
        with slots.slot(size, NEVER):
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            full.wait()
            with lock:
                inside[0] -= 1

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(move, [SMALL + 1, None, 0, SMALL * 100] * 2))
    assert most == [2]
    assert slots.width == 2


def test_a_transfer_that_waits_for_a_slot_goes_on_when_the_transfers_are_cancelled() -> None:
    slots, cancelled, went_on = TransferSlots(1), threading.Event(), threading.Event()

    def wait() -> None:
        with slots.slot(None, cancelled):
            went_on.set()

    with slots.slot(None, cancelled):
        waiting = threading.Thread(target=wait, daemon=True)
        waiting.start()
        assert not went_on.wait(0.05)
        cancelled.set()
        assert went_on.wait(10)
        waiting.join(10)  # one that went on without a slot releases none: a BoundedSemaphore would say so
