"""One queue, seen by many."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.export.polling.canvas_queue import Queue, shared_queue
from canvas_exports.core.export.polling.interval import Pace

PACE = Pace(5.0, 60.0)


def test_the_oldest_of_all_watches_is_next() -> None:
    queue, one, other = Queue(), object(), object()
    queue.stand(one, 7)
    queue.stand(other, 5)
    assert queue.is_next(5)
    assert not queue.is_next(7)
    queue.stand(other, None)
    assert queue.is_next(7)


def test_what_is_older_than_one_that_has_begun_has_begun() -> None:
    queue = Queue()
    queue.note(5, begun=True, at=1.0, pace=PACE)
    queue.note(3, begun=True, at=2.0, pace=PACE)
    assert [queue.has_begun(export_id) for export_id in (3, 5, 6)] == [True, True, False]


@given(st.lists(st.booleans()))
def test_the_pause_stays_within_bounds_and_shortens_only_while_the_queue_moves(moves: list[bool]) -> None:
    queue = Queue()
    for number, begun in enumerate(moves, start=1):
        before = queue.pause
        queue.note(number, begun=begun, at=float(number), pace=PACE)
        if begun:
            assert PACE.shortest / 50 <= queue.pause <= max(before / 2, PACE.shortest / 50)
        else:
            assert max(before, PACE.shortest) <= queue.pause <= PACE.longest


def test_only_a_wait_of_the_oldest_says_that_the_others_wait() -> None:
    queue = Queue()
    queue.stand(object(), 5)
    queue.note(9, begun=False, at=10.0, pace=PACE)
    assert queue.waiting_at < 10.0
    queue.note(5, begun=False, at=11.0, pace=PACE)
    assert queue.waiting_at == 11.0


def test_how_soon_an_export_can_be_done_is_said_once_enough_are_known() -> None:
    queue = Queue()
    for seconds in range(100, 119):
        queue.finished(float(seconds))
    assert queue.soonest == 0.0
    queue.finished(119.0)
    assert queue.soonest == pytest.approx(101.0)
    for _ in range(200):
        queue.finished(10.0)
    assert queue.soonest == 10.0, "what was long ago is forgotten"


def test_a_process_has_one_queue_for_each_canvas() -> None:
    assert shared_queue("https://one.test") is shared_queue("https://one.test")
    assert shared_queue("https://one.test") is not shared_queue("https://other.test")
