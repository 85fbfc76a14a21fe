"""The index saves reading manifests and changes no answer: not when it is old, damaged, lost, or written by many at once."""

from __future__ import annotations

import gzip
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import fields, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.support.archives.holdings import lay, manifest, note
from tests.support.hostile_documents import SPOILT, mutations

from canvas_exports.core.archive.catalog import index as index_module
from canvas_exports.core.archive.catalog import index_segments as segments
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.index import YOUNG, read_with_index
from canvas_exports.core.archive.catalog.index_segments import (
    DIALECT,
    Row,
    copy_of,
    microseconds,
    name_of,
    pack,
    row_of,
    rows_of,
)
from canvas_exports.core.archive.catalog.read import Holding, every_context
from canvas_exports.core.archive.key_patterns import Ownership
from canvas_exports.core.archive.layout import context_of, manifest_key
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import ObjectInfo
from canvas_exports.errors import ArchiveDeniedError, ArchiveUnavailableError

LATER = datetime.now(timezone.utc) + timedelta(days=1)


class Archive(FileStore):
    """A folder that notes what is read, and may forbid writing."""

    def __init__(self, root: Path) -> None:
        super().__init__(root.as_uri(), root)
        self.reads: list[str] = []
        self.refuses: set[str] = set()

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        self.reads.append(key)
        return super().read(key, start, length)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        if "put" in self.refuses:
            raise ArchiveDeniedError("read only", key=key)
        return super().put_if_absent(key, data)

    def delete(self, key: str) -> None:
        if "delete" in self.refuses:
            raise ArchiveDeniedError("locked", key=key)
        super().delete(key)

    def segments(self) -> list[str]:
        return sorted(info.key for info in self.list("catalog/"))

    def manifests_read(self) -> list[str]:
        return [key for key in self.reads if not key.startswith("catalog/")]


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


def told(store: FileStore, *, now: datetime = LATER) -> list[Holding]:
    with closing(read_with_index(store, now=now)) as holdings:
        return sorted(holdings, key=lambda holding: holding.name)


def truth(store: FileStore) -> list[Holding]:
    return sorted(every_context(store), key=lambda holding: holding.name)


def filled(archive: Archive, count: int = 3) -> list[Manifest]:
    return [lay(archive, manifest(f"course:{number}", export_id=number)) for number in range(1, count + 1)]


