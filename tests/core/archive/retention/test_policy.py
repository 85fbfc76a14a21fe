"""Which copies a policy chooses, against a reference that is written as plainly as can be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.archives.random_archives import ARCHIVES, NOW, Spec, copies
from tests.support.archives.retention_plans import night, policies

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.retention.holds import Holds
from canvas_exports.core.archive.retention.policy import COUNTS, Policy
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.errors import InputError


def kept(policy: Policy, *specs: Spec) -> set[int]:
    """The places of the copies that stay."""
    made = copies(specs)
    chosen = policy.choose(made, NOW)
    return {place for place, copy in enumerate(made) if copy.key in chosen}


# The reference: every rule by itself, over plain lists, with nothing shared and nothing saved.


def reference(policy: Policy, made: list[Copy], now: datetime) -> set[str]:
    proven = [copy for copy in made if copy.is_proven]
    others = [copy for copy in made if not copy.is_proven]
    stays = by_rules(policy, proven, proven, now) | by_rules(policy, others, made, now)
    line = sorted(proven, key=age)
    stays |= {copy.key for copy in line[: policy.proven]}
    packages: list[str] = []
    for copy in line:
        if copy.package.key not in packages:
            packages.append(copy.package.key)
    for package in packages[: policy.proven]:
        stays.add(min((copy for copy in proven if copy.package.key == package), key=age).key)
    return stays


def by_rules(policy: Policy, chosen_from: list[Copy], measured_by: list[Copy], now: datetime) -> set[str]:
    zone = ZoneInfo(policy.timezone)
    names: dict[str, Callable[[datetime], str]] = {
        "daily": lambda at: at.strftime("%Y-%m-%d"),
        "weekly": lambda at: at.strftime("%G-%V"),
        "monthly": lambda at: at.strftime("%Y-%m"),
        "yearly": lambda at: at.strftime("%Y"),
    }
    stays = {copy.key for copy in sorted(chosen_from, key=age)[: policy.last or 0]}
    for rule, name in names.items():
        label = {copy.key: name(copy.created_at.astimezone(zone)) for copy in chosen_from}
        for period in sorted(set(label.values()), reverse=True)[: getattr(policy, rule) or 0]:
            stays.add(min((copy for copy in chosen_from if label[copy.key] == period), key=age).key)
    if policy.within and measured_by:
        newest = min(max(copy.created_at for copy in measured_by), now)
        stays |= {copy.key for copy in chosen_from if newest - copy.created_at <= policy.within}
    return stays


def age(copy: Copy) -> tuple[float, int]:
    return -copy.created_at.timestamp(), -copy.export.id


@settings(max_examples=300, deadline=None)
@given(policies(), ARCHIVES)
def test_it_chooses_what_the_reference_chooses(policy: Policy, specs: list[Spec]) -> None:
    made = copies(specs)
    assert set(policy.choose(made, NOW)) == reference(policy, made, NOW)


@settings(max_examples=100, deadline=None)
@given(policies(), ARCHIVES)
def test_copies_that_are_not_proven_never_cause_a_proven_one_to_go(policy: Policy, specs: list[Spec]) -> None:
    made = copies(specs)
    proven = [copy for copy in made if copy.is_proven]
    alone = policy.choose(proven, NOW)
    among = policy.choose(made, NOW)
    assert {copy.key for copy in proven} & set(among) == set(alone)


@settings(max_examples=100, deadline=None)
@given(policies(), ARCHIVES, st.sampled_from([*COUNTS, "within", "proven"]))
def test_a_larger_policy_keeps_all_that_a_smaller_one_keeps(
    policy: Policy, specs: list[Spec], rule: str
) -> None:
    more: Any = timedelta(days=1) if rule == "within" else 1
    old = getattr(policy, rule)
    larger = replace(policy, **{rule: more if old is None else old + more})
    made = copies(specs)
    assert set(policy.choose(made, NOW)) <= set(larger.choose(made, NOW))


@settings(max_examples=100, deadline=None)
@given(policies(), ARCHIVES, st.integers(0, 900))
def test_what_it_chose_it_chooses_again_whatever_time_has_passed(
    policy: Policy, specs: list[Spec], days: int
) -> None:
    made = copies(specs)
    chosen = policy.choose(made, NOW)
    left = [copy for copy in made if copy.key in chosen]
    assert set(policy.choose(left, NOW + timedelta(days=days))) == set(chosen)


class TestRules:
    def test_last(self) -> None:
        assert kept(Policy(last=2), night(3), night(1), night(2)) == {1, 2}

    def test_of_each_day_the_newest(self) -> None:
        late = replace(night(1), at=night(1).at + timedelta(hours=9))
        assert kept(Policy(daily=2), night(1), late, night(2), night(3)) == {1, 2}

    def test_days_without_a_copy_are_passed_over(self) -> None:
        assert kept(Policy(daily=2), night(1), night(300), night(301)) == {0, 1}

    def test_weeks_begin_on_monday_and_cross_the_year(self) -> None:
        monday = Spec(datetime(2025, 12, 29, 12, tzinfo=timezone.utc))
        friday = Spec(datetime(2026, 1, 2, 12, tzinfo=timezone.utc))
        sunday_before = Spec(datetime(2025, 12, 28, 12, tzinfo=timezone.utc))
        assert kept(Policy(weekly=5), sunday_before, monday, friday) == {0, 2}

    def test_months_and_years(self) -> None:
        assert kept(Policy(monthly=2), night(0), night(1), night(40), night(80)) == {0, 1}
        assert kept(Policy(yearly=2), night(0), night(40), night(80), night(500)) == {0, 1}

    def test_within_is_measured_from_the_newest_copy(self) -> None:
        policy = Policy(within=timedelta(days=30))
        assert kept(policy, night(500), night(520), night(531)) == {0, 1}

    def test_a_copy_from_the_future_is_no_measure(self) -> None:
        policy = Policy(within=timedelta(days=30))
        assert kept(policy, night(-9000), night(1), night(29), night(40)) == {0, 1, 2}

    def test_days_begin_where_the_backup_says(self) -> None:
        """23:30 and 0:30 in Chicago are one day in UTC."""
        specs = (
            Spec(datetime(2026, 7, 2, 4, 30, tzinfo=timezone.utc)),
            Spec(datetime(2026, 7, 2, 5, 30, tzinfo=timezone.utc)),
        )
        assert kept(Policy(daily=9), *specs) == {1}
        assert kept(Policy(daily=9, timezone="America/Chicago"), *specs) == {0, 1}

    def test_the_hour_that_comes_twice_is_of_one_day(self) -> None:
        """On the first of November the clocks of Chicago show 1:30 twice."""
        first = datetime(2026, 11, 1, 6, 30, tzinfo=timezone.utc)
        specs = Spec(first), Spec(first + timedelta(hours=1))
        assert kept(Policy(daily=2, timezone="America/Chicago"), *specs) == {1}

    def test_an_unchanged_course_has_more_than_one_package_kept(self) -> None:
        """Two proven copies that name one package are one package."""
        unchanged = [night(day, shares=1) for day in (3, 2, 1)]
        assert kept(Policy(last=1, proven=2), night(9), night(4), *unchanged) == {0, 3, 4}

    def test_what_is_not_proven_is_counted_by_itself(self) -> None:
        bad = [night(day, verdict=Verdict.INCOMPLETE) for day in (1, 2, 3)]
        assert kept(Policy(last=2), *bad, night(50), night(51), night(52)) == {0, 1, 3, 4}

    def test_broken_nights_do_not_age_a_proven_copy(self) -> None:
        bad = [night(day, verdict=Verdict.INCOMPLETE) for day in (1, 40)]
        assert kept(Policy(within=timedelta(days=30)), *bad, night(100), night(120)) == {0, 2, 3}

    def test_copies_that_are_not_proven_grow_old_beside_proven_ones(self) -> None:
        bad = [night(day, verdict=Verdict.INCOMPLETE) for day in (100, 101)]
        assert kept(Policy(within=timedelta(days=30)), *bad, night(1)) == {2}

    def test_it_says_by_which_rules(self) -> None:
        (copy,) = copies([night(1)])
        policy = Policy(last=1, daily=1, within=timedelta(days=1))
        assert policy.choose([copy], NOW) == {copy.key: ("last", "daily", "within", "proven")}


class TestRefusals:
    def test_an_empty_policy_is_refused(self) -> None:
        empty: list[dict[str, Any]] = [{}, {"proven": 3}, {"holds": Holds(terms=("Fall 2026",))}]
        for fields in empty:
            with pytest.raises(InputError, match="without a rule"):
                Policy(**fields)

    @pytest.mark.parametrize("rule", [*COUNTS, "proven"])
    @pytest.mark.parametrize("number", [0, -1])
    def test_a_rule_that_keeps_nothing_is_refused(self, rule: str, number: int) -> None:
        fields: dict[str, Any] = {"last": 3, rule: number}
        with pytest.raises(InputError, match=f"{rule}: {number} would keep nothing"):
            Policy(**fields)

    def test_so_is_no_time_at_all(self) -> None:
        with pytest.raises(InputError, match="within"):
            Policy(within=timedelta(0))

    @pytest.mark.parametrize("zone", ["Chicago", "../etc/passwd", ""])
    def test_a_time_zone_that_is_none(self, zone: str) -> None:
        with pytest.raises(InputError, match="time zone"):
            Policy(last=1, timezone=zone)


def test_a_time_zone_is_read_as_that_of_a_schedule_is() -> None:
    assert Policy(last=1, timezone="utc").zone.utcoffset(NOW) == timedelta(0)


class TestSentence:
    def test_all_rules(self) -> None:
        policy = Policy(
            last=7,
            daily=14,
            weekly=8,
            monthly=12,
            yearly=5,
            within=timedelta(days=30),
            proven=2,
            timezone="America/Chicago",
            holds=Holds((Context.parse("101"), Context.parse("sis_course_id:BIO")), ("Fall 2026",)),
        )
        assert policy.sentence() == (
            "Of each course and export type, keep the newest 7 copies, the newest of each of the last 14 days, each of the "
            "last 8 weeks, each of the last 12 months and each of the last 5 years with a copy, all that are at most 30 days "
            "older than the newest and in any case the newest 2 proven copies; days begin in America/Chicago time. Copies "
            "that are not proven are counted by themselves. Held whatever their age: those of course:101, those of "
            "course:sis_course_id:BIO, those of the term Fall 2026 and those with a tag."
        )

    def test_one_rule(self) -> None:
        assert Policy(daily=1, within=timedelta(hours=30)).sentence() == (
            "Of each course and export type, keep the newest of the last day with a copy, all that are at most 30 hours "
            "older than the newest and in any case the newest proven copy; days begin in UTC time. Copies that are not "
            "proven are counted by themselves. Held whatever their age: those with a tag."
        )
