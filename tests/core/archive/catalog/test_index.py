"""The index saves reading manifests and changes no answer: not when it is old, damaged, lost, or written by many at once."""

from __future__ import annotations

import gzip
import os
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.support.archives.holdings import lay, manifest, note
from tests.support.archives.indexed import LATER, CountingArchive, fill, read_indexed, read_plainly

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.index import YOUNG, read_with_index
from canvas_exports.core.archive.catalog.index_segments import (
    encode_segment,
    read_segment,
    row_of,
    segment_key,
)
from canvas_exports.core.archive.catalog.read import Holding
from canvas_exports.core.archive.key_patterns import KeyPatterns
from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.errors import ArchiveUnavailableError


@pytest.fixture
def archive(tmp_path: Path) -> CountingArchive:
    return CountingArchive(tmp_path)


class TestSaving:
    def test_what_was_read_once_is_not_read_again(self, archive: CountingArchive) -> None:
        fill(archive)
        first = read_indexed(archive)
        archive.reads.clear()
        assert read_indexed(archive) == first == read_plainly(CountingArchive(archive._root))
        assert archive.manifests_read() == []
        assert archive.reads == archive.segments()

    def test_only_what_is_new_is_read(self, archive: CountingArchive) -> None:
        fill(archive)
        read_indexed(archive)
        new = lay(archive, manifest("course:2", day=1, export_id=99))
        archive.reads.clear()
        assert read_indexed(archive) == read_plainly(CountingArchive(archive._root))
        assert archive.manifests_read() == [manifest_key(new.package.key)]

    def test_the_same_archive_makes_the_same_segments(self, archive: CountingArchive) -> None:
        fill(archive)
        read_indexed(archive)
        (segment,) = archive.segments()
        archive.delete(segment)
        read_indexed(archive)
        assert archive.segments() == [segment]

    def test_records_and_packages_are_seen_as_they_are_now(self, archive: CountingArchive) -> None:
        first, second, _ = fill(archive)
        read_indexed(archive)
        note(archive, first, day=9, result="damaged")
        archive.delete(second.package.key)
        holdings = read_indexed(archive)
        assert [holding.copies[0].is_damaged for holding in holdings] == [True, True, False]

    def test_many_segments_become_few(self, archive: CountingArchive) -> None:
        for number in range(1, 30):
            lay(archive, manifest(f"course:{number}", export_id=number))
            read_indexed(archive)
        assert len(archive.segments()) < 12
        archive.reads.clear()
        assert read_indexed(archive, segment_rows=10) == read_plainly(CountingArchive(archive._root))
        assert archive.manifests_read() == []

    def test_what_was_deleted_is_forgotten_in_time(self, archive: CountingArchive) -> None:
        documents = fill(archive, 12)
        read_indexed(archive, segment_rows=2)
        for document in documents[1:]:
            archive.delete(manifest_key(document.package.key))
        read_indexed(archive, segment_rows=2)
        (segment,) = archive.segments()
        assert [row.key for row in read_segment(archive, segment)] == [manifest_key(documents[0].package.key)]

    def test_its_keys_are_ours_to_sweep(self, archive: CountingArchive) -> None:
        fill(archive)
        read_indexed(archive)
        assert all(KeyPatterns().owns(key) for key in archive.segments())
        assert not KeyPatterns().owns("catalog/notes.jsonl.gz")


