"""What the archive holds is what its listing shows and its manifests say: nothing else, nothing less."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from tests.support.archives.holdings import lay, manifest, note

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.read import READERS, Holding, copies_of, every_context
from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.records import RecordKind
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import ObjectInfo
from canvas_exports.errors import ArchiveDeniedError, ArchiveUnavailableError, ObjectNotFoundError


def files_below(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


class Archive(FileStore):
    """A folder that counts what is asked of it, and fails where it is told to."""

    def __init__(self, root: Path) -> None:
        super().__init__(root.as_uri(), root)
        self.reads: list[str] = []
        self.listings: list[str] = []
        self.stats: list[str] = []
        self.failing: dict[str, Exception] = {}

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        self.reads.append(key)
        if key in self.failing:
            raise self.failing[key]
        return super().read(key, start, length)

    def stat(self, key: str) -> ObjectInfo | None:
        self.stats.append(key)
        return super().stat(key)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        self.listings.append(prefix)
        # Not through our own stat: a listing costs no look-up of single objects.
        for path in sorted(files_below(self._root / prefix.rpartition("/")[0])):
            key = path.relative_to(self._root).as_posix()
            info = FileStore.stat(self, key)
            if info is not None:
                yield info


class UncheckedListing(Archive):
    """A listing that shows whatever there is, as those of object stores do."""

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        for path in sorted(files_below(self._root / prefix.rpartition("/")[0])):
            stat = path.stat()
            moment = datetime.fromtimestamp(stat.st_mtime, timezone.utc)
            yield ObjectInfo(path.relative_to(self._root).as_posix(), stat.st_size, moment)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


def held(archive: Archive) -> dict[str, Holding]:
    return {holding.name: holding for holding in every_context(archive)}


def only(archive: Archive) -> Copy:
    (copy,) = copies_of(archive, "course", 101).copies
    return copy


class TestCopies:
    def test_a_copy_says_what_its_manifest_says(self, archive: Archive) -> None:
        document = lay(archive, manifest())
        assert only(archive) == Copy.of(manifest_key(document.package.key), document)

    def test_in_order_of_time(self, archive: Archive) -> None:
        for export_id, day in ((7, 3), (8, 1), (9, 2)):
            lay(archive, manifest(export_id=export_id, day=day))
        assert [copy.export.id for copy in copies_of(archive, "course", 101).copies] == [8, 9, 7]

    def test_every_context_of_every_kind(self, archive: Archive) -> None:
        for name in ("course:9", "course:10", "group:7", "user:3"):
            lay(archive, manifest(name, export_type="zip"))
        archive.stats.clear()
        assert {name: len(holding.copies) for name, holding in held(archive).items()} == {
            "course:9": 1,
            "course:10": 1,
            "group:7": 1,
            "user:3": 1,
        }
        assert archive.listings == ["courses/", "groups/", "users/"]
        assert archive.stats == []

    def test_nothing_of_nothing(self, archive: Archive) -> None:
        assert list(every_context(archive)) == []
        assert copies_of(archive, "course", 101) == Holding("course", 101, ())

    def test_records_are_known_by_their_names_and_not_read(self, archive: Archive) -> None:
        document = lay(archive, manifest())
        first = note(archive, document, day=1)
        drill = note(archive, document, day=2, kind=RecordKind.DRILL, detail="course", result="passed")
        assert only(archive).records == (drill, first)
        assert archive.reads == [manifest_key(document.package.key)]

    def test_a_record_is_true_of_every_copy_of_its_package(self, archive: Archive) -> None:
        first = lay(archive, manifest())
        lay(archive, manifest(export_id=502, day=1), names=first)
        note(archive, first, day=2, result="damaged")
        assert [copy.is_damaged for copy in copies_of(archive, "course", 101).copies] == [True, True]

    def test_many_contexts_with_few_readers(self, archive: Archive) -> None:
        for number in range(1, 301):
            lay(archive, manifest(f"course:{number}", export_id=number))
        assert len(held(archive)) == 300
        assert len(archive.reads) == 300
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("catalog")]

    def test_leaving_early_ends_the_readers(self, archive: Archive) -> None:
        for number in range(1, 3 * READERS):
            lay(archive, manifest(f"course:{number}", export_id=number))
        with closing(every_context(archive)) as holdings:
            next(holdings)
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("catalog")]


class TestPackagesThatAreNotThere:
    def test_a_vanished_package_makes_the_copy_damaged(self, archive: Archive) -> None:
        lay(archive, manifest(), package=None)
        assert not only(archive).is_present
        assert only(archive).is_damaged

    def test_one_of_another_size_too(self, archive: Archive) -> None:
        lay(archive, manifest(), package=b"half a pa")
        assert only(archive).is_present
        (archive._root / only(archive).package.key).write_bytes(b"half")
        assert not only(archive).is_present

    def test_one_stored_behind_the_listings_back_is_there(
        self, archive: Archive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        document = lay(archive, manifest())
        archive.stats.clear()
        whole = archive.list

        def passed(prefix: str = "") -> Iterator[ObjectInfo]:
            return (info for info in whole(prefix) if info.key != document.package.key)

        monkeypatch.setattr(archive, "list", passed)
        assert only(archive).is_present
        assert archive.stats == [document.package.key]


class TestTroubles:
    def test_what_is_not_a_manifest_is_reported_and_is_no_copy(self, archive: Archive) -> None:
        archive.replace("courses/101/notes.json", b"not JSON")
        archive.replace("courses/101/other.json", b'{"schema": "urn:something:else"}')
        holding = held(archive)["course:101"]
        assert holding.copies == ()
        told = {document.key: "not a manifest" in document.reason for document in holding.unreadable}
        assert told == {"courses/101/notes.json": True, "courses/101/other.json": True}

    def test_a_strangers_file_of_any_name_is_no_crash(self, archive: Archive) -> None:
        lay(archive, manifest())
        (archive._root / "courses" / "101" / "my notes (old).json").write_bytes(b"{}")
        (archive._root / "courses" / "101" / "my scan.pdf").write_bytes(b"{}")
        holding = copies_of(UncheckedListing(archive._root), "course", 101)
        assert len(holding.copies) == 1
        assert holding.unreadable == ()

    def test_what_stands_in_a_strangers_document_is_not_repeated(self, archive: Archive) -> None:
        archive.replace("courses/101/grades.json", b'[{"student": "Jane Doe"}]')
        assert "Jane" not in str(held(archive)["course:101"])

    def test_the_others_of_its_context_count(self, archive: Archive) -> None:
        lay(archive, manifest())
        archive.replace("courses/101/notes.json", b"not JSON")
        holding = held(archive)["course:101"]
        assert (len(holding.copies), len(holding.unreadable)) == (1, 1)

    def test_a_manifest_that_may_not_be_read(self, archive: Archive) -> None:
        document = lay(archive, manifest())
        key = manifest_key(document.package.key)
        archive.failing[key] = ArchiveDeniedError("the key that encrypts it is not ours", key=key)
        assert [document.key for document in held(archive)["course:101"].unreadable] == [key]

    def test_a_manifest_of_another_context(self, archive: Archive) -> None:
        document = manifest("course:102")
        archive.replace("courses/101/moved.json", document.to_json())
        (unreadable,) = held(archive)["course:101"].unreadable
        assert "course:102" in unreadable.reason

    @pytest.mark.parametrize(
        "key", ["courses/102/a.imscc", "courses/101/../102/a.imscc", "courses/101/a.json", "a"]
    )
    def test_a_manifest_whose_package_lies_elsewhere(self, archive: Archive, key: str) -> None:
        document = manifest()
        document = replace(document, package=replace(document.package, key=key))
        archive.replace("courses/101/odd.json", document.to_json())
        (unreadable,) = held(archive)["course:101"].unreadable
        assert "folder" in unreadable.reason

    def test_a_manifest_deleted_since_it_was_listed_is_neither(self, archive: Archive) -> None:
        document = lay(archive, manifest())
        key = manifest_key(document.package.key)
        archive.failing[key] = ObjectNotFoundError("gone", key=key)
        assert held(archive)["course:101"] == Holding("course", 101, ())

    def test_an_archive_that_fails_gives_no_half_answer(self, archive: Archive) -> None:
        for number in (101, 102):
            lay(archive, manifest(f"course:{number}"))
        key = manifest_key(manifest("course:102").package.key)
        archive.failing[key] = ArchiveUnavailableError("slow down", key=key)
        with pytest.raises(ArchiveUnavailableError):
            list(every_context(archive))
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("catalog")]

    def test_folders_that_are_no_contexts_are_not_ours(self, archive: Archive) -> None:
        archive.replace("courses/biology/notes.json", b"{}")
        archive.replace("courses/007/notes.json", b"{}")
        assert held(archive) == {}


def test_verdicts_are_those_of_the_manifests(archive: Archive) -> None:
    for export_id, verdict in enumerate(Verdict, 1):
        lay(archive, manifest(export_id=export_id, day=export_id, verdict=verdict))
    copies = copies_of(archive, "course", 101).copies
    assert [copy.verdict for copy in copies] == list(Verdict)
    assert [copy.is_proven for copy in copies] == [True, False, False]
