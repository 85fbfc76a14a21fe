"""Retention policies and plans of random archives."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from tests.support.archives.random_archives import NOW, ZONES, Shelf, Spec

from canvas_exports.core.archive.retention.plan import Plan, make_plan
from canvas_exports.core.archive.retention.policy import COUNTS, Policy

NUMBERS = st.integers(1, 4)


LENGTHS = st.integers(1, 2000).map(lambda hours: timedelta(hours=hours))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    named = draw(st.sets(st.sampled_from([*COUNTS, "within"]), min_size=1, max_size=3))
    rules: dict[str, Any] = {name: draw(LENGTHS if name == "within" else NUMBERS) for name in sorted(named)}
    return Policy(**rules, proven=draw(st.integers(1, 3)), timezone=draw(ZONES))


def night(day: int, **fields: Any) -> Spec:
    """A copy of two in the morning in Chicago, days before ``NOW``."""
    return Spec((NOW - timedelta(days=day)).replace(hour=8), **fields)


KEEP_ONE = Policy(last=1)


def plan(shelf: Shelf, policy: Policy = KEEP_ONE, **options: Any) -> Plan:
    return make_plan(shelf, policy, now=NOW, **options)
