"""Which packages a drill draws."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tests.support.archives.holdings import DAY, START, lay, manifest, note

from canvas_exports.core.archive.records import RecordKind
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.restore.drills.sample import sample_copies
from canvas_exports.core.storage.local import FileStore

NOW = START + 400 * DAY


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path.as_uri(), tmp_path)


def sampled(store: FileStore, count: int, seed: str = "run", **options: object) -> list[int]:
    found = sample_copies(store, count, seed=seed, now=NOW, **options)  # type: ignore[arg-type] # plain values
    return [copy.context.id for copy in found]


def test_the_same_seed_draws_the_same_and_another_one_others(store: FileStore) -> None:
    for number in range(100, 120):
        lay(store, manifest(f"course:{number}"))
    assert sampled(store, 5) == sampled(store, 5)
    assert len({tuple(sampled(store, 5, str(seed))) for seed in range(10)}) > 5
    assert len(set(sampled(store, 20))) == 20


def test_a_course_that_is_added_or_gone_does_not_change_what_is_drawn_before_it(store: FileStore) -> None:
    for number in range(100, 110):
        lay(store, manifest(f"course:{number}"))
    before = sampled(store, 10)
    lay(store, manifest("course:999"))
    assert [number for number in sampled(store, 11) if number != 999] == before


def test_the_never_drilled_and_the_longest_ago_come_first_most_of_the_time(store: FileStore) -> None:
    for number, day in ((101, 399), (102, 200), (103, None)):
        document = lay(store, manifest(f"course:{number}"))
        if day is not None:
            note(store, document, day=day, kind=RecordKind.DRILL, detail="course", result="passed")
    first = Counter(sampled(store, 1, str(seed))[0] for seed in range(300))
    assert first[103] > 250
    assert first[102] > first[101]


def test_it_is_the_last_drill_that_counts(store: FileStore) -> None:
    for number, days in ((101, (1, 399)), (102, (1,))):
        document = lay(store, manifest(f"course:{number}"))
        for day in days:
            note(store, document, day=day, kind=RecordKind.DRILL, detail="course", result="failed")
    first = Counter(sampled(store, 1, str(seed))[0] for seed in range(100))
    assert first[102] > 90


def test_the_newest_proven_copy_of_a_course_is_taken(store: FileStore) -> None:
    lay(store, manifest(day=1, export_id=501))
    lay(store, manifest(day=2, export_id=502))
    lay(store, manifest(day=3, export_id=503, verdict=Verdict.INCOMPLETE))
    note(store, lay(store, manifest(day=4, export_id=504)), day=5, result="damaged")
    lay(store, manifest(day=6, export_id=505, export_type="zip"))
    (copy,) = sample_copies(store, 3, seed="run", now=NOW)
    assert copy.export.id == 502


def test_what_has_no_proven_copy_or_is_left_out_is_not_drawn(store: FileStore) -> None:
    lay(store, manifest("course:101", verdict=Verdict.EMPTY))
    lay(store, manifest("course:102"), package=None)
    lay(store, manifest("course:103"))
    lay(store, manifest("course:104"))
    lay(store, manifest("group:7", export_type="zip"))
    assert sampled(store, 5, leave_out={104}) == [103]


def test_an_empty_archive_has_nothing_to_draw(store: FileStore) -> None:
    assert sampled(store, 1) == []
