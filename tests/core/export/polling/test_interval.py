"""Polls are few, spread, and follow what is known."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.export.polling.interval import PollInterval

INTERVAL = PollInterval(shortest=5.0, longest=60.0)
SECONDS = st.floats(0, 1e6)


def delay(age: float = 0.0, completion: float | None = None, running_for: float = 0.0) -> float:
    """Without the spread."""
    return INTERVAL.next_poll(age=age, completion=completion, running_for=running_for, uniform=lambda: 0.5)


@given(
    age=SECONDS,
    completion=st.none() | st.floats(-10, 1000),
    running_for=SECONDS,
    luck=st.floats(0, 1, exclude_max=True),
)
def test_every_interval_is_within_its_limits_and_a_tenth(
    age: float, completion: float | None, running_for: float, luck: float
) -> None:
    seconds = INTERVAL.next_poll(
        age=age, completion=completion, running_for=running_for, uniform=lambda: luck
    )
    assert 0.9 * INTERVAL.shortest <= seconds <= 1.1 * INTERVAL.longest


def test_the_same_interval_is_spread_by_uniform() -> None:
    lucks = iter([0.0, 0.25, 0.5, 0.75, 0.999])
    delays = [
        INTERVAL.next_poll(age=200, completion=None, running_for=0, uniform=lucks.__next__) for _ in range(5)
    ]
    assert delays == sorted(set(delays))
    assert delays[-1] - delays[0] > 5.0


def test_the_first_looks_of_a_batch_are_spread_over_the_shortest_interval() -> None:
    assert INTERVAL.first_poll(lambda: 0.0) == 0.0
    assert INTERVAL.first_poll(lambda: 0.5) == 2.5
    assert INTERVAL.first_poll(lambda: 0.999) < 5.0


@given(st.lists(st.floats(0, 10_000), min_size=2, max_size=10))
def test_it_stretches_with_age_while_an_export_is_queued(ages: list[float]) -> None:
    delays = [delay(age=age) for age in sorted(ages)]
    assert delays == sorted(delays)
    assert delay(age=0) == 5.0
    assert delay(age=100) == 15.0
    assert delay(age=10_000) == 60.0


@given(st.floats(1, 100), st.floats(1, 100))
def test_it_shrinks_as_completion_nears_the_end(one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert delay(completion=more, running_for=100) <= delay(completion=less, running_for=100)


def test_it_follows_the_estimated_end_and_not_the_age() -> None:
    # A quarter done in 30 seconds leaves 90; half of that, and a late export is not looked at any less often.
    assert delay(age=30, completion=25.0, running_for=30) == 30.0
    assert delay(age=5_000, completion=25.0, running_for=30) == 30.0
    assert delay(age=5_000, completion=95.0, running_for=30) == 5.0


def test_completion_that_says_nothing_shapes_nothing() -> None:
    assert delay(age=100, completion=0.0) == delay(age=100, completion=None) == 15.0
    assert delay(completion=100.0, running_for=1e6) <= 60.0, (
        "complete, but not exported yet: it may take long"
    )
