"""A confirmed copy counts as a copy of the night in which the course was found unchanged; the gate alone looks at the export."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.archives.holdings import DAY, START, lay, manifest

from canvas_exports.core.archive.catalog.ages import ages
from canvas_exports.core.archive.catalog.assessment import assess
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.history import history
from canvas_exports.core.archive.catalog.index_segments import parse_row, row_of
from canvas_exports.core.archive.catalog.newest_copy import newest_copy
from canvas_exports.core.archive.catalog.promises import Promises
from canvas_exports.core.archive.catalog.read import Holding, copies_of, every_context
from canvas_exports.core.archive.deletion_gate import DeletionRule, refusal
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.archive.publishing.references import confirmation_key
from canvas_exports.core.archive.retention.apply import apply_plan
from canvas_exports.core.archive.retention.plan import Decision, make_plan
from canvas_exports.core.archive.retention.policy import Policy
from canvas_exports.core.archive.verification.candidates import candidates
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.restore.choose_copy import choose_from
from canvas_exports.core.restore.request import CopyChoice
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import Store

NOW = START + 30 * DAY
TEMPLATE = "{created}-{export_type}-{export_id}"


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path.as_uri(), tmp_path)


def confirm(store: Store, copy: Manifest, day: float) -> Manifest:
    """Confirm a copy, some days after ``START``."""
    at = START + day * DAY
    confirmed = replace(copy, confirmed_at=at, stored_at=at + timedelta(minutes=1))
    assert store.put_if_absent(confirmation_key(confirmed, TEMPLATE), confirmed.to_json())
    return confirmed


def course(store: Store, exports: Iterable[int], nights: int) -> Holding:
    """A course that was exported in some nights, and confirmed in all others."""
    last = None
    for day in range(nights):
        if day in exports or last is None:
            last = lay(store, manifest(day=day, export_id=501 + day))
        else:
            confirm(store, last, day)
    return copies_of(store, "course", 101)


def test_it_is_the_newest_copy_and_its_time_is_that_of_the_night(store: FileStore) -> None:
    holding = course(store, {0}, 5)
    assert not holding.unreadable
    assert [copy.created_at for copy in holding.copies] == [START + day * DAY for day in range(5)]
    found = newest_copy(store, "course", 101, lambda _: True)
    assert found is not None
    assert found[0].created_at == START + 4 * DAY
    assert assess(holding.copies).proven == holding.copies[-1]


def test_a_promised_age_is_kept_by_it(store: FileStore) -> None:
    holding = course(store, {0}, 5)
    promises = Promises(of_all=2 * DAY)
    for hours, kept in ((24, True), (50, False)):
        now = START + 4 * DAY + timedelta(hours=hours)
        found = promises.assess(assess(holding.copies), holding, "common_cartridge", now=now)
        assert found.is_good is kept


def test_the_age_of_the_newest_copy_is_its_own(store: FileStore) -> None:
    course(store, {0}, 5)
    found = ages(every_context(store), now=START + 5 * DAY)
    assert [one.created_at for one in found.oldest] == [START + 4 * DAY]


def test_history_says_that_it_was_not_exported(store: FileStore) -> None:
    events = history(course(store, {0}, 2))
    assert [(event.what, event.detail) for event in events] == [
        ("copy", ""),
        ("unchanged", f"not exported; as on {START:%Y-%m-%d}"),
    ]


def test_the_gate_looks_at_the_last_real_export(store: FileStore) -> None:
    holding = course(store, {0}, 9)
    rule = DeletionRule(level="directory", max_age=2 * DAY, min_archives=1)
    why = refusal(holding, "common_cartridge", rule, now=START + 9 * DAY)
    assert (
        why
        == "its newest copy is of 2026-11-01T02:00:00Z, 9 days ago; it was confirmed since, but not exported"
    )
    assert refusal(holding, "common_cartridge", replace(rule, max_age=10 * DAY), now=START + 9 * DAY) is None


def policy(rule: str, number: int) -> Policy:
    rules: dict[str, Any] = {rule: number}
    return Policy(**rules)


@given(
    st.sets(st.integers(0, 20)),
    st.integers(1, 25),
    st.sampled_from(["last", "daily", "weekly"]),
    st.integers(1, 4),
)
def test_retention_never_deletes_the_package_that_a_kept_copy_names(
    exports: set[int], nights: int, rule: str, number: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = FileStore(Path(folder).as_uri(), Path(folder))
        before = course(store, exports, nights)
        plan = make_plan(store, policy(rule, number), now=NOW)
        kept = [copy for context in plan.contexts for copy in context.of(Decision.KEEP)]
        assert before.copies[-1].key in {copy.key for copy in kept}
        assert len(kept) == min(nights, number) if rule == "daily" else kept
        apply_plan(store, plan)
        after = copies_of(store, "course", 101)
        assert {copy.key for copy in after.copies} == {copy.key for copy in kept}
        assert all(copy.is_present for copy in after.copies)


def test_a_row_of_the_index_holds_it(store: FileStore) -> None:
    holding = course(store, {0}, 2)
    infos = {info.key: info for info in holding.objects}
    for copy in holding.copies:
        read = parse_row(row_of(infos[copy.key], copy).text)
        assert read == replace(copy, records=(), is_present=True)


def test_its_package_is_verified_once(store: FileStore) -> None:
    holding = course(store, {0, 3}, 6)
    assert [each.export_id for each in candidates(holding, ProofLevel.FULL)] == [501, 504]


def test_the_newest_one_is_restored_and_one_of_an_earlier_day_too(store: FileStore) -> None:
    holding = course(store, {0, 3}, 6)

    def chosen(**wanted: object) -> Copy:
        choice = CopyChoice(**wanted)  # type: ignore[arg-type]
        return choose_from(holding, choice, export_type="common_cartridge", allow_incomplete=False)

    assert chosen().created_at == START + 5 * DAY
    assert chosen().export.id == 504
    assert chosen(until=START + 2 * DAY).export.id == 501
    assert chosen(export_id=501).package.key == holding.copies[0].package.key