class TestTrust:
    @pytest.mark.parametrize(
        "damage", [b"", b"no gzip", gzip.compress(b"[1]\n[]\nno JSON\n"), gzip.compress(b"[" * 9)]
    )
    def test_damaged_it_is_not_believed(self, archive: CountingArchive, damage: bytes) -> None:
        fill(archive)
        first = read_indexed(archive)
        (segment,) = archive.segments()
        archive.replace(segment, damage)
        assert read_indexed(archive) == first
        honest = segment_key(damage)
        archive.replace(honest, damage)
        assert read_indexed(archive) == first

    def test_a_whole_segment_under_the_name_of_another_is_not_believed(
        self, archive: CountingArchive
    ) -> None:
        (document,) = fill(archive, 1)
        first = read_indexed(archive)
        (segment,) = archive.segments()
        (info,) = (info for info in archive.list("courses/") if info.key.endswith(".json"))
        lie = replace(Copy.of(info.key, document), verdict=Verdict.EMPTY)
        archive.replace(segment, encode_segment([row_of(info, lie)]))
        assert read_indexed(archive) == first

    def test_one_flipped_bit_is_enough(self, archive: CountingArchive) -> None:
        fill(archive)
        read_indexed(archive)
        (segment,) = archive.segments()
        data = bytearray(archive.read(segment))
        data[len(data) // 2] ^= 1
        archive.replace(segment, bytes(data))
        assert read_segment(archive, segment) == []

    def test_even_one_of_the_same_size_at_another_time(self, archive: CountingArchive) -> None:
        (document,) = fill(archive, 1)
        read_indexed(archive)
        key = manifest_key(document.package.key)
        other = replace(document, context=replace(document.context, name="Course 2"))
        assert len(other.to_json()) == len(document.to_json())
        archive.replace(key, other.to_json())
        moment = datetime.now(timezone.utc).timestamp() + 5
        os.utime(archive._root / key, (moment, moment))
        ((copy,),) = [holding.copies for holding in read_indexed(archive)]
        assert copy.context.name == "Course 2"

    def test_a_young_manifest_is_not_noted(self, archive: CountingArchive) -> None:
        fill(archive)
        now = datetime.now(timezone.utc)
        read_indexed(archive, now=now + YOUNG - timedelta(minutes=1))
        assert archive.segments() == []
        read_indexed(archive, now=now + YOUNG + timedelta(minutes=1))
        assert len(archive.segments()) == 1

    def test_what_cannot_be_read_is_asked_for_again_each_time(self, archive: CountingArchive) -> None:
        archive.replace("courses/1/lost.json", b"no JSON")
        read_indexed(archive)
        document = manifest("course:1")
        archive.replace("courses/1/lost.json", document.to_json())
        assert [len(holding.copies) for holding in read_indexed(archive)] == [1]

    def test_segments_of_another_version_are_left_alone_for_long(self, archive: CountingArchive) -> None:
        other = f"catalog/{'0' * 8}-{'0' * 32}.jsonl.gz"
        archive.replace(other, b"of the future")
        fill(archive)
        read_indexed(archive)
        assert other in archive.segments()
        read_indexed(archive, now=LATER + timedelta(days=91))
        assert other not in archive.segments()

    def test_strangers_below_catalog_are_left_alone(self, archive: CountingArchive) -> None:
        archive.replace("catalog/notes.txt", b"somebody's")
        read_indexed(archive, now=LATER + timedelta(days=1000))
        assert archive.segments() == ["catalog/notes.txt"]


class TestWhereItMayNotBeWritten:
    @pytest.mark.parametrize("refused", ["put", "delete"])
    def test_the_answer_is_the_same(self, archive: CountingArchive, refused: str) -> None:
        documents = fill(archive, 9)
        read_indexed(archive, segment_rows=2, spare_segments=0)
        for document in documents[:6]:
            archive.delete(manifest_key(document.package.key))
        archive.refuses = {refused}
        assert read_indexed(archive, segment_rows=2, spare_segments=0) == read_plainly(
            CountingArchive(archive._root)
        )
        assert read_indexed(archive, segment_rows=2, spare_segments=0) == read_plainly(
            CountingArchive(archive._root)
        )

    def test_nothing_is_deleted_that_was_not_rewritten(self, archive: CountingArchive) -> None:
        fill(archive)
        read_indexed(archive, spare_segments=-9)
        before = archive.segments()
        archive.refuses = {"put"}
        read_indexed(archive, spare_segments=-9)
        assert archive.segments() == before

    def test_where_there_is_no_room_for_it_the_answer_is_the_same(
        self, archive: CountingArchive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fill(archive, 40)
        first = read_indexed(archive)
        before = archive.segments()
        connect = sqlite3.connect

        def cramped(*arguments: Any, **options: Any) -> sqlite3.Connection:
            table: sqlite3.Connection = connect(*arguments, **options)
            table.execute("PRAGMA max_page_count = 4")
            return table

        monkeypatch.setattr(sqlite3, "connect", cramped)
        archive.reads.clear()
        assert read_indexed(archive) == first
        assert len(archive.manifests_read()) > 20
        assert archive.segments() == before, "nothing is thrown away that could not be looked at"

    def test_a_store_that_fails_while_reading_is_not_hidden(
        self, archive: CountingArchive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fill(archive)

        def fail(key: str, *_: object) -> bytes:
            raise ArchiveUnavailableError("slow down", key=key)

        monkeypatch.setattr(archive, "read", fail)
        with pytest.raises(ArchiveUnavailableError):
            read_indexed(archive)


COURSES = st.integers(1, 4)


class Nights(RuleBasedStateMachine):
    """Copies come, go, rot; the index is lost, damaged, copied, written by readers that overlap. The answer never differs."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.archive = CountingArchive(Path(self.folder.name))
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
        assert read_indexed(self.archive) == read_plainly(self.archive)

    def teardown(self) -> None:
        for reader in self.begun:
            reader.close()  # type: ignore[attr-defined] # it is a generator
        self.folder.cleanup()


TestNights = Nights.TestCase
TestNights.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)


def test_readers_and_writers_at_once_all_get_the_truth(archive: CountingArchive) -> None:
    """What is there from beginning to end is in every answer, with what its manifest says."""
    lasting = {manifest_key(document.package.key): document for document in fill(archive, 20)}
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
            copies = {copy.key: copy for holding in read_indexed(archive) for copy in holding.copies}
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
    assert read_indexed(archive) == read_plainly(archive)
