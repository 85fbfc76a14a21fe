"""A copy is opened from its store, by ranged reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.archives.stored import spoil, stored
from tests.support.packages.build import zipped
from tests.support.packages.courses import course

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.package_content import open_package
from canvas_exports.core.packages.content.model import ItemKind
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import CorruptPackageError, ObjectNotFoundError


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path.as_uri(), tmp_path)


@pytest.fixture
def copy(store: FileStore) -> Copy:
    manifest = stored(store, data=zipped(course().members()))
    return Copy.of(manifest_key(manifest.package.key), manifest)


def test_its_items_can_be_read(store: FileStore, copy: Copy) -> None:
    content = open_package(store, copy)
    page = next(item for item in content.items if item.kind is ItemKind.PAGE)
    assert content.read(page).html == "<p>Welcome</p>"


def test_a_package_that_is_gone_is_not_found(store: FileStore, copy: Copy) -> None:
    store.delete(copy.package.key)
    with pytest.raises(ObjectNotFoundError):
        open_package(store, copy)


def test_a_package_that_is_no_longer_what_was_stored_is_corrupt(store: FileStore, copy: Copy) -> None:
    spoil(store, copy.package.key, bytes(copy.package.size))
    with pytest.raises(CorruptPackageError):
        open_package(store, copy)


def test_the_number_of_members_in_a_manifest_may_be_wrong(store: FileStore, copy: Copy) -> None:
    for count in (-5, 10**12):
        lying = replace(copy, package=replace(copy.package, member_count=count))
        assert open_package(store, lying).items
