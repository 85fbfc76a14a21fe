"""The newest copy, found with few requests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.packages.build import COURSE, HOST, draft

from canvas_exports.core.archive.catalog.newest_copy import newest_copy
from canvas_exports.core.archive.layout import manifest_key, package_key
from canvas_exports.core.archive.manifest import Manifest, PackageFacts
from canvas_exports.core.archive.records import RecordKind, RecordName
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.packages.proof import Proof, Verdict
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import ObjectInfo
from canvas_exports.errors import ArchiveUnavailableError

NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)


def manifest(number: int, created: datetime, *, package: str | None = None, **export: Any) -> Manifest:
    drafted = draft(number)
    key = package_key(
        "course",
        COURSE,
        export_type="common_cartridge",
        export_id=number,
        created=created,
        suffix=".imscc",
    )
    return Manifest(
        context=drafted.context,
        export=replace(drafted.export, created_at=created, **export),
        package=PackageFacts(package or key, 4, {"sha256": "a" * 64}, "b" * 64, 1, "application/zip"),
        proof=Proof(ProofLevel.DIRECTORY, Verdict.WHOLE, (), 1, "b" * 64),
        run=drafted.run,
        stored_at=created,
    )


class Counted(FileStore):
    """A folder whose objects bear chosen times, and that counts what is read."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder.as_uri(), folder)
        self.times: dict[str, datetime] = {}
        self.reads = 0
        self.fails = False

    def keep(self, copy: Manifest, written: datetime, key: str | None = None) -> str:
        key = key or manifest_key(copy.package.key)
        self.put_if_absent(key, copy.to_json())
        self.put_if_absent(copy.package.key, b"PK..")
        self.times[key] = written
        return key

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        for info in super().list(prefix):
            yield replace(info, modified=self.times.get(info.key, info.modified))

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        self.reads += 1
        if self.fails:
            raise ArchiveUnavailableError("away")
        return super().read(key, start, length)


@pytest.fixture
def store(tmp_path: Path) -> Counted:
    return Counted(tmp_path)


def found(store: Counted, **export: Any) -> int | None:
    def like(each: Manifest) -> bool:
        return all(getattr(each.export, name) == value for name, value in export.items())

    answer = newest_copy(store, "course", COURSE, like)
    return None if answer is None else answer[0].export.id


def test_of_a_hundred_nights_one_manifest_is_read(store: Counted) -> None:
    for night in range(100):
        created = NOON + timedelta(days=night)
        store.keep(manifest(500 + night, created), created + timedelta(hours=1))
    assert found(store) == 599
    assert store.reads == 1


def test_only_copies_of_the_same_kind_count(store: Counted) -> None:
    store.keep(manifest(501, NOON), NOON)
    store.keep(
        manifest(502, NOON + timedelta(days=1), canvas_host="beta.example.edu"), NOON + timedelta(days=1)
    )
    store.keep(manifest(503, NOON + timedelta(days=2), select={"pages": [1]}), NOON + timedelta(days=2))
    assert found(store, canvas_host=HOST, select=None) == 501


def test_records_and_presence_are_those_of_the_package_that_is_named(store: Counted) -> None:
    first = manifest(501, NOON)
    store.keep(first, NOON)
    key = store.keep(
        manifest(502, NOON + timedelta(days=1), package=first.package.key),
        NOON + timedelta(days=1),
        manifest_key(manifest(502, NOON + timedelta(days=1)).package.key),
    )
    record = RecordName(manifest_key(first.package.key), RecordKind.VERIFY, NOON, "full", "damaged")
    store.put_if_absent(record.key, b"{}")
    answer = newest_copy(store, "course", COURSE, lambda _: True)
    assert answer is not None
    assert (answer[0].key, answer[0].is_present, answer[0].records) == (key, True, (record,))
    assert not answer[0].is_proven
    store.delete(first.package.key)
    gone = newest_copy(store, "course", COURSE, lambda _: True)
    assert gone is not None
    assert not gone[0].is_present


def test_a_manifest_that_cannot_be_read_may_be_the_newest_so_there_is_no_telling(store: Counted) -> None:
    store.keep(manifest(501, NOON), NOON)
    store.put_if_absent(manifest_key(draft(502).key), b"not a manifest")
    assert found(store) is None


def test_what_strangers_have_put_there_under_names_of_their_own_is_passed_over(
    store: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.keep(manifest(501, NOON), NOON)
    ours = list(store.list())
    # Object stores list it; below a folder it is left out already.
    strange = ObjectInfo(f"courses/{COURSE}/notes of the dean.json", 3, NOON + timedelta(days=9))
    monkeypatch.setattr(store, "list", lambda _: iter([strange, *ours]))
    assert found(store) == 501


def test_a_manifest_that_names_no_package_of_ours_has_no_records(store: Counted) -> None:
    store.keep(manifest(501, NOON), NOON)
    store.put_if_absent(
        RecordName(manifest_key(draft(501).key), RecordKind.VERIFY, NOON, "full", "intact").key, b"{}"
    )
    later = NOON + timedelta(days=1)
    store.keep(manifest(502, later, package=f"courses/{COURSE}/502.tar"), later, manifest_key(draft(502).key))
    assert found(store) is None


def test_a_store_that_fails_is_no_answer(store: Counted) -> None:
    store.keep(manifest(501, NOON), NOON)
    store.fails = True
    with pytest.raises(ArchiveUnavailableError):
        found(store)


HOURS = st.integers(0, 200)


@settings(max_examples=60)
@given(copies=st.lists(st.tuples(HOURS, HOURS), max_size=8, unique_by=lambda pair: pair[0]))
def test_it_is_the_newest_whatever_the_order_of_writing(
    tmp_path_factory: pytest.TempPathFactory, copies: list[tuple[int, int]]
) -> None:
    store = Counted(tmp_path_factory.mktemp("archive"))
    for number, (created, later) in enumerate(copies, start=1):
        begun = NOON + timedelta(hours=created)
        store.keep(manifest(number, begun), begun + timedelta(hours=later))
    newest = max(range(len(copies)), key=lambda at: copies[at][0], default=None)
    assert found(store) == (None if newest is None else newest + 1)
