"""``keep`` in a backup file: what it means, and every mistake with its line."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.support.backups.backup_files import Write

from canvas_exports.core.archive.retention.policy import Policy
from canvas_exports.core.archive.retention.policy_fields import FIELDS, HOLD_FIELDS, read_keep
from canvas_exports.core.backups import load_backups
from canvas_exports.core.backups.schema import schema
from canvas_exports.core.backups.summary import summarize
from canvas_exports.core.model.contexts import Context
from canvas_exports.errors import InputError

HEAD = "name: nightly\nschedule: '@daily'\narchive: file:///archive\ncourses: {ids: [101]}\n"
ALL = """timezone: America/Chicago
keep:
  last: 7
  daily: 14
  weekly: 8
  monthly: 12
  yearly: 5
  within: P30D
  proven: 2
  hold:
    courses: [101, "sis_course_id:BIO-101", "group:7"]
    terms: [Fall 2026]
  apply: true
"""


def test_every_field_reaches_the_policy(write: Write) -> None:
    (backup,) = load_backups(write(HEAD + ALL)).backups
    assert backup.keep is not None
    rules = {name: value for name, value in backup.keep.items() if name != "apply"}
    policy = read_keep(rules, timezone=backup.timezone)
    assert (policy.last, policy.daily, policy.weekly, policy.monthly, policy.yearly) == (7, 14, 8, 12, 5)
    assert (policy.within, policy.proven, policy.timezone) == (timedelta(days=30), 2, "America/Chicago")
    assert policy.holds.contexts[2] == Context.parse("group:7")
    assert policy.holds.terms == ("Fall 2026",)


def test_the_schema_knows_what_the_engine_reads() -> None:
    rule: dict[str, Any] = schema()["properties"]["keep"]["properties"]
    assert set(rule) == {*FIELDS, "apply"}
    assert set(rule["hold"]["properties"]) == set(HOLD_FIELDS)
    assert rule["proven"]["default"] == Policy(last=1).proven


def test_the_backups_page_says_it_in_english(write: Write) -> None:
    (backup,) = load_backups(write(HEAD + ALL)).backups
    text = summarize(backup)
    assert "keep the newest 7 copies, the newest of each of the last 14 days" in text
    assert "days begin in America/Chicago time" in text
    assert "All others are deleted." in text
    assert (
        "`report` lists the outcome of every course; `retention` lists the copies that are deleted." in text
    )


def test_it_says_that_nothing_is_deleted_until_apply_is_true(write: Write) -> None:
    (backup,) = load_backups(write(HEAD + "keep: {daily: 14}\n")).backups
    assert "The others are listed and not deleted, because `apply: true` is not set." in summarize(backup)


@pytest.mark.parametrize(
    ("written", "line", "said"),
    [
        (
            "keep:\n  apply: true\n",
            5,
            "keep: a policy without a rule would delete all but the newest copies.",
        ),
        ("keep:\n  proven: 2\n", 5, "keep: a policy without a rule would delete"),
        ("keep: {}\n", 5, "keep: is empty."),
        ("keep:\n  daily: 0\n", 6, "keep.daily: 0 is out of range. Accepted: 1 or more."),
        ("keep:\n  daily: many\n", 6, "keep.daily: 'many' is not a whole number."),
        ("keep:\n  last: 1\n  hourly: 3\n", 7, "keep.hourly: there is no such field."),
        ("keep:\n  last: 1\n  within: 30 days\n", 7, "keep.within: '30 days' does not fit."),
        ("keep:\n  last: 1\n  within: PT0S\n", 7, "keep.within: 0:00:00 would keep nothing."),
        ("keep:\n  last: 1\n  apply: maybe\n", 7, "keep.apply: 'maybe' is not true or false."),
        ("keep:\n  last: 1\n  hold: {tags: [legal]}\n", 7, "keep.hold.tags: there is no such field."),
        (
            "keep:\n  last: 1\n  hold:\n    courses:\n      - 101\n      - user:self\n",
            10,
            "keep.hold.courses[1]: no manifest contains this id, so the copies of user:self are unknown.",
        ),
        ("keep: 14\n", 5, "keep: 14 is not a mapping of fields to values."),
    ],
)
def test_every_mistake_is_reported_with_its_line(write: Write, written: str, line: int, said: str) -> None:
    (problem,) = load_backups(write(HEAD + written)).problems
    assert str(problem).startswith(f"include/backups/nightly.yaml, line {line}, {said}")


class TestFromADag:
    """An operator's ``keep`` has passed no schema."""

    @pytest.mark.parametrize(
        ("keep", "said"),
        [
            ({"daily": "14"}, "daily: '14' is not a whole number."),
            ({"daily": True}, "daily: True is not a whole number."),
            ({"hourly": 3}, "keep.hourly: there is no such field."),
            ({"last": 1, "hold": [101]}, r"hold: \[101\] is not a mapping."),
            ({"last": 1, "hold": {"courses": "101"}}, "hold.courses: '101' is not a list."),
            ({"last": 1, "hold": {"tags": ["x"]}}, "hold.tags: there is no such field."),
            ({"last": 1, "within": "soon"}, "within: 'soon' is not a length of time."),
        ],
    )
    def test_bad_input(self, keep: dict[str, Any], said: str) -> None:
        with pytest.raises(InputError, match=said):
            read_keep(keep)

    def test_what_is_none_counts_as_left_out(self) -> None:
        assert read_keep({"last": 1, "daily": None, "within": timedelta(days=3)}) == Policy(
            last=1, within=timedelta(days=3)
        )
