from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.archives.holdings import START, note
from tests.support.archives.stored import RUN, package, rotten, spoil, stored
from tests.support.packages.algorithms import OF_LATER, restate

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.index_segments import encode_segment, row_of, segment_key
from canvas_exports.core.archive.catalog.read import UnreadableDocument, copies_of
from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.manifest import Manifest, read_manifest
from canvas_exports.core.archive.records import RecordKind, RecordName, is_manifest_key, read_record_name
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.archive.verification.candidates import Candidate, reread_candidate
from canvas_exports.core.archive.verification.verify_archive import (
    ArchiveVerification,
    VerificationBudget,
    verify_archive,
)
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.store import Block, Store
from canvas_exports.errors import ArchiveDeniedError, ArchiveError, ArchiveUnavailableError, NoArchiveError


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"file://{tmp_path}/canvas") as opened:
        yield opened


def run(store: Store, **given: Any) -> ArchiveVerification:
    return verify_archive(
        store,
        **{"level": ProofLevel.FULL, "budget": VerificationBudget(), "run": RUN, "parallel": 1, **given},
    )


def results(verified: ArchiveVerification) -> dict[str, str]:
    return {record.context: record.outcome for record in verified.rows}


def records(store: Store) -> list[RecordName]:
    return [name for info in store.list("courses/") if (name := read_record_name(info.key)) is not None]


def test_each_result_is_recorded_beside_the_manifest_which_stays_as_it_is(store: Store) -> None:
    copy = stored(store)
    before = store.read(manifest_key(copy.package.key))
    assert results(run(store)) == {"course:101": "intact"}
    (name,) = records(store)
    assert (name.manifest, name.kind, name.detail, name.result) == (
        manifest_key(copy.package.key),
        RecordKind.VERIFY,
        "full",
        "intact",
    )
    document = json.loads(store.read(name.key))
    assert problem("verification-1", document) is None
    assert document["package"]["sha256"] == copy.package.sha256
    assert document["bytes_read"] >= copy.package.size
    assert store.read(manifest_key(copy.package.key)) == before


def test_damage_is_reported_with_its_next_step_and_the_catalog_knows_it(store: Store) -> None:
    copy, _ = stored(store, 101), stored(store, 102)
    spoil(store, copy.package.key, rotten(package()))
    verified = run(store)
    (record,) = verified.damaged
    assert (record.context, record.outcome, record.problem) == ("course:101", "damaged", True)
    assert record.next_step
    assert verified.totals == {"damaged": 1, "intact": 1}
    assert copies_of(store, "course", 101).copies[0].is_damaged
    assert copies_of(store, "course", 102).copies[0].is_proven


def test_damage_in_one_package_does_not_keep_the_others_from_their_turn(store: Store) -> None:
    for course in range(101, 106):
        copy = stored(store, course)
        if course % 2:
            store.delete(copy.package.key)
    assert run(store, parallel=3).totals == {"vanished": 3, "intact": 2}


def test_a_run_ends_when_its_bytes_are_spent_and_the_next_one_goes_on(store: Store) -> None:
    for course in (101, 102, 103):
        stored(store, course)
    first = run(store, budget=VerificationBudget(bytes=1))
    assert (len(first.rows), first.left) == (1, 2)
    second = run(store, budget=VerificationBudget(bytes=3 * len(package())))
    assert (len(second.rows), second.left) == (2, 1)
    assert not set(results(first)) & set(results(second))


def test_a_run_ends_when_its_time_is_up(store: Store) -> None:
    for course in (101, 102, 103):
        stored(store, course)
    ticks = count()
    verified = run(
        store, budget=VerificationBudget(time=timedelta(seconds=2)), clock=lambda: float(next(ticks))
    )
    assert verified.left == 2


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(courses=st.integers(1, 6), each_run=st.integers(1, 4), parallel=st.integers(1, 3))
def test_no_package_is_verified_twice_before_every_package_was_verified_once(
    tmp_path_factory: pytest.TempPathFactory, courses: int, each_run: int, parallel: int
) -> None:
    with open_store(tmp_path_factory.mktemp("archive").as_uri()) as store:
        for course in range(1, courses + 1):
            stored(store, course)
        everything = {f"course:{course}" for course in range(1, courses + 1)}
        seen: set[str] = set()
        while seen != everything:
            budget = VerificationBudget(bytes=each_run * len(package()))
            verified = set(results(run(store, budget=budget, parallel=parallel)))
            assert verified - seen, "every run gets on"
            if verified & seen:
                assert verified | seen == everything
            seen |= verified


def test_a_second_attempt_does_not_repeat_what_the_first_one_found(store: Store) -> None:
    began = datetime.now(timezone.utc) - timedelta(seconds=5)
    gone, _ = stored(store, 101), stored(store, 102)
    store.delete(gone.package.key)
    run(store, budget=VerificationBudget(bytes=1))
    again = run(store, since=began)
    assert results(again) == {"course:101": "vanished", "course:102": "intact"}
    assert len(records(store)) == 2


