"""Two stored packages are compared with a few reads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.archives.publishing import Canvas, store_package
from tests.support.packages.build import PAGE, cartridge, draft

from canvas_exports.core.archive.compare import compare_packages
from canvas_exports.core.archive.manifest import PackageFacts
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import Block
from canvas_exports.errors import ObjectNotFoundError


class Counted(FileStore):
    """Counts the bytes that are read."""

    got = 0

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        found = super().read(key, start, length)
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
