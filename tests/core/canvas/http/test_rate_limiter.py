from __future__ import annotations

import os
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.canvas.scripted_canvas import Clock

from canvas_exports.core.canvas.http import rate_limiter as module
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter, RateLimits, shared_rate_limiter
from canvas_exports.errors import InputError


def make(clock: Clock, **limits: float) -> RateLimiter:
    return RateLimiter(RateLimits(**limits), clock=clock, jitter=lambda: 0.5)  # type: ignore[arg-type] # ints are floats


def take(rate_limiter: RateLimiter, clock: Clock) -> float:
    """Wait for a place; how long it took."""
    start = clock.now
    while (wait := rate_limiter.try_acquire()) > 0:
        clock.now += wait
        assert clock.now - start < 600
    return clock.now - start


FULL = 0.03
"""What ``try_acquire`` says, with our jitter, to those who wait for a place rather than for time to pass."""


def settled(rate_limiter: RateLimiter, clock: Clock, left: float) -> int:
    """Go through rounds of answers that report so much left beside our own; how many are under way in the last one."""
    under_way = 0
    for _ in range(12):
        under_way = 0
        while (wait := rate_limiter.try_acquire()) != FULL:
            under_way += wait == 0
            clock.now += wait
        for others in range(under_way - 1, -1, -1):
            rate_limiter.succeeded(remaining=left - 50 * others)
    return under_way


def test_it_begins_with_one_and_takes_one_more_after_each_round_of_answers(clock: Clock) -> None:
    rate_limiter = make(clock)
    rounds = []
    for _ in range(7):
        under_way = 0
        while rate_limiter.try_acquire() == 0:
            under_way += 1
        rounds.append(under_way)
        for others in range(under_way - 1, -1, -1):
            rate_limiter.succeeded(remaining=600 - 50 * others, cost=0.05)
    assert rounds == [1, 2, 3, 4, 5, 5, 5]


def test_after_a_silence_it_begins_with_one_again(clock: Clock) -> None:
    rate_limiter = make(clock)
    assert settled(rate_limiter, clock, 600) == 5
    clock.now += 2
    assert rate_limiter.try_acquire() == 0
    assert rate_limiter.try_acquire() > 0


def test_the_pace_slackens_smoothly_as_the_budget_sinks(clock: Clock) -> None:
    gaps = []
    for left in (600, 400, 390, 300, 200, 160):
        rate_limiter = make(clock, outflow=0.001)
        rate_limiter.try_acquire()
        rate_limiter.succeeded(remaining=left)
        gaps.append(take(rate_limiter, clock))
    assert gaps == sorted(gaps)
    assert gaps[:2] == [0, 0]
    assert 0 < gaps[2] < 0.01
    assert gaps[-1] > 1


def test_below_the_floor_nothing_is_sent_until_it_has_recovered(clock: Clock) -> None:
    rate_limiter = make(clock)
    rate_limiter.try_acquire()
    rate_limiter.succeeded(remaining=50)
    assert take(rate_limiter, clock) == pytest.approx(10, rel=0.1)  # (150 - 50) / 10 per second
    assert rate_limiter.remaining >= 150


def test_costly_requests_are_spread_so_that_the_budget_keeps_up(clock: Clock) -> None:
    rate_limiter = make(clock)
    true_left = 600.0
    lowest = true_left
    for _ in range(200):
        waited = take(rate_limiter, clock)
        clock.now += 0.5
        true_left = min(600, true_left + 10 * (waited + 0.5)) - 40
        lowest = min(lowest, true_left)
        rate_limiter.succeeded(remaining=true_left, cost=40)
    assert lowest > 110


def test_half_of_what_the_others_leave_is_taken_and_never_nothing(clock: Clock) -> None:
    lefts = (1200, 600, 500, 300, 160)
    assert [settled(make(clock, outflow=0.001), clock, left) for left in lefts] == [5, 5, 4, 2, 1]


def test_no_sleep_is_so_long_that_news_would_be_missed(clock: Clock) -> None:
    rate_limiter = make(clock)
    rate_limiter.try_acquire()
    rate_limiter.succeeded(remaining=-200)
    assert 0 < rate_limiter.try_acquire() <= 1


