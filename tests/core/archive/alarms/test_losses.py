"""A number that fell by more than it should is told from edits and clean-ups."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from canvas_exports.core.archive.alarms.losses import ORDINARY, is_loss

NUMBERS = some.integers(0, 100_000)


@pytest.mark.parametrize(
    ("before", "after", "is_one"),
    [
        (100, 50, True),
        (100, 57, False),
        (10, 5, True),
        (10, 6, False),
        (3, 0, True),
        (2, 0, False),
        (5, 2, False),
        (0, 0, False),
        (40, 60, False),
    ],
)
def test_half_of_many_and_all_of_few(before: int, after: int, is_one: bool) -> None:
    assert is_loss(before, after) is is_one


def test_a_small_kind_may_lose_more_by_chance_where_everything_is_cleaned_up() -> None:
    assert is_loss(10, 4)
    assert not is_loss(10, 4, elsewhere=0.3)
    assert is_loss(400, 200, elsewhere=0.3)


def test_what_happened_three_times_before_is_ordinary_for_a_course() -> None:
    emptied_weekly = [20, 0, 20, 0, 20, 0, 20]
    assert is_loss(20, 0, emptied_weekly[:5])
    assert not is_loss(20, 0, emptied_weekly)


@given(NUMBERS, NUMBERS, some.lists(NUMBERS, max_size=20))
def test_history_and_the_rest_of_the_course_only_ever_quieten(
    before: int, after: int, earlier: list[int]
) -> None:
    if is_loss(before, after, earlier, elsewhere=0.3):
        assert is_loss(before, after)


@given(some.integers(6, 100_000), some.floats(0, ORDINARY))
def test_an_ordinary_share_is_no_loss(before: int, share: float) -> None:
    assert not is_loss(before, before - int(before * share))


@given(some.integers(10, 100_000), some.integers(0, 50_000))
def test_whoever_loses_more_than_a_loss_has_lost(before: int, left: int) -> None:
    left = min(left, before)
    if is_loss(before, left):
        assert is_loss(before, left // 2)
