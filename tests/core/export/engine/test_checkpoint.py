"""Everything a batch needs after a crash is one small JSON document."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.exports.random_items import ITEMS

from canvas_exports.core.export.engine.checkpoint import MOST_BYTES, VERSION, Checkpoint
from canvas_exports.core.export.engine.items import MAX_REASON, Item, State
from canvas_exports.core.export.options import MAX_EXPORTS
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.model.probes import ProbeFacts

CHECKPOINTS = st.builds(
    Checkpoint,
    items=st.lists(ITEMS, max_size=4),
    started_at=st.floats(0, 2e9),
    deadline=st.floats(0, 2e9),
    generation=st.integers(0, 9),
    try_number=st.integers(1, 9),
    user_id=st.none() | st.integers(1, 10**18),
    exports_all=st.booleans(),
)


def written(checkpoint: Checkpoint) -> Any:
    return json.loads(json.dumps(checkpoint.to_json()))


@given(CHECKPOINTS)
def test_every_checkpoint_survives_json(checkpoint: Checkpoint) -> None:
    assert Checkpoint.from_json(written(checkpoint)) == checkpoint


@given(CHECKPOINTS)
def test_fields_of_a_later_release_are_ignored(checkpoint: Checkpoint) -> None:
    document = {**written(checkpoint), "since": 3}
    assert Checkpoint.from_json(document) == checkpoint


@pytest.mark.parametrize("document", [None, "", [], 7, {}, {"version": VERSION + 1, "items": []}])
def test_what_is_no_checkpoint_of_a_known_version_is_none(document: Any) -> None:
    assert Checkpoint.from_json(document) is None


def stored(number: int, reason: str | None) -> Item:
    """A large Canvas: global ids, a course code as long as one may be, a package of terabytes."""
    item = Item(
        f"course:{10**13 + number}",
        "common_cartridge",
        State.READY,
        canvas_id=10**13 + number,
        export_id=5_000_000 + number,
        creations=3,
        fetches=2,
        size=10**12,
        findings=200 if reason else 0,
        key=f"courses/{10**13 + number}/20261123T020000Z-common_cartridge-{5_000_000 + number}.imscc",
        label="X" * 40,
    )
    item.end(Outcome.INCOMPLETE if reason else Outcome.STORED, reason)
    return item


def size(items: list[Item]) -> int:
    """As Airflow measures it, which warns beyond 64 KiB and keeps the value."""
    return len(json.dumps(Checkpoint(items, started_at=1.8e9, deadline=1.8e9).to_json()))


def test_a_batch_of_the_default_size_stays_small_even_if_all_is_in_trouble() -> None:
    assert size([stored(number, "x" * 2 * MAX_REASON) for number in range(50)]) < 64 * 1024


def stalled(number: int, reason: str) -> Item:
    """One that knows everything a waiting export can know."""
    item = Item(
        f"course:{10**13 + number}",
        "common_cartridge",
        State.REQUESTED,
        canvas_id=10**13 + number,
        export_id=5_000_000 + number,
        progress_id=6_000_000 + number,
        created_at=1795422063.0,
        changed_at=1795422093.123456,
        completion=37.55555555,
        creations=3,
    )
    item.end(Outcome.STALLED, reason)
    return item


def waiting(number: int, _: str) -> Item:
    """One that Canvas is building, as far as a running export can be known, with what was read of its course."""
    item = stalled(number, "")
    item.state, item.outcome, item.reason = State.REQUESTED, None, None
    item.running_since = item.seen_at = 1795422083.123456
    item.probe = ProbeFacts(
        read_at=datetime(2026, 11, 23, 2, tzinfo=timezone.utc),
        updated_at="2026-11-20T12:00:00Z",
        source="aliases",
        fingerprint="0123456789abcdef" * 4,
        new_quizzes=False,
    )
    return item


def test_the_probes_of_a_batch_of_the_default_size_are_kept() -> None:
    items = [waiting(number, "") for number in range(50)]
    restored = Checkpoint.from_json(written(Checkpoint(items, started_at=1.8e9, deadline=1.8e9)))
    assert restored is not None
    assert restored.items == items


def planned(number: int, _: str) -> Item:
    """One whose export is asked for next: whose course has been read, as all of a batch are at once."""
    probe = waiting(number, "").probe
    return Item(f"course:{10**13 + number}", "common_cartridge", canvas_id=10**13 + number, probe=probe)


def test_the_probes_of_the_largest_batch_are_kept_while_none_is_asked_for() -> None:
    items = [planned(number, "") for number in range(MAX_EXPORTS)]
    restored = Checkpoint.from_json(written(Checkpoint(items, started_at=1.8e9, deadline=1.8e9)))
    assert restored is not None
    assert restored.items == items


def test_where_not_all_probes_of_the_largest_batch_fit_as_many_as_do_are_kept() -> None:
    items = [waiting(number, "") for number in range(MAX_EXPORTS)]
    rows = written(Checkpoint(items, started_at=1.8e9, deadline=1.8e9))["items"]
    kept = [row for row in rows if "probe" in row]
    assert 0 < len(kept) < len(items)
    assert len(json.dumps(rows)) + len(json.dumps(kept[0])) > MOST_BYTES
    assert len(json.dumps(rows)) <= MOST_BYTES


@pytest.mark.parametrize("text", [None, 7, "", "soon", "1795422083 list - 1 0", "99999999999 list - 1 0 "])
def test_a_probe_that_cannot_be_read_is_none(text: object) -> None:
    document = written(Checkpoint([planned(1, "")], 1.0, 2.0))
    document["items"][0]["probe"] = text
    restored = Checkpoint.from_json(document)
    assert restored is not None
    assert restored.items[0].probe is None


@pytest.mark.parametrize("make", [stored, stalled, waiting, planned])
@pytest.mark.parametrize("reason", [None, "x" * MAX_REASON, "\u65e5" * MAX_REASON, '"\\' * MAX_REASON])
def test_the_largest_batch_stays_below_what_airflow_warns_of_whatever_becomes_of_it(
    make: Callable[[int, Any], Item], reason: str | None
) -> None:
    items = [make(number, reason) for number in range(MAX_EXPORTS)]
    assert size(items) < 64 * 1024
    restored = Checkpoint.from_json(written(Checkpoint(items, started_at=1.8e9, deadline=1.8e9)))
    assert restored is not None
    for before, after in zip(items, restored.items, strict=True):
        needed = (
            "context",
            "export_type",
            "state",
            "canvas_id",
            "export_id",
            "progress_id",
            "outcome",
            "key",
        )
        assert [getattr(after, name) for name in needed] == [getattr(before, name) for name in needed]
        assert (before.reason or "").startswith(after.reason or "")


def test_few_in_trouble_keep_their_whole_reasons() -> None:
    items = [stored(number, "x" * MAX_REASON if number < 10 else None) for number in range(100)]
    restored = Checkpoint.from_json(written(Checkpoint(items, started_at=1.8e9, deadline=1.8e9)))
    assert restored is not None
    assert restored.items == items


def test_a_checkpoint_of_an_earlier_release_is_read() -> None:
    item = {"context": "course:7", "export_type": "qti", "state": "requested", "canvas_id": 7, "export_id": 9}
    document = {"version": 1, "started_at": 1, "deadline": 2, "generation": 0, "try_number": 1, "user_id": 3}
    restored = Checkpoint.from_json({**document, "items": [item]})
    assert restored is not None
    assert restored.items == [Item("course:7", "qti", State.REQUESTED, canvas_id=7, export_id=9)]


@given(
    CHECKPOINTS,
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=5,
    ),
    st.sampled_from(
        ["items", "started_at", "deadline", "generation", "try_number", "user_id", "exports_all"]
    ),
)
def test_a_checkpoint_of_another_shape_is_none_or_read(checkpoint: Checkpoint, value: Any, name: str) -> None:
    read = Checkpoint.from_json({**written(checkpoint), name: value})
    assert read is None or isinstance(read, Checkpoint)


@pytest.mark.parametrize("changes", [{"state": "polishing"}, {"outcome": "splendid"}, {"context": 7}])
def test_a_checkpoint_with_a_state_of_a_later_release_is_none(changes: dict[str, Any]) -> None:
    document = written(Checkpoint([Item("course:7", "qti", State.READY, export_id=9)], 1.0, 2.0))
    document["items"][0].update(changes)
    assert Checkpoint.from_json(document) is None
