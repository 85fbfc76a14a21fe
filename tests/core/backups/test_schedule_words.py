from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.backups.schedule_words import describe_cron


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("0 2 * * *", "every day at 02:00"),
        ("@daily", "every day at 00:00"),
        ("30 23 * * 7", "every Sunday at 23:30"),
        ("5 6 * * wed", "every Wednesday at 06:05"),
        ("@weekly", "every Sunday at 00:00"),
        ("@monthly", "on day 1 of every month at 00:00"),
        ("15 * * * *", "every hour, at minute 15"),
        ("@hourly", "every hour"),
        ("@yearly", "at `@yearly`"),
        ("0 2 * * 1-5", "at `0 2 * * 1-5`"),
        ("*/15 * * * *", "at `*/15 * * * *`"),
        ("0 2 15 * 1", "at `0 2 15 * 1`"),
        ("0 2 0 * *", "at `0 2 0 * *`"),
        ("0 24 * * *", "at `0 24 * * *`"),
    ],
)
def test_the_usual_schedules_are_words_and_all_others_stay_as_they_are(expression: str, words: str) -> None:
    assert describe_cron(expression) == words


@given(
    st.text(max_size=20)
    | st.lists(st.sampled_from(["*", "0", "7", "31", "60", "mon", "1-5", "\u00b2"])).map(" ".join)
)
def test_no_text_is_too_odd(expression: str) -> None:
    assert describe_cron(expression)