def test_what_trickles_back_is_not_counted_on_before_canvas_says_so(clock: Clock) -> None:
    rate_limiter = make(clock)
    for _ in range(20):  # each costs what leaks in five seconds, and seven others do the same
        take(rate_limiter, clock)
        rate_limiter.succeeded(remaining=200, cost=50)
    assert take(rate_limiter, clock) > 20
    assert rate_limiter.remaining > 400


def test_a_refusal_silences_everybody_and_longer_each_time(clock: Clock) -> None:
    rate_limiter = make(clock, floor=0, slow_below=1)
    stop_signal = []
    take(rate_limiter, clock)
    for _ in range(8):
        rate_limiter.throttled(remaining=30)
        stop_signal.append(take(rate_limiter, clock))
    assert stop_signal[:3] == [2, 4, 8]
    assert stop_signal[-1] == 60
    rate_limiter.succeeded(remaining=600)
    take(rate_limiter, clock)
    rate_limiter.throttled()
    assert take(rate_limiter, clock) == 2  # an answer in between, and the count starts anew


def test_refusals_of_requests_under_way_together_count_as_one(clock: Clock) -> None:
    rate_limiter = make(clock, floor=0, slow_below=1)
    settled(rate_limiter, clock, 600)
    while rate_limiter.try_acquire() == 0:
        pass
    assert rate_limiter.in_flight == 5
    for _ in range(5):
        rate_limiter.throttled()
    assert take(rate_limiter, clock) == 2


def test_a_refusal_is_not_belied_by_the_number_it_carries(clock: Clock) -> None:
    rate_limiter = make(clock)
    rate_limiter.try_acquire()
    rate_limiter.throttled(remaining=590)
    assert rate_limiter.remaining == 50
    assert take(rate_limiter, clock) == 2


def test_a_refusal_that_says_how_far_below_we_are_is_waited_out_before_one_may_try(clock: Clock) -> None:
    rate_limiter = make(clock)
    rate_limiter.try_acquire()
    rate_limiter.throttled(remaining=-150)
    assert take(rate_limiter, clock) == 20  # (50 + 150) / 10 per second
    assert rate_limiter.try_acquire() > 0  # one, until it is answered


def test_retry_after_is_honoured_within_reason(clock: Clock) -> None:
    rate_limiter = make(clock)
    rate_limiter.try_acquire()
    rate_limiter.throttled(retry_after=45)
    assert take(rate_limiter, clock) == 45
    rate_limiter.throttled(retry_after=1e9)
    assert take(rate_limiter, clock) == 300


def test_nobody_sleeps_through_a_retry_after_and_a_later_answer_ends_it(clock: Clock) -> None:
    rate_limiter = make(clock)
    settled(rate_limiter, clock, 600)
    while rate_limiter.try_acquire() == 0:
        pass
    rate_limiter.throttled(retry_after=300)
    assert rate_limiter.try_acquire() == 1  # and asks again
    clock.now += 1
    while rate_limiter.in_flight:
        rate_limiter.succeeded(remaining=550)
    assert take(rate_limiter, clock) <= 10  # what we hold after any refusal


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["succeeded", "throttled"]),
            st.none() | st.floats(),
            st.none() | st.floats(),
        ),
        max_size=30,
    )
)
@settings(derandomize=True, max_examples=150)
def test_whatever_is_reported_the_wait_is_finite_and_bounded(
    told: list[tuple[str, float | None, float | None]],
) -> None:
    clock = Clock()
    rate_limiter = make(clock)
    for kind, one, other in told:
        assert take(rate_limiter, clock) <= 400
        if kind == "succeeded":
            rate_limiter.succeeded(remaining=one, cost=other)
        else:
            rate_limiter.throttled(remaining=one, retry_after=other)
        assert 0 <= rate_limiter.try_acquire() <= 1 or rate_limiter.in_flight == 1
        if rate_limiter.in_flight:
            rate_limiter.cancelled()
    assert take(rate_limiter, clock) <= 400
    assert -600 <= rate_limiter.remaining <= 60_000


