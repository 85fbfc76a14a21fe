from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from canvas_exports.core.text.wording import (
    format_count,
    format_duration,
    format_moment,
    format_size,
    join_words,
)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-5, "0 s"),
        (0.4, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (12_000, "3 h 20 min"),
        (86_400, "1 day"),
        (200_000, "2 days"),
    ],
)
def test_a_length_of_time_is_written_in_two_units_at_most(seconds: float, told: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == told


def test_moments_are_written_in_utc() -> None:
    here = datetime(2026, 11, 23, 3, 30, tzinfo=timezone(timedelta(hours=-6)))
    assert format_moment(here) == "2026-11-23 09:30 UTC"
    assert format_moment(None) == "-"


def test_numbers_have_their_noun() -> None:
    assert [format_count(number, "run") for number in (0, 1, 2, 12_000)] == [
        "0 runs",
        "1 run",
        "2 runs",
        "12,000 runs",
    ]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_949, "99.9 kB"),
        (99_950, "100 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (1_234_567_890, "1.2 GB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_a_size_has_about_three_digits(size: int, text: str) -> None:
    assert format_size(size) == text


def test_words_are_joined() -> None:
    assert [join_words(parts) for parts in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
