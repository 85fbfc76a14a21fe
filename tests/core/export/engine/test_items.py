"""An item is plain data with one way to end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.exports.random_items import ITEMS

from canvas_exports.core.export.engine.items import MAX_REASON, Item, State
from canvas_exports.core.model.outcomes import Outcome


@given(ITEMS, st.dictionaries(st.text("abc_", min_size=1).map("new_".__add__), st.integers(), max_size=3))
def test_fields_of_a_later_version_are_ignored(item: Item, later: dict[str, Any]) -> None:
    assert Item.from_json({**item.to_json(), **later}) == item


def test_a_fresh_item_is_written_as_little_more_than_its_name() -> None:
    item = Item("course:101", "zip")
    assert item.to_json() == {"context": "course:101", "export_type": "zip"}
    assert item.name == "course:101/zip"


@pytest.mark.parametrize("outcome", Outcome)
def test_an_ended_item_has_an_outcome_and_a_reason_of_bounded_length(outcome: Outcome) -> None:
    item = Item(
        "course:101", "zip", State.READY, export_id=501, progress_id=9, created_at=1.0, changed_at=2.0
    )
    item.end(outcome, "x" * 1000)
    assert (item.state, item.outcome) == (State.DONE, outcome)
    assert item.reason == "x" * MAX_REASON
    assert (item.progress_id is None) == outcome.has_package, (
        "only an export without a package is looked at again"
    )
    item.end(outcome, "")
    assert item.reason is None


@given(ITEMS)
def test_a_reopened_item_goes_on_from_what_may_still_be_of_use(item: Item) -> None:
    item.end(Outcome.INTERRUPTED, "x")
    export_id, intended_at = item.export_id, item.intended_at
    item.reopen()
    assert (item.outcome, item.reason, item.fetches) == (None, None, 0)
    expected = State.PLANNED if intended_at is None else State.INTENDED
    if export_id is not None:  # where an archive has it already, its package was ready once
        expected = State.REQUESTED if item.key is None else State.READY
    assert item.state is expected
    assert (item.export_id, item.intended_at) == (export_id, intended_at)


@pytest.mark.parametrize("outcome", Outcome)
def test_what_an_archive_has_is_degraded_at_worst(outcome: Outcome) -> None:
    item = Item("course:101", "zip", State.READY, key="courses/101/1.zip")
    item.end(outcome, "x")
    assert item.outcome is (outcome if outcome.has_package else Outcome.DEGRADED)


@given(ITEMS)
def test_a_planned_item_forgets_its_export_and_remembers_how_many_there_were(item: Item) -> None:
    creations, canvas_id = item.creations, item.canvas_id
    item.plan()
    fresh = Item(item.context, item.export_type, canvas_id=canvas_id, creations=creations)
    fresh.outcome, fresh.reason, fresh.size, fresh.findings = (
        item.outcome,
        item.reason,
        item.size,
        item.findings,
    )
    fresh.key, fresh.label, fresh.seconds = item.key, item.label, item.seconds
    fresh.to_probe, fresh.probe, fresh.probe_result = item.to_probe, item.probe, item.probe_result
    assert item == fresh


@given(ITEMS, st.sampled_from(Outcome))
def test_a_probe_is_kept_for_as_long_as_a_copy_may_be_stored_with_it(item: Item, outcome: Outcome) -> None:
    probe = item.probe
    item.end(outcome, "x")
    assert item.outcome is not None
    is_stored = item.outcome.has_package and not item.outcome.is_retryable
    assert item.probe == (None if is_stored else probe)


@pytest.mark.parametrize("state", State)
def test_canvas_may_be_working_from_the_intention_until_it_is_ready(state: State) -> None:
    item = Item("course:101", "zip", state)
    assert item.is_in_flight == (state in (State.INTENDED, State.REQUESTED))
