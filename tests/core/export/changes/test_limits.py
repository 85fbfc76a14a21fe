from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.export.changes.limits import LARGEST, limit_of

WEEK = timedelta(days=7)
COURSES = st.integers(1, 10**6).map(lambda number: f"course:{number}")
DURATIONS = st.timedeltas(timedelta(days=1), timedelta(days=60))


@given(COURSES, DURATIONS, st.integers(0, 50), st.integers(0, 500))
def test_no_limit_is_longer_than_the_backup_says(
    course: str, longest: timedelta, misses: int, right: int
) -> None:
    limit = limit_of(course, longest, misses=misses, checks=misses + right)
    assert timedelta(0) < limit <= min(longest, LARGEST)


@given(COURSES, st.integers(0, 8), st.integers(0, 30))
def test_a_miss_halves_the_limit_and_four_checks_without_one_make_up_for_it(
    course: str, misses: int, right: int
) -> None:
    plain = limit_of(course, WEEK)
    due = limit_of(course, WEEK, misses=misses, checks=misses + right)
    halvings = max(misses - right // 4, 0)
    assert abs(due * 2**halvings - plain) < timedelta(milliseconds=1)
    assert limit_of(course, WEEK, misses=misses + 1, checks=misses + right + 5) == due


def test_courses_of_one_night_come_due_over_the_last_quarter_of_the_limit() -> None:
    limits = [limit_of(f"course:{number}", WEEK) for number in range(1000)]
    assert min(limits) >= 0.75 * WEEK
    assert 300 < sum(limit < 0.875 * WEEK for limit in limits) < 700
    assert limit_of("course:101", WEEK) == limit_of("course:101", WEEK)
