from __future__ import annotations

import hashlib
import itertools
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.packages.build import cartridge, real, zipped
from tests.support.packages.courses import (
    COUNTS,
    DEEP_COUNTS,
    course,
    quizzes,
    without_resource,
)
from tests.support.packages.stored import CARTRIDGE, KEY, InMemory, codes, proven
from tests.support.packages.zips import Entry, entries_of, packed_zip

from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.packages.digests import LABELS, digests_of
from canvas_exports.core.packages.proof import Expectation, Severity, Verdict
from canvas_exports.core.packages.prove_stored import ReadLimit, prove_stored
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.errors import (
    ArchiveUnavailableError,
    CorruptPackageError,
    InputError,
    ObjectNotFoundError,
)

FILES = Expectation("zip")
BIG = {
    "a.bin": hashlib.shake_128(b"media").digest(300_000),
    "b.txt": b"words " * 100_000,
    "c/": b"",
    "c/d": b"",
}
MANY = {f"{number}.bin": bytes(4000) for number in range(100)}


class TestWhatItSays:
    def test_a_whole_course_is_whole_and_every_kind_is_counted(self) -> None:
        data = packed_zip(entries_of(course().members()))
        found = proven(data)
        assert (found.proof.level, found.proof.verdict) == (ProofLevel.FULL, Verdict.WHOLE)
        assert codes(found) == ["unresolved_items"]
        assert found.proof.counts.items() >= (COUNTS | DEEP_COUNTS).items()
        assert found.digests == digests_of(data, LABELS)
        assert (found.covered, found.size, found.is_complete) == (len(data), len(data), True)

    def test_the_directory_tells_the_same_counts_but_for_those_inside_documents(self) -> None:
        data = packed_zip(entries_of(course().members()))
        shallow, deep = proven(data, level=ProofLevel.DIRECTORY), proven(data)
        assert shallow.proof.level is ProofLevel.DIRECTORY
        assert {**shallow.proof.counts, **DEEP_COUNTS} == deep.proof.counts
        assert shallow.proof.content_digest == deep.proof.content_digest
        assert (shallow.digests, shallow.covered, shallow.is_complete) == (None, 0, False)

    def test_quizzes_of_a_qti_package_are_counted_with_their_questions(self) -> None:
        whole = quizzes()
        found = proven(packed_zip(entries_of(whole.members())), whole.expect)
        assert found.proof.verdict is Verdict.WHOLE
        assert (found.proof.counts["quizzes"], found.proof.counts["questions"]) == (1, 2)
        assert "pages" not in found.proof.counts

    def test_files_of_a_file_export_are_counted(self) -> None:
        found = proven(zipped(BIG), FILES)
        assert found.proof.verdict is Verdict.WHOLE
        counts = {name: found.proof.counts[name] for name in ("files", "empty_files", "folders")}
        assert counts == {"files": 3, "empty_files": 1, "folders": 1}

    @pytest.mark.parametrize("name", ["canvas_cc_gem_course", "latex", "single-page"])
    def test_what_a_canvas_once_wrote_holds_together(self, name: str) -> None:
        data = real(name)
        shallow, deep = (proven(data, Expectation("common_cartridge"), level=level) for level in ProofLevel)
        assert deep.is_complete
        assert deep.proof.findings == shallow.proof.findings

    def test_an_item_that_leads_to_nothing_is_named_unless_it_is_a_tools(self) -> None:
        found = proven(packed_zip(entries_of(without_resource(course(), ["p1"]).members())))
        (item,) = (each for each in found.proof.findings if each.code == "missing_item")
        assert (item.severity, item.member) == (Severity.WARNING, "Welcome")
        assert found.proof.counts["unresolved_items"] == 2

    def test_peoples_own_documents_are_not_read(self) -> None:
        theirs = {
            "web_resources/page.xml": b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;',
            "web_resources/a/b.qti": b"<",
        }
        found = proven(packed_zip(entries_of(course().having(theirs).members())))
        assert found.proof.verdict is Verdict.WHOLE

    def test_an_archive_within_the_package_is_a_file_like_any_other(self) -> None:
        inner = {"web_resources/old.imscc": cartridge()[:-30], "web_resources/notes.zip": b"PK"}
        found = proven(packed_zip(entries_of(course().having(inner).members())))
        assert found.proof.verdict is Verdict.WHOLE


class TestHowZipsAreWritten:
    @pytest.mark.parametrize(
        ("method", "descriptor", "zip64", "signed"), list(itertools.product((0, 8), *[(False, True)] * 3))
    )
    def test_every_way_that_is_allowed_is_understood(
        self, method: int, descriptor: bool, zip64: bool, signed: bool
    ) -> None:
        entries = [
            Entry(name, content, method=method, descriptor=descriptor, zip64=zip64, signed=signed)
            for name, content in BIG.items()
        ]
        for block in (1, 100_000) if method else (7,):
            small = [replace(entry, content=entry.content[:1000]) for entry in entries]
            found = proven(packed_zip(small if block < 100 else entries), FILES, block=block)
            assert (codes(found), found.is_complete) == ([], True)

    def test_a_longer_extra_field_before_the_content_is_no_finding(self) -> None:
        padding = struct.pack("<2H16x", 0x9999, 16)
        assert codes(proven(packed_zip([Entry("a", b"a" * 50, extra=padding)]), FILES)) == []

    def test_sizes_may_be_said_before_the_content_though_they_could_follow(self) -> None:
        early = Entry("a", b"a" * 50, flags=8)
        assert codes(proven(packed_zip([early, early.__class__("b", b"b")]), FILES)) == []


