from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canvas_exports.core.export.changes.probe import LIST
from canvas_exports.core.export.changes.rule import (
    SETTLED,
    ExportReason,
    LastExport,
    NextExport,
    reason_to_export,
)
from canvas_exports.core.model.probes import ProbeFacts

T = TypeVar("T", ProbeFacts, NextExport)

ASKED = datetime(2026, 11, 23, 2, tzinfo=timezone.utc)
TONIGHT = ASKED + timedelta(days=1)
LIMIT = timedelta(days=7)
FINGERPRINT = "5e" * 32


def probe(**changed: Any) -> ProbeFacts:
    as_read = ProbeFacts(ASKED - timedelta(minutes=1), "2026-11-20T10:00:00Z", LIST, FINGERPRINT, 1, False)
    return replace(as_read, **changed)


def last(**changed: Any) -> LastExport:
    export = LastExport(True, ASKED, "canvas.example.edu", 7, "common_cartridge", probe=probe())
    return replace(export, **changed)


TONIGHT_PROBE = probe(read_at=TONIGHT)
WANTED = NextExport("canvas.example.edu", 7, "common_cartridge")


def reason(
    before: LastExport | None = None,
    tonight: ProbeFacts | None = TONIGHT_PROBE,
    wanted: NextExport = WANTED,
    now: datetime = TONIGHT,
) -> ExportReason | None:
    return reason_to_export(before or last(), tonight, wanted, limit=LIMIT, now=now)


def test_a_course_with_equal_probes_is_skipped() -> None:
    assert reason() is None
    assert reason(last(new_quizzes=0)) is None


@pytest.mark.parametrize(
    ("before", "why"),
    [
        (last(is_proven=False), ExportReason.NO_COPY),
        (last(select={"pages": [4]}), ExportReason.NO_COPY),
        (last(user_id=8), ExportReason.OTHER_USER),
        (last(user_id=None), ExportReason.OTHER_USER),
        (last(canvas_host="beta.example.edu"), ExportReason.OTHER_HOST),
        (last(export_type="qti"), ExportReason.OTHER_OPTIONS),
        (last(version="1.3"), ExportReason.OTHER_OPTIONS),
        (last(probe=None), ExportReason.NEVER_PROBED),
        (last(probe=probe(updated_at=None)), ExportReason.NEVER_PROBED),
        (last(probe=probe(updated_at="2026-11-20T10:00:00+00:00")), ExportReason.UPDATED),
        (last(probe=probe(fingerprint=None)), ExportReason.NO_FINGERPRINT),
        (last(probe=probe(fingerprint="5f" * 32)), ExportReason.FINGERPRINT),
        (last(probe=probe(fingerprint_version=2)), ExportReason.FINGERPRINT),
        (last(probe=probe(new_quizzes=None)), ExportReason.NEW_QUIZZES),
        (last(probe=probe(new_quizzes=True)), ExportReason.NEW_QUIZZES),
        (last(new_quizzes=1), ExportReason.NEW_QUIZZES),
        (last(probe=probe(read_at=ASKED + timedelta(minutes=1))), ExportReason.ODD_TIMES),
        (last(created_at=TONIGHT + timedelta(days=1)), ExportReason.ODD_TIMES),
        (last(created_at=TONIGHT), ExportReason.ODD_TIMES),
        (last(confirmed_at=ASKED), ExportReason.ODD_TIMES),
        (last(confirmed_at=ASKED - timedelta(days=1)), ExportReason.ODD_TIMES),
        (last(confirmed_at=TONIGHT + timedelta(hours=1)), ExportReason.ODD_TIMES),
        (last(confirmed_at=TONIGHT.replace(year=2999)), ExportReason.ODD_TIMES),
    ],
)
def test_whatever_is_wrong_with_the_last_copy_is_a_reason_to_export(
    before: LastExport, why: ExportReason
) -> None:
    assert reason(before) is why


@pytest.mark.parametrize(
    ("tonight", "why"),
    [
        (None, ExportReason.NOT_PROBED),
        (replace(TONIGHT_PROBE, updated_at=None), ExportReason.NOT_PROBED),
        (replace(TONIGHT_PROBE, updated_at=""), ExportReason.NOT_PROBED),
        (replace(TONIGHT_PROBE, updated_at="2026-11-24T01:00:00Z"), ExportReason.UPDATED),
        (replace(TONIGHT_PROBE, fingerprint=None), ExportReason.NO_FINGERPRINT),
        (replace(TONIGHT_PROBE, fingerprint_version=2), ExportReason.FINGERPRINT),
        (replace(TONIGHT_PROBE, new_quizzes=None), ExportReason.NEW_QUIZZES),
        (replace(TONIGHT_PROBE, new_quizzes=True), ExportReason.NEW_QUIZZES),
        (replace(TONIGHT_PROBE, read_at=ASKED - timedelta(minutes=1)), ExportReason.ODD_TIMES),
        (replace(TONIGHT_PROBE, read_at=TONIGHT + timedelta(hours=1)), ExportReason.ODD_TIMES),
    ],
)
def test_whatever_is_wrong_with_tonights_probe_is_a_reason_to_export(
    tonight: ProbeFacts | None, why: ExportReason
) -> None:
    assert reason(tonight=tonight) is why


