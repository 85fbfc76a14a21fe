"""One download into real stores of different kinds at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.packages.build import COURSE, HOST, cartridge, draft
from tests.support.store_servers.s3 import HANG_UP, FaultProxy
from tests.support.store_servers.stores import Place, S3Place

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.publishing.package_source import PackageSource
from canvas_exports.core.archive.publishing.published import Published
from canvas_exports.core.archive.publishing.replicate import Replica as Target
from canvas_exports.core.archive.publishing.replicate import publish_to_replicas
from canvas_exports.core.packages.proof import Expectation
from canvas_exports.core.storage.buffers import BLOCK_SIZE, BlockWriter, BufferPool
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import Block, Store
from canvas_exports.errors import ArchiveUnavailableError

PACKAGE = cartridge({"web_resources/video.mp4": hashlib.shake_128(b"v").digest(24 << 20)})
DRAFT = draft()
BOTH = {DRAFT.key, manifest_key(DRAFT.key)}


def everywhere(*stores: Store) -> list[object]:
    def blocks(_: BlockWriter) -> Iterator[Block]:
        yield from (PACKAGE[start : start + (1 << 20)] for start in range(0, len(PACKAGE), 1 << 20))

    expect = Expectation("common_cartridge", len(PACKAGE), COURSE, HOST)
    source = PackageSource(blocks, expect, BufferPool(3 * BLOCK_SIZE))
    return list(publish_to_replicas([Target(store) for store in stores], draft=DRAFT, source=source))


@pytest.mark.parametrize("kind", ["s3-rclone", "sftp"])
def test_stores_of_two_kinds_hold_the_same(
    open_place: Callable[[str], Place], tmp_path: Path, kind: str
) -> None:
    place, folder = open_place(kind), tmp_path / "folder"
    results = everywhere(place.store, FileStore(folder.as_uri(), folder))
    assert all(isinstance(result, Published) for result in results)
    assert place.objects() == BOTH
    assert place.store.read(DRAFT.key) == (folder / DRAFT.key).read_bytes() == PACKAGE
    assert place.leftovers() == []


@pytest.mark.parametrize("part", [1, 2, 3])
def test_a_bucket_that_goes_away_in_the_middle_harms_no_folder_and_holds_nothing(
    faulty_s3: tuple[S3Place, FaultProxy], tmp_path: Path, part: int
) -> None:
    place, proxy = faulty_s3
    proxy.rule = lambda _verb, target: HANG_UP if f"partNumber={part}" in target else None
    folder = FileStore(tmp_path.as_uri(), tmp_path)
    failed, stored = everywhere(place.store, folder)
    assert isinstance(failed, ArchiveUnavailableError)
    assert isinstance(stored, Published)
    assert folder.read(DRAFT.key) == PACKAGE
    assert place.objects() == set()
    assert place.leftovers() == []
