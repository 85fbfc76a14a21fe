"""The index decides nothing: whatever it says, no copy goes that its manifests do not let go."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.archives.holdings import manifest
from tests.support.archives.hostile_documents import mutations
from tests.support.archives.random_archives import ARCHIVES, FAR, NOW, Shelf, Spec, laid
from tests.support.archives.retention_plans import KEEP_ONE, night

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.index import read_with_index
from canvas_exports.core.archive.catalog.index_segments import (
    Row,
    encode_segment,
    microseconds,
    row_of,
    segment_key,
)
from canvas_exports.core.archive.catalog.read import every_context
from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.archive.records import is_manifest_key, read_record_name
from canvas_exports.core.archive.retention.apply import Applied, apply_plan
from canvas_exports.core.archive.retention.holds import Holds
from canvas_exports.core.archive.retention.plan import Decision, make_plan
from canvas_exports.core.archive.retention.policy import Policy

Forge = Callable[[dict[str, Any], Manifest], None]


def forged(shelf: Shelf, change: Callable[[Manifest, dict[str, Any]], None]) -> None:
    """Put a segment into the archive whose rows are about exactly the manifests there, and say what ``change`` makes of them."""
    rows = []
    for key, (data, modified) in shelf.objects.items():
        if is_manifest_key(key):
            told = Manifest.from_json(data)
            (info,) = (info for info in shelf.list(key) if info.key == key)
            row = json.loads(row_of(info, Copy.of(key, told)).text)
            change(told, row[3])
            text = json.dumps(row, separators=(",", ":")).encode()
            rows.append(Row(key, len(data), microseconds(modified), text))
    data = encode_segment(rows)
    shelf.lay(segment_key(data), data)


def retain(shelf: Shelf, policy: Policy = KEEP_ONE, backup: str | None = None) -> Applied:
    """As the task does it: planned by the index, applied."""
    made = make_plan(shelf, policy, now=NOW, backup=backup, holdings=read_with_index(shelf, now=NOW))
    return apply_plan(shelf, made)


def let_go(shelf: Shelf, policy: Policy = KEEP_ONE, backup: str | None = None) -> set[str]:
    """What goes by the manifests alone."""
    made = make_plan(shelf, policy, now=NOW, backup=backup)
    copies = [copy for context in made.contexts for copy in context.of(Decision.DELETE)]
    return {copy.key for copy in copies} | {
        key for each in made.contexts for key in (*each.sizes, *each.left_behind)
    }


def number(made: Manifest) -> int:
    return made.export.id


def _say(numbers: set[int], **what: Any) -> Callable[[Manifest, dict[str, Any]], None]:
    def change(made: Manifest, said: dict[str, Any]) -> None:
        if number(made) in numbers:
            for name, value in what.items():
                part, _, field = name.partition("__")
                if field:
                    said[part][field] = value
                else:
                    said[part] = value

    return change


LONG_AGO, LATER = "2019-01-01T00:00:00Z", "2027-01-31T00:00:00Z"
FORGERIES = {
    "the newest proven copy is old": _say({3}, export__created_at=LONG_AGO),
    "the newest proven copy is incomplete": _say({3}, verdict="incomplete"),
    "an incomplete copy is proven and newest": _say({2}, verdict="whole", export__created_at=LATER),
    "the first copy is the newest": _say({1}, export__created_at=LATER),
    "all are of one package": _say(
        {1, 2, 3}, package__key="courses/101/20270129T080000Z-common_cartridge-1.imscc"
    ),
    "the newest proven copy names another package": _say(
        {3, 4}, package__key="courses/101/20270129T080000Z-common_cartridge-1.imscc"
    ),
    "the package is that of another course": _say(
        {1, 2}, package__key="courses/102/20270131T080000Z-common_cartridge-5.imscc"
    ),
    "all are of another type": _say({3}, export__type="qti"),
    "another Canvas": _say({1}, export__canvas_host="elsewhere.example.edu"),
    "selected objects only": _say({3}, export__select={"pages": ["1"]}),
    "another course": _say({1, 2, 3}, context__id=102),
    "no term": _say({1, 2, 3, 4}, context__term=None, context__sis_id=None),
}


@pytest.mark.parametrize("change", FORGERIES.values(), ids=FORGERIES)
def test_no_forged_segment_makes_it_delete_what_the_manifests_keep(change: Any) -> None:
    shelf = laid([night(4), night(3), night(2), night(1, shares=1), night(1, course=102)])
    shelf.lay(
        next(key for key in shelf.objects if key.endswith("-2.json")),
        replace(
            Manifest.from_json(next(d for k, (d, _) in shelf.objects.items() if k.endswith("-2.json"))),
            proof=manifest(verdict=type(manifest().proof.verdict)("incomplete")).proof,
        ).to_json(),
    )
    before = set(shelf.objects)
    may_go = let_go(shelf)
    forged(shelf, change)
    applied = retain(shelf)
    gone = before - set(shelf.objects)
    assert gone <= may_go
    assert not gone or not applied.notes
    assert [key for key in shelf.objects if key.endswith("-3.imscc")]  # what the newest proven copy names
    assert [key for key in shelf.objects if key.endswith("-4.json")]


def test_a_copy_held_by_its_term_or_tag_stays_though_the_index_knows_nothing_of_it() -> None:
    policy = Policy(last=1, holds=Holds.of(courses=["sis_course_id:BIO-101"], terms=["Fall 2026"]))
    for held in (night(3), night(3, tag="legal")):
        shelf = laid([held, night(2), night(1)])
        before = set(shelf.objects)
        forged(shelf, _say({1, 2, 3}, context__term="Another", context__sis_id="ANOTHER"))
        assert retain(shelf, policy).copies == 0
        assert before <= set(shelf.objects)


def test_nor_is_a_copy_of_another_backup_taken_for_ours() -> None:
    shelf = laid([night(3, dag_id="weekly"), night(2, dag_id="weekly"), night(1)])
    before = set(shelf.objects)
    forged(shelf, _say({1, 2, 3}, run__dag_id="nightly"))
    assert "is left alone" in retain(shelf, backup="nightly").notes[0]
    assert before <= set(shelf.objects)


def test_a_locked_copy_stays() -> None:
    shelf = laid([night(3), night(2), night(1)])
    locked = next(key for key in shelf.objects if key.endswith("-3.json"))
    shelf.hidden_locks = {locked}
    shelf.locks[locked] = FAR
    forged(shelf, _say({3}, export__created_at=LONG_AGO))
    retain(shelf)
    assert locked in shelf.objects


def test_a_stale_segment_is_found_out() -> None:
    """Somebody has rewritten a manifest in place, with the size and time it had."""
    shelf = laid([night(3), night(2), night(1)])
    forged(shelf, lambda *_: None)
    key, (data, modified) = next((k, v) for k, v in shelf.objects.items() if k.endswith("-1.json"))
    shelf.objects[key] = (data.replace(b'"whole"', b'"empty"'), modified)
    before = set(shelf.objects)
    applied = retain(shelf)
    gone = before - set(shelf.objects)
    assert not [key for key in gone if key.endswith(("-2.json", "-2.imscc"))]  # the newest that is proven
    assert not gone or not applied.notes


def test_a_true_index_serves_as_before() -> None:
    shelf = laid([night(3), night(2), night(1)])
    forged(shelf, lambda *_: None)
    assert retain(shelf) == Applied(copies=2, packages=2, bytes=18)


def test_what_is_deleted_was_read_again_with_its_successors() -> None:
    shelf = laid([night(3), night(2), night(1)])
    forged(shelf, lambda *_: None)
    made = make_plan(shelf, KEEP_ONE, now=NOW, holdings=read_with_index(shelf, now=NOW))
    asked: list[tuple[str, str]] = []
    shelf.before = lambda operation, key: asked.append((operation, key))
    apply_plan(shelf, made)
    first = next(at for at, (operation, _) in enumerate(asked) if operation == "delete")
    read = {key for operation, key in asked[:first] if operation == "read"}
    assert {manifest_key(copy.package) for context in made.contexts for copy in context.copies} <= read


@settings(max_examples=40, deadline=None)
@given(ARCHIVES, st.data())
def test_whatever_the_index_says_only_what_the_manifests_let_go_is_deleted(
    specs: list[Spec], data: st.DataObject
) -> None:
    shelf = laid(specs)
    policy = data.draw(
        st.sampled_from([KEEP_ONE, Policy(daily=2), Policy(within=timedelta(days=3), proven=2)])
    )
    before, may_go = set(shelf.objects), let_go(shelf, policy)

    def change(_: Manifest, said: dict[str, Any]) -> None:
        if data.draw(st.booleans()):
            other = json.loads(data.draw(mutations(json.dumps(said).encode()).filter(_is_json)))
            said.clear()
            if isinstance(other, dict):
                said.update(other)

    forged(shelf, change)
    retain(shelf, policy)
    gone = {key for key in before - set(shelf.objects) if read_record_name(key) is None}
    assert gone <= may_go
    with closing(every_context(shelf)) as holdings:
        for holding in holdings:
            assert holding.copies


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
