"""Exports of a batch in any state, for property tests."""

from __future__ import annotations

from datetime import datetime, timezone

from hypothesis import strategies as st

from canvas_exports.core.export.engine.items import MAX_REASON, Item, State
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.model.probes import EQUAL, MISS, SKIPPED, ProbeFacts

TIMES = st.none() | st.floats(0, 2e9)
IDS = st.none() | st.integers(1, 10**18)
PROBES = st.builds(
    ProbeFacts,
    read_at=st.integers(0, 4 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, timezone.utc)),
    updated_at=st.none() | st.sampled_from(["2026-11-23T02:00:00Z", "2026-11-23T03:00:00.5+01:00"]),
    source=st.none() | st.sampled_from(["list", "pages", "aliases"]),
    fingerprint=st.none() | st.sampled_from(["0123456789abcdef" * 4, "f" * 64]),
    fingerprint_version=st.integers(0, 9),
    new_quizzes=st.none() | st.booleans(),
)
ITEMS = st.builds(
    Item,
    context=st.sampled_from(["course:101", "course:sis_course_id:BIO/é", "group:7", "user:self"]),
    export_type=st.sampled_from(["common_cartridge", "qti", "zip"]),
    state=st.sampled_from(State),
    canvas_id=IDS,
    export_id=IDS,
    progress_id=IDS,
    intended_at=TIMES,
    created_at=TIMES,
    changed_at=TIMES,
    completion=st.none() | st.floats(0, 100),
    creations=st.integers(0, 9),
    fetches=st.integers(0, 9),
    outcome=st.none() | st.sampled_from(Outcome),
    reason=st.none() | st.text(max_size=MAX_REASON),
    size=st.none() | st.integers(0, 10**13),
    findings=st.integers(0, 201),
    key=st.none() | st.text(max_size=50),
    label=st.none() | st.text(max_size=40),
    seconds=TIMES,
    to_probe=st.booleans(),
    probe=st.none() | PROBES,
    probe_result=st.none() | st.sampled_from([SKIPPED, EQUAL, MISS]),
)
