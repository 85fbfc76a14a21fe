"""The window is learnt, and never lets Canvas idle."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.export.engine.window import exports_to_request

COUNTS = st.integers(0, 200)


@given(largest=st.integers(1, 200), queued=COUNTS, running=COUNTS, finished=COUNTS)
def test_there_are_never_more_in_flight_than_the_largest(
    largest: int, queued: int, running: int, finished: int
) -> None:
    free = exports_to_request(largest, queued=queued, running=running, finished=finished)
    assert 0 <= free <= max(largest - queued - running, 0)


@given(largest=st.integers(1, 200), running=COUNTS, finished=COUNTS)
def test_with_nothing_queued_more_is_asked_for_until_the_window_is_full(
    largest: int, running: int, finished: int
) -> None:
    free = exports_to_request(largest, queued=0, running=running, finished=finished)
    assert (free > 0) == (running < largest)


@given(st.integers(1, 200))
def test_an_idle_canvas_is_filled_in_a_few_rounds(workers: int) -> None:
    asked = rounds = 0
    while asked < workers:
        asked += exports_to_request(200, queued=0, running=asked, finished=0)
        rounds += 1
    assert rounds <= 6


@given(running=COUNTS, queued=st.integers(1, 200), finished=COUNTS)
def test_what_queues_is_enough_for_what_ends_until_we_are_back(
    running: int, queued: int, finished: int
) -> None:
    free = exports_to_request(10_000, queued=queued, running=running, finished=finished)
    assert queued + free >= min(2 * finished, 10_000 - running)
    assert queued + free >= running / 2 or running + finished == 0


@given(running=COUNTS, queued=COUNTS, finished=COUNTS)
def test_no_more_queues_for_us_than_will_be_needed(running: int, queued: int, finished: int) -> None:
    free = exports_to_request(10_000, queued=queued, running=running, finished=finished)
    assert free == 0 or queued + free <= max(25, running, 2 * finished, running + finished)


def test_at_the_beginning_a_few_are_asked_for() -> None:
    assert exports_to_request(200, queued=0, running=0, finished=0) == 25
    assert exports_to_request(200, queued=25, running=0, finished=0) == 0
    assert exports_to_request(200, queued=4, running=0, finished=0) == 21, "a worker died while it was asking"
    assert exports_to_request(3, queued=0, running=0, finished=0) == 3
