"""A run is judged by the totals of those before it."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from canvas_exports.core.archive.alarms.judge_run import (
    judge_totals,
    list_shrank,
    many_courses,
    shrunk_list,
)
from canvas_exports.core.archive.catalog.runs import RunSummary
from canvas_exports.core.model.alarm import Alarm

AT = datetime(2026, 11, 23, tzinfo=timezone.utc)


def run(exports: int = 1000, *, changed: int = 100, size: int = 10**9) -> RunSummary:
    outcomes = {"stored": changed, "unchanged": exports - changed}
    return RunSummary(
        "runs/2026-11-23/nightly/r/report.json", "nightly", "r", AT, AT, exports, 0, size, outcomes
    )


USUAL = [run(changed=90 + night % 20, size=10**9 + night * 10**7) for night in range(20)]


class TestTheList:
    def test_half_of_it_gone_is_an_alarm(self) -> None:
        assert list_shrank(run(500), USUAL)

    @pytest.mark.parametrize("exports", [1000, 950, 801, 2000])
    def test_a_few_courses_less_or_many_more_are_none(self, exports: int) -> None:
        assert not list_shrank(run(exports), USUAL)

    def test_the_night_after_it_is_no_alarm_again(self) -> None:
        assert not list_shrank(run(500), [*USUAL, run(500)])

    def test_a_short_list_may_change_by_half(self) -> None:
        assert not list_shrank(run(4), [run(9)])

    def test_a_list_that_loses_as_much_each_week_is_ordinary(self) -> None:
        assert not list_shrank(run(500), [run(1000), run(500)] * 3 + [run(1000)])

    def test_without_a_run_before_there_is_nothing_to_compare(self) -> None:
        assert not list_shrank(run(500), [])

    def test_the_alarm_names_missing_courses(self) -> None:
        alarm = shrunk_list(run(500), run(1000), {"course:2", "course:1"})
        assert (alarm.code, alarm.scope, alarm.context) == ("list_shrank", "run", None)
        assert alarm.evidence["missing"] == ["course:1", "course:2"]
        assert alarm.evidence["before"] == {"exports": 1000}


class TestTotals:
    def codes(self, tonight: RunSummary, past: list[RunSummary]) -> list[str]:
        return [alarm.code for alarm in judge_totals(tonight, past)]

    def test_a_night_like_the_others_is_none(self) -> None:
        assert self.codes(run(changed=115), USUAL) == []

    def test_suddenly_most_courses_changed(self) -> None:
        assert self.codes(run(changed=900), USUAL) == ["many_changed"]

    def test_a_run_that_stores_much_more_than_usual(self) -> None:
        assert self.codes(run(size=20 * 10**9), USUAL) == ["store_growth"]

    def test_what_goes_on_for_days_is_told_at_its_beginning(self) -> None:
        begun = [run(changed=900, size=20 * 10**9)] * 2
        assert self.codes(run(changed=950, size=21 * 10**9), [*USUAL, *begun]) == []

    def test_one_such_night_does_not_hide_another_in_the_same_week(self) -> None:
        assert self.codes(run(changed=950), [*USUAL, run(changed=1000), *USUAL[:3]]) == ["many_changed"]

    def test_without_a_week_of_history_nothing_is_usual(self) -> None:
        assert self.codes(run(changed=1000, size=10**12), USUAL[:6]) == []


def test_many_courses_at_once_are_one_alarm() -> None:
    alarms = [Alarm("course_emptied", "course", "s", "n", context=f"course:{number}") for number in range(40)]
    together = many_courses(alarms, 1000)
    assert together is not None
    assert (together.code, together.scope) == ("many_courses", "run")
    assert together.evidence["after"] == {"courses": 40, "course_emptied": 40}
    assert many_courses(alarms[:9], 1000) is None
    assert many_courses(alarms, 5000) is None
