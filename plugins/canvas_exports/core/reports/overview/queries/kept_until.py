"""Say until which day the rules of a retention policy keep a copy at least."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import pendulum

from canvas_exports.core.archive.catalog.copies import Copy, oldest_first
from canvas_exports.core.archive.retention.policy import Policy

_DATED = ("daily", "weekly", "monthly", "yearly", "within")


def kept_until(policy: Policy, group: Iterable[Copy], copy: Copy, rules: Iterable[str]) -> date | None:
    """Return the day to which the rules keep a copy, if from now on a copy is made in each of their periods.

    No rule deletes a copy because time passes, so without newer copies it is kept for longer. ``last``, ``proven`` and holds keep
    it for an unknown time: then ``None``.

    Args:
        policy: of the backup.
        group: the copies among which the policy counts (see ``policy.group_of``), with this one.
        copy: one of them.
        rules: names of the rules and holds that keep it.
    """
    named = list(rules)
    if not named or any(rule not in _DATED for rule in named):
        return None
    counted = [each for each in oldest_first(group)[::-1] if each.is_proven == copy.is_proven]
    return max(_until(policy, rule, counted, copy) for rule in named)


def _until(policy: Policy, rule: str, newest_first: Sequence[Copy], copy: Copy) -> date:
    made = copy.created_at.astimezone(policy.zone)
    if rule == "within":
        assert policy.within is not None
        return (made + policy.within).date()
    starts = list(
        dict.fromkeys(_start(rule, each.created_at.astimezone(policy.zone).date()) for each in newest_first)
    )
    kept: int = getattr(policy, rule)
    newer = starts.index(_start(rule, made.date()))
    return _later(rule, starts[0], kept - newer)


def _start(rule: str, day: date) -> date:
    """Return the first day of the period of a day."""
    if rule == "weekly":
        return day - timedelta(days=day.weekday())
    if rule == "monthly":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if rule == "yearly" else day


def _later(rule: str, start: date, periods: int) -> date:
    """Return the first day of a later period; of one beyond the calendar, its last day."""
    unit = {"daily": "days", "weekly": "weeks", "monthly": "months", "yearly": "years"}[rule]
    try:
        later = pendulum.date(start.year, start.month, start.day).add(**{unit: periods})
    except (ValueError, OverflowError):
        return date.max
    return date(later.year, later.month, later.day)