def test_what_was_read_days_ago_says_nothing_about_today() -> None:
    assert reason(now=TONIGHT + timedelta(days=1)) is None
    assert reason(now=TONIGHT + timedelta(days=1, seconds=1)) is ExportReason.NOT_FRESH
    long_ago = TONIGHT + timedelta(days=8)
    assert reason(now=long_ago) is ExportReason.NOT_FRESH, (
        "so the limit forces nothing that could be compared"
    )


@pytest.mark.parametrize(
    "updated_at",
    [
        "2026-11-23T01:58:00Z",  # a minute before it was read
        "2026-11-23T01:54:01Z",  # a second short of five minutes
        "2027-11-23T00:00:00Z",  # in the future
        "yesterday",
        "2026-11-22 19:00:00",  # in which time zone?
        "2026-02-30T00:00:00Z",
    ],
)
def test_a_value_that_had_not_settled_when_it_was_read_proves_nothing(updated_at: str) -> None:
    before = last(probe=probe(updated_at=updated_at))
    assert reason(before, replace(TONIGHT_PROBE, updated_at=updated_at)) is ExportReason.NOT_SETTLED


def test_a_value_that_was_five_minutes_old_when_it_was_read_has_settled() -> None:
    settled = (probe().read_at - SETTLED).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert reason(last(probe=probe(updated_at=settled)), replace(TONIGHT_PROBE, updated_at=settled)) is None


def test_a_selection_is_never_skipped() -> None:
    assert reason(wanted=replace(WANTED, select={"pages": [4]})) is ExportReason.OTHER_OPTIONS


def test_a_course_without_a_copy_is_exported() -> None:
    assert reason_to_export(None, TONIGHT_PROBE, WANTED, limit=LIMIT, now=TONIGHT) is ExportReason.NO_COPY


def test_an_export_is_forced_at_the_limit_and_only_there() -> None:
    at = ASKED + LIMIT
    assert reason(tonight=probe(read_at=at), now=at) is ExportReason.LIMIT
    assert reason(tonight=probe(read_at=at), now=at - timedelta(seconds=1)) is None
    assert [each for each in ExportReason if each.is_forced] == [ExportReason.LIMIT]


def changed(whole: T, parts: Mapping[str, Any]) -> T:
    return replace(whole, **parts)


TIMES = st.timedeltas(timedelta(days=-20), timedelta(days=20)).map(lambda since: ASKED + since)
TEXTS = st.sampled_from(
    [None, "", "odd", "2026-11-20T10:00:00Z", "2026-11-23T02:00:00Z", "2027-01-01T00:00:00Z"]
)
# Parts of an export that would be skipped, each replaced now and then.
PROBE_PARTS = st.fixed_dictionaries(
    {},
    optional={
        "read_at": TIMES,
        "updated_at": TEXTS,
        "fingerprint": st.sampled_from([None, FINGERPRINT, "5f" * 32]),
        "fingerprint_version": st.integers(1, 2),
        "new_quizzes": st.sampled_from([None, True, False]),
    },
)
REQUEST_PARTS = {
    "canvas_host": st.sampled_from(["", "canvas.example.edu", "beta.example.edu"]),
    "user_id": st.sampled_from([None, 7, 8]),
    "export_type": st.sampled_from(["common_cartridge", "qti"]),
    "select": st.sampled_from([None, {"pages": [4]}]),
    "version": st.sampled_from([None, "1.3"]),
}
LAST_PARTS = st.fixed_dictionaries(
    {},
    optional={
        "is_proven": st.booleans(),
        "created_at": TIMES,
        "probe": st.none() | PROBE_PARTS.map(lambda parts: probe(**parts)),
        "new_quizzes": st.sampled_from([None, 0, 1]),
        **REQUEST_PARTS,
    },
)
LASTS = st.none() | LAST_PARTS.map(lambda parts: last(**parts))
PROBES = st.none() | PROBE_PARTS.map(lambda parts: changed(TONIGHT_PROBE, parts))
WANTEDS = st.fixed_dictionaries({}, optional=REQUEST_PARTS).map(lambda parts: changed(WANTED, parts))


@settings(max_examples=500)
@given(LASTS, PROBES, WANTEDS, st.just(TONIGHT) | TIMES)
def test_whenever_a_course_is_skipped_everything_that_was_promised_holds(
    before: LastExport | None, tonight: ProbeFacts | None, wanted: NextExport, now: datetime
) -> None:
    why = reason_to_export(before, tonight, wanted, limit=LIMIT, now=now)
    if why is not None and not why.is_forced:
        return
    assert before is not None
    assert before.is_proven
    assert before.select is None
    assert wanted.select is None
    assert before.user_id == wanted.user_id is not None
    assert before.canvas_host == wanted.canvas_host != ""
    assert (before.export_type, before.version) == (wanted.export_type, wanted.version)
    earlier = before.probe
    assert earlier is not None
    assert tonight is not None
    assert earlier.updated_at == tonight.updated_at
    assert earlier.updated_at is not None
    assert datetime.fromisoformat(earlier.updated_at.replace("Z", "+00:00")) <= earlier.read_at - SETTLED
    assert earlier.fingerprint == tonight.fingerprint is not None
    assert earlier.fingerprint_version == tonight.fingerprint_version
    assert earlier.new_quizzes is False
    assert tonight.new_quizzes is False
    assert not before.new_quizzes
    assert before.created_at < tonight.read_at
    assert (now - before.created_at >= LIMIT) == (why is ExportReason.LIMIT)
