"""Two stored packages are compared with a few reads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.archives.publishing import Canvas, store_package
from tests.support.packages.build import PAGE, cartridge, draft, zipped
from tests.support.packages.courses import course

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.compare import compare_copies, compare_packages
from canvas_exports.core.archive.manifest import PackageFacts
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import Block
from canvas_exports.errors import CorruptPackageError, ObjectNotFoundError


class Counted(FileStore):
    """Counts the requests, and the bytes that are read."""

    got = 0
    requests = 0

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        found = super().read(key, start, length)
        self.requests += 1
        self.got += len(found)
        return found

    def blocks(self, key: str) -> Iterator[Block]:
        raise AssertionError(f"all of {key} is read")


def stored(store: FileStore, number: int, data: bytes) -> PackageFacts:
    return store_package(store, Canvas(data), draft=draft(number)).manifest.package


def test_of_stored_packages_only_the_directory_and_the_manifest_are_read(tmp_path: Path) -> None:
    store = Counted(tmp_path.as_uri(), tmp_path)
    video = {"web_resources/video.mp4": hashlib.shake_128(b"v").digest(2_000_000)}
    one, other = (
        stored(store, number, cartridge({PAGE: page, **video}))
        for number, page in enumerate((b"a", b"bb"), 1)
    )
    store.got = 0
    found = compare_packages(store, one, other, export_type="common_cartridge")
    assert [change.name for change in found.changed] == [PAGE]
    assert store.got < (one.size + other.size) / 4


def test_a_package_is_not_read_to_be_compared_with_itself(tmp_path: Path) -> None:
    store = Counted(tmp_path.as_uri(), tmp_path)
    package = stored(store, 1, cartridge())
    store.got = 0
    assert compare_packages(store, package, package, export_type="common_cartridge").is_same
    assert store.got == 0


def test_a_package_that_is_gone_is_an_error(tmp_path: Path) -> None:
    store = Counted(tmp_path.as_uri(), tmp_path)
    one, other = (stored(store, number, cartridge({PAGE: b"p" * number})) for number in (1, 2))
    store.delete(one.key)
    with pytest.raises(ObjectNotFoundError):
        compare_packages(store, one, other, export_type="common_cartridge")


def copies(store: FileStore, *pages: bytes) -> list[Copy]:
    """A copy of a course for each version of its page."""
    found = []
    for number, page in enumerate(pages, 1):
        drafted = draft(number)
        stored = store_package(store, Canvas(zipped(course(page=page).members())), draft=drafted)
        found.append(Copy.of(f"{number}.json", stored.manifest))
    return found


def test_two_copies_are_compared_as_a_person_means_it(tmp_path: Path) -> None:
    store = Counted(tmp_path.as_uri(), tmp_path)
    before, after = copies(store, b"<p>one two three</p>", b"<p>one two four</p>")
    found = compare_copies(store, before, after)
    (change,) = found.content.changes
    assert (change.kind, change.title, change.what) == ("page", "Welcome", ("changed",))
    assert [each.name for each in found.members.changed] == [PAGE]
    assert problem("changes-1", found.to_json()["content"]) is None


def test_copies_of_equal_content_digest_are_not_read(tmp_path: Path) -> None:
    store = Counted(tmp_path.as_uri(), tmp_path)
    before, after = copies(store, b"<p>same</p>", b"<p>same</p>")
    assert before.package.key != after.package.key
    store.got = 0
    assert compare_copies(store, before, after).is_same
    assert store.got == 0


def test_digests_of_other_rules_are_not_compared(tmp_path: Path) -> None:
    store = Counted(tmp_path.as_uri(), tmp_path)
    before, after = copies(store, b"<p>one</p>", b"<p>two</p>")
    old = replace(before.package, content_digest=after.package.content_digest, content_digest_version=1)
    assert not compare_copies(store, replace(before, package=old), after).is_same


def test_of_two_copies_only_what_differs_is_read(tmp_path: Path) -> None:
    store = Counted(tmp_path.as_uri(), tmp_path)
    picture = hashlib.shake_128(b"v").digest(2_000_000)
    found = []
    for number, page in enumerate((b"<p>a</p>", b"<p>b</p>"), 1):
        data = zipped(course(picture, page).members())
        found.append(
            Copy.of(f"{number}.json", store_package(store, Canvas(data), draft=draft(number)).manifest)
        )
    store.got = store.requests = 0
    assert compare_copies(store, *found).content.summary == "1 page changed"
    assert store.got < 2_000_000
    assert store.requests <= 6  # of each package: its end, its documents, the page


def test_an_error_says_which_copy_cannot_be_read(tmp_path: Path) -> None:
    store = Counted(tmp_path.as_uri(), tmp_path)
    before, after = copies(store, b"<p>a</p>", b"<p>b</p>")
    (tmp_path / after.package.key).write_bytes(b"x" * after.package.size)
    with pytest.raises(CorruptPackageError, match="course:101, export 2: "):
        compare_copies(store, before, after)
