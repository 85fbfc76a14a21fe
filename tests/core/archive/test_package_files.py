"""Files out of a stored package: by ranged reads of bounded size, checked, whatever their names are."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.archives.stored import spoil, stored
from tests.support.packages.build import PAGE, cartridge

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.package_files import file_content, find_file, package_files
from canvas_exports.core.packages.zip.directory import Member
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import CorruptPackageError, InputError, PackageError

MiB = 1 << 20
VIDEO = "web_resources/video.mp4"
LARGE = hashlib.shake_128(b"video").digest(9 * MiB + 7)


class Reading(FileStore):
    """Notes how much each read takes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder.as_uri(), folder)
        self.lengths: list[int] = []

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        data = super().read(key, start, length)
        self.lengths.append(len(data))
        return data


@pytest.fixture
def store(tmp_path: Path) -> Reading:
    return Reading(tmp_path)


@pytest.fixture
def copy(store: Reading) -> Copy:
    """A copy with a file that takes several reads, and a small one."""
    manifest = stored(store, data=cartridge({PAGE: b"text", VIDEO: LARGE}))
    return Copy.of(manifest_key(manifest.package.key), manifest)


def test_a_large_file_is_read_in_ranges_of_at_most_4_mib(store: Reading, copy: Copy) -> None:
    member = find_file(package_files(store, copy), VIDEO, field="--file")
    store.lengths.clear()
    assert b"".join(file_content(store, copy, member)) == LARGE
    assert len(store.lengths) == 3
    assert max(store.lengths) <= 4 * MiB


def test_a_small_file_is_read_without_the_large_one(store: Reading, copy: Copy) -> None:
    member = find_file(package_files(store, copy), PAGE, field="--file")
    assert b"".join(file_content(store, copy, member)) == b"text"
    assert sum(store.lengths) < 2 * MiB


def test_a_bit_that_changed_within_the_file_is_found_at_its_end(store: Reading, copy: Copy) -> None:
    member = find_file(package_files(store, copy), VIDEO, field="--file")
    data = bytearray(store.read(copy.package.key))
    data[member.extent.start + len(member.extent) // 2] ^= 1
    spoil(store, copy.package.key, bytes(data))
    with pytest.raises(CorruptPackageError):
        b"".join(file_content(store, copy, member))


def test_a_package_that_is_deleted_meanwhile_is_an_error_of_the_package(store: Reading, copy: Copy) -> None:
    member = find_file(package_files(store, copy), VIDEO, field="--file")
    store.delete(copy.package.key)
    with pytest.raises(CorruptPackageError, match="deleted while"):
        b"".join(file_content(store, copy, member))
    with pytest.raises(PackageError, match="is not"):
        package_files(store, copy)


def test_another_directory_than_was_stored_is_refused(store: Reading, copy: Copy) -> None:
    spoil(store, copy.package.key, cartridge({PAGE: b"TEXT", VIDEO: LARGE}))
    with pytest.raises(PackageError, match="not the one that was stored"):
        package_files(store, copy)


class TestFind:
    @pytest.fixture
    def member(self, store: Reading, copy: Copy) -> Member:
        return find_file(package_files(store, copy), PAGE, field="--file")

    def test_a_name_that_two_files_share_names_none(self, member: Member) -> None:
        with pytest.raises(InputError, match="2 files"):
            find_file([member, member], PAGE, field="--file")

    def test_a_link_or_an_encrypted_file_is_no_file(self, member: Member) -> None:
        for odd in (replace(member, is_special=True), replace(member, flags=1), replace(member, method=99)):
            with pytest.raises(InputError, match="no plain file"):
                find_file([odd], PAGE, field="--file")

    def test_a_misspelt_name_is_answered_with_those_like_it(self, member: Member) -> None:
        with pytest.raises(InputError, match=f"Accepted: {PAGE}"):
            find_file([member], PAGE.replace("w", "v"), field="--file")