class TestHowMuchIsRead:
    @given(block=st.integers(1, 5000))
    @settings(max_examples=30, deadline=None)
    def test_blocks_of_any_size_give_the_same_proof(self, block: int) -> None:
        data = packed_zip(entries_of(course(picture=bytes(3000)).members()))
        assert proven(data, block=block).proof == proven(data).proof

    def test_a_thousand_members_take_two_requests(self) -> None:
        data = zipped({f"{number}.txt": b"text" * number for number in range(1000)})
        store = InMemory(data)
        found = prove_stored(store, KEY, FILES)
        assert store.requests == 2
        assert found.bytes_read == len(data) + min(len(data), 1 << 18)

    def test_a_limit_of_bytes_ends_it_without_a_claim(self) -> None:
        store = InMemory(zipped(MANY, method=0), block=100_000)
        found = prove_stored(store, KEY, FILES, limit=ReadLimit(max_bytes=150_000))
        assert (found.proof.level, found.digests, found.is_complete) == (ProofLevel.DIRECTORY, None, False)
        assert store.yielded == 200_000
        assert 190_000 < found.covered <= 200_000 < found.size
        assert found.bytes_read == 200_000 + (1 << 18)

    def test_a_limit_of_time_ends_it_without_a_claim(self) -> None:
        ticks = itertools.count(step=30)
        limit = ReadLimit(max_seconds=60, clock=lambda: float(next(ticks)))
        found = proven(zipped(MANY, method=0), FILES, block=10_000, limit=limit)
        assert found.proof.level is ProofLevel.DIRECTORY
        assert 0 < found.covered <= 10_000

    def test_a_limit_that_is_not_reached_changes_nothing(self) -> None:
        data = zipped(BIG)
        assert proven(data, FILES, limit=ReadLimit(max_bytes=len(data), max_seconds=3600)) == proven(
            data, FILES
        )

    def test_a_partial_proof_says_what_the_directory_says_and_no_more(self) -> None:
        data = packed_zip(entries_of(course().members()))
        part = proven(data, block=1000, limit=ReadLimit(max_bytes=2000))
        assert part.proof == proven(data, level=ProofLevel.DIRECTORY).proof

    @given(at=st.integers(0, 99_999), allowed=st.integers(0, 100_000))
    @settings(max_examples=50, deadline=None)
    def test_damage_in_what_is_covered_is_seen_and_behind_it_nothing_is_claimed(
        self, at: int, allowed: int
    ) -> None:
        data = bytearray(zipped({f"{number}.bin": bytes(10_000) for number in range(10)}, method=0))
        whole = proven(bytes(data), FILES, block=1000, limit=ReadLimit(max_bytes=allowed))
        data[data.index(f"{at // 10_000}.bin".encode()) + 5 + at % 10_000] ^= 1
        try:
            found = proven(bytes(data), FILES, block=1000, limit=ReadLimit(max_bytes=allowed))
        except CorruptPackageError as error:
            assert f"{at // 10_000}.bin" in str(error)  # noqa: PT017 - whether it is raised depends on where
        else:
            assert not found.is_complete
            assert found.proof == whole.proof
            assert found.covered <= bytes(data).index(f"{at // 10_000}.bin".encode())

    def test_a_limit_below_zero_is_refused(self) -> None:
        with pytest.raises(InputError, match="max_bytes"):
            ReadLimit(max_bytes=-1)
        with pytest.raises(InputError, match="max_seconds"):
            ReadLimit(max_seconds=-0.5)


class TestTrouble:
    def test_what_is_not_there_is_a_key_error(self, tmp_path: Path) -> None:
        with open_store(tmp_path.as_uri()) as store, pytest.raises(ObjectNotFoundError):
            prove_stored(store, KEY, CARTRIDGE)

    def test_what_vanishes_while_it_is_read_is_a_key_error(self, tmp_path: Path) -> None:
        with open_store(tmp_path.as_uri()) as store:
            store.put(KEY, iter([zipped(BIG)]))
            reading = store.read
            store.read = lambda *where: [reading(*where), store.delete(KEY)][0]  # type: ignore[method-assign, assignment]
            with pytest.raises(ObjectNotFoundError):
                prove_stored(store, KEY, FILES)

    @pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"!"])
    def test_a_store_that_gives_more_or_less_than_it_said_is_not_believed(self, change: object) -> None:
        class Odd(InMemory):
            def blocks(self, key: str) -> object:  # type: ignore[override]
                self.data = change(self.data)  # type: ignore[operator]
                return super().blocks(key)

        with pytest.raises(ArchiveUnavailableError):
            prove_stored(Odd(zipped(BIG)), KEY, FILES)

    def test_another_size_than_expected_is_corrupt(self) -> None:
        data = zipped(BIG)
        with pytest.raises(CorruptPackageError):
            proven(data, Expectation("zip", size=len(data) + 1))
