"""One queue, seen by many."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.export.polling.canvas_queue import CanvasQueue, shared_queue
from canvas_exports.core.export.polling.interval import PollInterval

INTERVAL = PollInterval(5.0, 60.0)


def test_the_oldest_of_all_watches_is_next() -> None:
    queue, one, other = CanvasQueue(), object(), object()
    queue.set_oldest(one, 7)
    queue.set_oldest(other, 5)
    assert queue.is_oldest(5)
    assert not queue.is_oldest(7)
    queue.set_oldest(other, None)
    assert queue.is_oldest(7)


def test_what_is_older_than_one_that_has_begun_has_begun() -> None:
    queue = CanvasQueue()
    queue.record_poll(5, started=True, at=1.0, interval=INTERVAL)
    queue.record_poll(3, started=True, at=2.0, interval=INTERVAL)
    assert [queue.has_started(export_id) for export_id in (3, 5, 6)] == [True, True, False]


@given(st.lists(st.booleans()))
def test_the_pause_stays_within_bounds_and_shortens_only_while_the_queue_moves(moves: list[bool]) -> None:
    queue = CanvasQueue()
    for number, begun in enumerate(moves, start=1):
        before = queue.interval
        queue.record_poll(number, started=begun, at=float(number), interval=INTERVAL)
        if begun:
            assert INTERVAL.shortest / 50 <= queue.interval <= max(before / 2, INTERVAL.shortest / 50)
        else:
            assert max(before, INTERVAL.shortest) <= queue.interval <= INTERVAL.longest


def test_only_a_wait_of_the_oldest_says_that_the_others_wait() -> None:
    queue = CanvasQueue()
    queue.set_oldest(object(), 5)
    queue.record_poll(9, started=False, at=10.0, interval=INTERVAL)
    assert queue.queued_at < 10.0
    queue.record_poll(5, started=False, at=11.0, interval=INTERVAL)
    assert queue.queued_at == 11.0


def test_how_soon_an_export_can_be_done_is_said_once_enough_are_known() -> None:
    queue = CanvasQueue()
    for seconds in range(100, 119):
        queue.record_run_time(float(seconds))
    assert queue.shortest_run_time == 0.0
    queue.record_run_time(119.0)
    assert queue.shortest_run_time == pytest.approx(101.0)
    for _ in range(200):
        queue.record_run_time(10.0)
    assert queue.shortest_run_time == 10.0, "what was long ago is forgotten"


def test_a_process_has_one_queue_for_each_canvas() -> None:
    assert shared_queue("https://one.test") is shared_queue("https://one.test")
    assert shared_queue("https://one.test") is not shared_queue("https://other.test")