def test_a_store_that_fails_leaves_what_was_found_before(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = [stored(store, course) for course in (101, 102, 103)]
    fails_at(store, copies[1], monkeypatch)
    with pytest.raises(ArchiveUnavailableError):
        run(store)
    assert [name.manifest for name in records(store)] == [manifest_key(copies[0].package.key)]


def test_a_package_that_the_store_denies_is_reported_and_the_others_are_verified(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = [stored(store, course) for course in (101, 102, 103)]
    fails_at(store, copies[0], monkeypatch, ArchiveDeniedError("in cold storage", key=copies[0].package.key))
    verified = run(store)
    assert results(verified) == {"course:102": "intact", "course:103": "intact"}
    assert verified.unreadable == [UnreadableDocument(copies[0].package.key, "in cold storage")]


@pytest.mark.parametrize("courses", [1, 6])
def test_a_store_that_denies_everything_ends_the_run(
    store: Store, monkeypatch: pytest.MonkeyPatch, courses: int
) -> None:
    for course in range(101, 101 + courses):
        fails_at(store, stored(store, course), monkeypatch, ArchiveDeniedError("no right to read"))
    with pytest.raises(ArchiveDeniedError):
        run(store)


def fails_at(
    store: Store, copy: Manifest, monkeypatch: pytest.MonkeyPatch, error: ArchiveError | None = None
) -> None:
    def guarded(read: Callable[..., Any]) -> Callable[..., Any]:
        def reading(key: str, *rest: Any, **named: Any) -> bytes | Iterator[Block]:
            if key == copy.package.key:
                raise error or ArchiveUnavailableError("the store is down")
            found: bytes | Iterator[Block] = read(key, *rest, **named)
            return found

        return reading

    monkeypatch.setattr(store, "read", guarded(store.read))
    monkeypatch.setattr(store, "blocks", guarded(store.blocks))


def test_after_a_stop_it_begins_nothing_more(store: Store) -> None:
    stored(store)
    stop = threading.Event()
    stop.set()
    verified = run(store, stop=stop)
    assert (verified.rows, verified.left) == ([], 1)


def test_a_manifest_that_cannot_be_read_is_reported(store: Store) -> None:
    stored(store)
    store.replace("courses/102/20261123T020000Z-common_cartridge-9.json", b"{}")
    verified = run(store)
    assert results(verified) == {"course:101": "intact"}
    assert [document.key for document in verified.unreadable] == [
        "courses/102/20261123T020000Z-common_cartridge-9.json"
    ]


def test_a_copy_whose_digests_cannot_be_made_here_is_reported_and_is_neither_intact_nor_damaged(
    store: Store,
) -> None:
    later, _ = stored(store, 101), stored(store, 102)
    restate(store, later, OF_LATER)
    verified = run(store)
    assert results(verified) == {"course:102": "intact"}
    (document,) = verified.unreadable
    assert document.key == manifest_key(later.package.key)
    assert "k12; update this software" in document.reason
    assert len(records(store)) == 1, "nothing is on record of the one that was not compared"


def test_an_empty_archive_is_an_error_unless_it_may_be_empty(store: Store) -> None:
    with pytest.raises(NoArchiveError):
        run(store)
    assert run(store, allow_empty=True).rows == []


def test_a_package_is_compared_with_its_manifest_not_with_what_the_index_says_of_it(store: Store) -> None:
    """A forged or stale segment would have a good package called damaged, and then retention may let it go."""
    stored(store, 101)
    for info in list(store.list("courses/")):
        if is_manifest_key(info.key):
            manifest = read_manifest(store, info.key)
            lie = replace(
                manifest,
                package=replace(manifest.package, digests={"sha256": "0" * 64}, size=manifest.package.size),
            )
            segment = encode_segment([row_of(info, Copy.of(info.key, lie))])
            store.put_if_absent(segment_key(segment), segment)
    verified = run(store)
    assert results(verified) == {"course:101": "intact"}
    assert [record.result for record in records(store)] == ["intact"]


def test_a_record_of_a_result_that_is_none_counts_as_no_verification(store: Store) -> None:
    about = stored(store, 101)
    note(store, about, day=3, result="banana")
    assert results(run(store, since=START)) == {"course:101": "intact"}


def test_a_manifest_that_is_gone_by_the_time_is_no_damage(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(store, 101)
    about = stored(store, 102)

    def gone(asked: Store, candidate: Candidate) -> Candidate | None:
        return None if candidate.key == about.package.key else reread_candidate(asked, candidate)

    monkeypatch.setattr("canvas_exports.core.archive.verification.verify_archive.reread_candidate", gone)
    assert results(run(store)) == {"course:101": "intact"}
