from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.archives.holdings import lay, manifest, note

from canvas_exports.core.archive.catalog.read import every_context
from canvas_exports.core.archive.records import RecordKind
from canvas_exports.core.archive.verification.candidates import Candidate, candidates, least_recently_verified
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"file://{tmp_path}/canvas") as opened:
        yield opened


def order(store: Store, level: ProofLevel = ProofLevel.FULL, most: int = 10) -> list[Candidate]:
    return least_recently_verified(
        (each for holding in every_context(store) for each in candidates(holding, level)), most
    )


def test_what_was_never_verified_comes_first_and_of_that_the_oldest(store: Store) -> None:
    seen_lately, new, old, seen_long_ago = (
        lay(store, manifest(f"course:{course}", day=day, export_id=course))
        for course, day in ((1, 0), (2, 20), (3, 10), (4, 1))
    )
    note(store, seen_lately, day=25)
    note(store, seen_long_ago, day=22)
    assert [each.key for each in order(store)] == [
        copy.package.key for copy in (old, new, seen_long_ago, seen_lately)
    ]


def test_only_the_newest_verification_of_a_package_counts(store: Store) -> None:
    twice = lay(store, manifest("course:1", export_id=1))
    once = lay(store, manifest("course:2", export_id=2))
    note(store, twice, day=5)
    note(store, once, day=6)
    note(store, twice, day=7)
    assert [each.context for each in order(store)] == ["course:2", "course:1"]


def test_a_look_at_the_directory_is_no_full_verification(store: Store) -> None:
    looked_at = lay(store, manifest("course:1", export_id=1))
    read = lay(store, manifest("course:2", export_id=2))
    note(store, looked_at, day=9, detail="directory")
    note(store, read, day=5, detail="full")
    assert [each.context for each in order(store)] == ["course:1", "course:2"]
    assert [each.context for each in order(store, ProofLevel.DIRECTORY)] == ["course:2", "course:1"]


def test_a_restore_drill_is_no_verification(store: Store) -> None:
    drilled = lay(store, manifest("course:1", export_id=1))
    note(store, drilled, day=9, detail="course", result="passed", kind=RecordKind.DRILL)
    assert order(store)[0].verified is None


def test_a_package_that_several_manifests_name_is_verified_once(store: Store) -> None:
    first = lay(store, manifest("course:1", export_id=1))
    lay(store, manifest("course:1", export_id=2, day=1), names=first)
    note(store, first, day=3)
    (only,) = order(store)
    assert only.key == first.package.key
    assert only.export_id == 1
    assert only.verified is not None


def test_no_more_are_kept_in_memory_than_a_run_may_take(store: Store) -> None:
    for course in range(1, 8):
        lay(store, manifest(f"course:{course}", day=course, export_id=course))
    assert [each.context for each in order(store, most=3)] == ["course:1", "course:2", "course:3"]