def test_a_larger_bucket_is_learnt_and_a_negative_one_survived(clock: Clock) -> None:
    rate_limiter = make(clock)
    rate_limiter.try_acquire()
    rate_limiter.succeeded(remaining=1200)
    assert rate_limiter.remaining == 1200
    rate_limiter.try_acquire()
    rate_limiter.succeeded(remaining=-200)
    assert rate_limiter.remaining == -200
    assert take(rate_limiter, clock) == pytest.approx(35, rel=0.1)


def test_answers_without_headers_change_nothing(clock: Clock) -> None:
    rate_limiter = make(clock)
    rate_limiter.try_acquire()
    rate_limiter.succeeded()
    rate_limiter.try_acquire()
    rate_limiter.cancelled()
    assert (rate_limiter.remaining, rate_limiter.in_flight) == (600, 0)


def test_a_clock_that_stands_still_or_jumps_back_does_no_harm(clock: Clock) -> None:
    rate_limiter = make(clock)
    rate_limiter.try_acquire()
    rate_limiter.succeeded(remaining=300)
    clock.now -= 100
    assert rate_limiter.remaining == 300


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["try_acquire", "succeeded", "throttled", "cancelled"]),
            st.floats(-200, 700),
            st.floats(0, 60),
            st.floats(0, 30),
        ),
        max_size=60,
    )
)
@settings(derandomize=True, max_examples=150)
def test_never_too_many_under_way_and_always_a_wait_that_ends(
    steps: list[tuple[str, float, float, float]],
) -> None:
    clock = Clock()
    rate_limiter = make(clock)
    taken = 0
    for action, left, cost, passed in steps:
        clock.now += passed
        if action == "try_acquire":
            wait = rate_limiter.try_acquire()
            taken += wait == 0
            assert 0 <= wait <= 400
        elif taken:
            taken -= 1
            if action == "succeeded":
                rate_limiter.succeeded(remaining=left, cost=cost)
            elif action == "throttled":
                rate_limiter.throttled(remaining=left)
            else:
                rate_limiter.cancelled()
        assert rate_limiter.in_flight == taken <= 5
    for _ in range(taken):
        rate_limiter.cancelled()
    take(rate_limiter, clock)


def test_threads_never_hold_more_places_than_there_are() -> None:
    rate_limiter = RateLimiter(RateLimits(max_in_flight=3))
    most = 0

    def work() -> None:
        nonlocal most
        for _ in range(200):
            if rate_limiter.try_acquire() == 0:
                most = max(most, rate_limiter.in_flight)
                rate_limiter.succeeded(remaining=600)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= most <= 3
    assert rate_limiter.in_flight == 0


@pytest.mark.parametrize(
    "limits",
    [
        {"max_in_flight": 0},
        {"outflow": 0},
        {"reservation": -1},
        {"floor": 500},
        {"slow_below": 700},
        {"floor": -1},
    ],
)
def test_limits_that_cannot_work_are_refused(limits: dict[str, float]) -> None:
    with pytest.raises(InputError):
        RateLimits(**limits)  # type: ignore[arg-type] # ints are floats


def test_the_process_shares_one_budget_per_host_and_token() -> None:
    one = shared_rate_limiter("https://a.example.edu", "t1")
    assert shared_rate_limiter("https://a.example.edu", "t1") is one
    assert shared_rate_limiter("https://a.example.edu", "t2") is not one
    assert shared_rate_limiter("https://b.example.edu", "t1") is not one
    assert "t1" not in repr(module._shared)


def test_limits_given_later_hold_for_everybody() -> None:
    one = shared_rate_limiter("https://c.example.edu", "t")
    shared_rate_limiter("https://c.example.edu", "t", RateLimits(max_in_flight=1))
    assert one.limits.max_in_flight == 1
    assert shared_rate_limiter("https://c.example.edu", "t").limits.max_in_flight == 1


def test_a_forked_child_starts_with_budgets_of_its_own() -> None:
    parents = shared_rate_limiter("https://d.example.edu", "t")
    parents.try_acquire()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover -- the child is not measured
        try:
            with module._shared_lock:
                known = len(module._shared)
            os.write(
                writer, f"{known} {shared_rate_limiter('https://d.example.edu', 't').in_flight}".encode()
            )
        finally:
            os._exit(0)
    os.close(writer)
    assert os.read(reader, 100) == b"0 0"
    os.waitpid(child, 0)
    os.close(reader)
    assert parents.in_flight == 1