class TestSaving:
    def test_what_was_read_once_is_not_read_again(self, archive: Archive) -> None:
        filled(archive)
        first = told(archive)
        archive.reads.clear()
        assert told(archive) == first == truth(Archive(archive._root))
        assert archive.manifests_read() == []
        assert archive.reads == archive.segments()

    def test_only_what_is_new_is_read(self, archive: Archive) -> None:
        filled(archive)
        told(archive)
        new = lay(archive, manifest("course:2", day=1, export_id=99))
        archive.reads.clear()
        assert told(archive) == truth(Archive(archive._root))
        assert archive.manifests_read() == [manifest_key(new.package.key)]

    def test_the_same_archive_makes_the_same_segments(self, archive: Archive) -> None:
        filled(archive)
        told(archive)
        (segment,) = archive.segments()
        archive.delete(segment)
        told(archive)
        assert archive.segments() == [segment]

    def test_records_and_packages_are_seen_as_they_are_now(self, archive: Archive) -> None:
        first, second, _ = filled(archive)
        told(archive)
        note(archive, first, day=9, result="damaged")
        archive.delete(second.package.key)
        holdings = told(archive)
        assert [holding.copies[0].is_damaged for holding in holdings] == [True, True, False]

    def test_many_segments_become_few(self, archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
        for number in range(1, 30):
            lay(archive, manifest(f"course:{number}", export_id=number))
            told(archive)
        assert len(archive.segments()) < 12
        monkeypatch.setattr(index_module, "ROWS", 10)
        archive.reads.clear()
        assert told(archive) == truth(Archive(archive._root))
        assert archive.manifests_read() == []

    def test_what_was_deleted_is_forgotten_in_time(
        self, archive: Archive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(index_module, "ROWS", 2)
        documents = filled(archive, 12)
        told(archive)
        for document in documents[1:]:
            archive.delete(manifest_key(document.package.key))
        told(archive)
        (segment,) = archive.segments()
        assert [row.key for row in rows_of(archive, segment)] == [manifest_key(documents[0].package.key)]

    def test_its_keys_are_ours_to_sweep(self, archive: Archive) -> None:
        filled(archive)
        told(archive)
        assert all(Ownership().owns(key) for key in archive.segments())
        assert not Ownership().owns("catalog/notes.jsonl.gz")


class TestTrust:
    def test_lost_it_is_made_anew(self, archive: Archive) -> None:
        filled(archive)
        first = told(archive)
        before = archive.segments()
        archive.delete(before[0])
        assert told(archive) == first
        assert archive.segments() == before

    @pytest.mark.parametrize(
        "damage", [b"", b"no gzip", gzip.compress(b"[1]\n[]\nno JSON\n"), gzip.compress(b"[" * 9)]
    )
    def test_damaged_it_is_not_believed(self, archive: Archive, damage: bytes) -> None:
        filled(archive)
        first = told(archive)
        (segment,) = archive.segments()
        archive.replace(segment, damage)
        assert told(archive) == first
        honest = name_of(damage)
        archive.replace(honest, damage)
        assert told(archive) == first

    def test_a_whole_segment_under_the_name_of_another_is_not_believed(self, archive: Archive) -> None:
        (document,) = filled(archive, 1)
        first = told(archive)
        (segment,) = archive.segments()
        (info,) = (info for info in archive.list("courses/") if info.key.endswith(".json"))
        lie = replace(Copy.of(info.key, document), verdict=Verdict.EMPTY)
        archive.replace(segment, pack([row_of(info, lie)]))
        assert told(archive) == first

    @pytest.mark.parametrize(
        "line",
        [
            b'["courses/1/a.json",99999999999999999999,1,{}]',
            b'["courses/1/a.json",1,-99999999999999999999,{}]',
            b'["courses/../a.json",1,1,{}]',
            b'["\\ud800",1,1,{}]',
            b'[["a"],1,1,{}]',
            b'["courses/1/a.json","one",1,{}]',
        ],
    )
    def test_a_line_that_no_one_would_write_is_passed_over(self, archive: Archive, line: bytes) -> None:
        data = gzip.compress(line + b"\n")
        archive.replace(name_of(data), data)
        assert rows_of(archive, name_of(data)) == []
        assert told(archive) == []

    def test_one_flipped_bit_is_enough(self, archive: Archive) -> None:
        filled(archive)
        told(archive)
        (segment,) = archive.segments()
        data = bytearray(archive.read(segment))
        data[len(data) // 2] ^= 1
        archive.replace(segment, bytes(data))
        assert rows_of(archive, segment) == []

    def test_a_manifest_written_anew_is_read_anew(self, archive: Archive) -> None:
        (document,) = filled(archive, 1)
        told(archive)
        key = manifest_key(document.package.key)
        worse = replace(document, proof=replace(document.proof, verdict=Verdict.EMPTY))
        archive.replace(key, worse.to_json())
        ((copy,),) = [holding.copies for holding in told(archive)]
        assert copy.verdict is Verdict.EMPTY

    def test_even_one_of_the_same_size_at_another_time(self, archive: Archive) -> None:
        (document,) = filled(archive, 1)
        told(archive)
        key = manifest_key(document.package.key)
        other = replace(document, context=replace(document.context, name="Course 2"))
        assert len(other.to_json()) == len(document.to_json())
        archive.replace(key, other.to_json())
        moment = datetime.now(timezone.utc).timestamp() + 5
        os.utime(archive._root / key, (moment, moment))
        ((copy,),) = [holding.copies for holding in told(archive)]
        assert copy.context.name == "Course 2"

    def test_a_young_manifest_is_not_noted(self, archive: Archive) -> None:
        filled(archive)
        now = datetime.now(timezone.utc)
        told(archive, now=now + YOUNG - timedelta(minutes=1))
        assert archive.segments() == []
        told(archive, now=now + YOUNG + timedelta(minutes=1))
        assert len(archive.segments()) == 1

    def test_what_cannot_be_read_is_asked_for_again_each_time(self, archive: Archive) -> None:
        archive.replace("courses/1/lost.json", b"no JSON")
        told(archive)
        document = manifest("course:1")
        archive.replace("courses/1/lost.json", document.to_json())
        assert [len(holding.copies) for holding in told(archive)] == [1]

    def test_segments_of_another_version_are_left_alone_for_long(self, archive: Archive) -> None:
        other = f"catalog/{'0' * 8}-{'0' * 32}.jsonl.gz"
        archive.replace(other, b"of the future")
        filled(archive)
        told(archive)
        assert other in archive.segments()
        told(archive, now=LATER + timedelta(days=91))
        assert other not in archive.segments()

    def test_strangers_below_catalog_are_left_alone(self, archive: Archive) -> None:
        archive.replace("catalog/notes.txt", b"somebody's")
        told(archive, now=LATER + timedelta(days=1000))
        assert archive.segments() == ["catalog/notes.txt"]

    def test_what_knows_other_fields_speaks_another_dialect(self) -> None:
        known = {
            f"{part.__name__} {field.name}" for part in (Copy, *segments._PARTS) for field in fields(part)
        }
        assert {"Copy key", "ContextFacts sis_id", "RunFacts software"} <= known
        assert name_of(b"").startswith(f"catalog/{DIALECT}-")


class TestWhereItMayNotBeWritten:
    @pytest.mark.parametrize("refused", ["put", "delete"])
    def test_the_answer_is_the_same(
        self, archive: Archive, refused: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(index_module, "ROWS", 2)
        monkeypatch.setattr(index_module, "_SPARE", 0)
        documents = filled(archive, 9)
        told(archive)
        for document in documents[:6]:
            archive.delete(manifest_key(document.package.key))
        archive.refuses = {refused}
        assert told(archive) == truth(Archive(archive._root))
        assert told(archive) == truth(Archive(archive._root))

    def test_nothing_is_deleted_that_was_not_written_anew(
        self, archive: Archive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(index_module, "_SPARE", -9)
        filled(archive)
        told(archive)
        before = archive.segments()
        archive.refuses = {"put"}
        told(archive)
        assert archive.segments() == before

    def test_where_there_is_no_room_for_it_the_answer_is_the_same(
        self, archive: Archive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        filled(archive, 40)
        first = told(archive)
        before = archive.segments()
        connect = sqlite3.connect

        def cramped(*arguments: Any, **options: Any) -> sqlite3.Connection:
            table: sqlite3.Connection = connect(*arguments, **options)
            table.execute("PRAGMA max_page_count = 4")
            return table

        monkeypatch.setattr(sqlite3, "connect", cramped)
        archive.reads.clear()
        assert told(archive) == first
        assert len(archive.manifests_read()) > 20
        assert archive.segments() == before, "nothing is thrown away that could not be looked at"

    def test_a_store_that_fails_while_reading_is_not_hidden(
        self, archive: Archive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        filled(archive)

        def fail(key: str, *_: object) -> bytes:
            raise ArchiveUnavailableError("slow down", key=key)

        monkeypatch.setattr(archive, "read", fail)
        with pytest.raises(ArchiveUnavailableError):
            told(archive)


class TestRows:
    def test_a_copy_comes_back_as_it_was(self) -> None:
        for facts in ({"name": "Bïo\n", "sis_id": "B 1", "uuid": "0", "account_id": 3, "term": "Fall"}, None):
            document = manifest("course:7", facts=facts)
            copy = Copy.of(manifest_key(document.package.key), document)
            info = ObjectInfo(copy.key, 1, LATER)
            assert copy_of(row_of(info, copy).text) == copy

    def test_equal_rows_make_an_equal_segment(self) -> None:
        rows = [Row("a", 1, 2, b"[1]"), Row("b", 1, 2, b"[2]")]
        assert pack(rows) == pack(rows)
        assert name_of(pack(rows)) != name_of(pack(rows[:1]))

    @pytest.mark.parametrize("text", [b"", b"[]", b"1", b'["a",1,2,{}]', b'["a",1,2,{"context":{}}]'])
    def test_a_line_that_says_too_little_is_no_copy(self, text: bytes) -> None:
        assert copy_of(text) is None


COURSES = st.integers(1, 4)


class Nights(RuleBasedStateMachine):
    """Copies come, go, rot; the index is lost, damaged, copied, written by readers that overlap. The answer never differs."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.archive = Archive(Path(self.folder.name))
        self.stored: list[Manifest] = []
        self.begun: list[Iterator[Holding]] = []
        self.lost: list[tuple[str, bytes]] = []
        self.count = 0

    @rule(course=COURSES, verdict=st.sampled_from(Verdict))
    def store(self, course: int, verdict: Verdict) -> None:
        self.count += 1
        document = manifest(f"course:{course}", day=self.count % 7, export_id=self.count, verdict=verdict)
        self.stored.append(lay(self.archive, document))

    @rule(at=st.integers(0, 100), whole=st.booleans())
    def remove(self, at: int, whole: bool) -> None:
        if self.stored:
            document = self.stored[at % len(self.stored)]
            if whole:
                self.archive.delete(manifest_key(document.package.key))
            self.archive.delete(document.package.key)

    @rule(at=st.integers(0, 100), verdict=st.sampled_from(Verdict))
    def write_anew(self, at: int, verdict: Verdict) -> None:
        """Nobody does; the index is right all the same."""
        if self.stored:
            document = self.stored[at % len(self.stored)]
            changed = replace(document, proof=replace(document.proof, verdict=verdict))
            self.archive.replace(manifest_key(document.package.key), changed.to_json())

    @rule(at=st.integers(0, 100), result=st.sampled_from(["intact", "damaged"]))
    def verify(self, at: int, result: str) -> None:
        if self.stored:
            self.count += 1
            note(self.archive, self.stored[at % len(self.stored)], day=self.count, result=result)

    @rule()
    def begin_reading(self) -> None:
        """Another reader, which goes on later."""
        reader = read_with_index(self.archive, now=LATER)
        next(reader, None)
        self.begun.append(reader)

    @rule(leaves=st.booleans())
    def end_reading(self, leaves: bool) -> None:
        if self.begun:
            reader = self.begun.pop(0)
            if not leaves:
                for _ in reader:
                    pass
            reader.close()  # type: ignore[attr-defined] # it is a generator

    @rule(at=st.integers(0, 100), flip=st.booleans())
    def damage_the_index(self, at: int, flip: bool) -> None:
        if names := self.archive.segments():
            name = names[at % len(names)]
            data = self.archive.read(name)
            self.lost.append((name, data))
            if flip:
                self.archive.replace(name, data[: at % len(data)] + b"x" + data[at % len(data) + 1 :])
            else:
                self.archive.delete(name)

    @rule()
    def an_old_index_comes_back(self) -> None:
        if self.lost:
            self.archive.replace(*self.lost.pop())

    @invariant()
    def the_answer_is_that_of_plain_reading(self) -> None:
        assert told(self.archive) == truth(self.archive)

    def teardown(self) -> None:
        for reader in self.begun:
            reader.close()  # type: ignore[attr-defined] # it is a generator
        self.folder.cleanup()


TestNights = Nights.TestCase
TestNights.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)


def test_readers_and_writers_at_once_all_get_the_truth(archive: Archive) -> None:
    """What is there from beginning to end is in every answer, with what its manifest says."""
    lasting = {manifest_key(document.package.key): document for document in filled(archive, 20)}
    stop = threading.Event()
    wrong: list[str] = []

    def write() -> None:
        for number in range(100, 400):
            if stop.is_set():
                return
            document = lay(archive, manifest("course:50", export_id=number))
            if number % 3:
                archive.delete(manifest_key(document.package.key))

    def read() -> None:
        for _ in range(6):
            copies = {copy.key: copy for holding in told(archive) for copy in holding.copies}
            wrong.extend(key for key, one in lasting.items() if copies.get(key) != Copy.of(key, one))

    writer = threading.Thread(target=write)
    readers = [threading.Thread(target=read) for _ in range(3)]
    for thread in (writer, *readers):
        thread.start()
    for thread in readers:
        thread.join()
    stop.set()
    writer.join()
    assert wrong == []
    assert told(archive) == truth(archive)


@given(st.lists(st.binary(max_size=200), max_size=3))
def test_no_bytes_are_taken_for_a_segment_they_are_not(documents: list[bytes]) -> None:
    with TemporaryDirectory() as folder:
        archive = Archive(Path(folder))
        for document in documents:
            archive.replace(name_of(document), document)
            assert rows_of(archive, name_of(document)) == []


INFO = ObjectInfo(manifest_key(manifest().package.key), 1234, datetime(2026, 11, 1, 3, tzinfo=timezone.utc))
ROW = row_of(INFO, Copy.of(INFO.key, manifest())).text


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | mutations(ROW))
def test_a_line_of_the_index_is_a_copy_where_it_belongs_or_nothing(line: bytes) -> None:
    found = copy_of(line)
    if found is None:
        return
    assert context_of(found.key) == (found.context.kind, found.context.id)
    assert found.package.key.startswith(f"{found.context.kind}s/{found.context.id}/")
    assert copy_of(row_of(replace(INFO, key=found.key), found).text) == found


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_no_spoilt_segment_hinders_anybody(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    archive = FileStore(tmp_path.as_uri(), tmp_path)
    document = lay(archive, manifest()).to_json()
    (info,) = (info for info in archive.list("courses/") if info.key.endswith(".json"))
    place = f'["{info.key}",{info.size},{microseconds(info.modified)},'.encode()
    for data in (
        spoil(document),
        gzip.compress(spoil(document)),
        gzip.compress(place + spoil(document) + b"]\n"),
    ):
        archive.replace(name_of(data), data)
    with closing(read_with_index(archive)) as holdings:
        (holding,) = holdings
    assert (len(holding.copies), holding.unreadable) == (1, ())
