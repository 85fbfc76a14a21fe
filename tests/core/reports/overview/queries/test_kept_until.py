"""The day to which a copy is kept at least, against nights to come that are simulated."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.archives.random_archives import NOW, ZONES, Spec, copies

from canvas_exports.core.archive.retention.policy import Policy
from canvas_exports.core.reports.overview.queries.kept_until import kept_until

DAY = timedelta(days=1)


@st.composite
def dated(draw: st.DrawFn) -> Policy:
    rules = draw(
        st.dictionaries(
            st.sampled_from(["daily", "weekly", "monthly", "yearly"]), st.integers(1, 3), min_size=1
        )
    )
    within = draw(st.sampled_from([None, timedelta(hours=30), 9 * DAY]))
    return Policy(**rules, within=within, timezone=draw(ZONES))  # type: ignore[arg-type] # numbers by name


@settings(max_examples=60, deadline=None)
@given(dated(), st.sets(st.integers(0, 90), min_size=1, max_size=12), st.integers(0, 11))
def test_no_copy_is_deleted_before_that_day_by_a_nightly_backup(
    policy: Policy, days: set[int], chosen: int
) -> None:
    made = copies(Spec(NOW - day * DAY) for day in sorted(days, reverse=True))
    copy = made[chosen % len(made)]
    rules = policy.choose(made, NOW).get(copy.key, ())
    until = kept_until(policy, made, copy, rules)
    if until is None:
        assert not rules or "proven" in rules
        return
    newest = NOW - min(days) * DAY
    later = newest
    while later.astimezone(policy.zone).date() < until and later < newest + 200 * DAY:
        assert copy.key in policy.choose(made, later), f"it is deleted on {later}"
        later += DAY
        made = [*made, *copies([Spec(later)])]


def test_what_has_no_end_has_no_day() -> None:
    made = copies([Spec(NOW - 2 * DAY), Spec(NOW - DAY)])
    policy = Policy(last=2, daily=9)
    assert kept_until(policy, made, made[0], ("last", "daily")) is None
    assert kept_until(policy, made, made[0], ("daily", "hold tag legal")) is None
    assert kept_until(policy, made, made[0], ("a rule of a later release",)) is None
    assert kept_until(policy, made, made[0], ()) is None
    assert kept_until(policy, made, made[0], ("daily",)) == (NOW + 7 * DAY).date()


def test_a_number_beyond_the_calendar_is_no_error() -> None:
    made = copies([Spec(NOW)])
    assert kept_until(Policy(yearly=10**6), made, made[0], ("yearly",)) is not None
    assert kept_until(Policy(daily=10**12), made, made[0], ("daily",)) is not None
