"""A package whose end shows the content of a stored one is not fetched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.archives.publishing import (
    FIRST,
    MONDAY,
    NIGHT_TWO,
    SECOND,
    TUESDAY,
    BaselineOf,
    Canvas,
    files,
    package,
    store_package,
)
from tests.support.packages.build import COURSE, HOST, cartridge
from tests.support.packages.stored import buffered

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.publishing.package_source import PackageSource
from canvas_exports.core.archive.publishing.publish import publish
from canvas_exports.core.archive.publishing.published import Published
from canvas_exports.core.archive.publishing.replicate import Replica, publish_to_replicas
from canvas_exports.core.packages.proof import Expectation
from canvas_exports.core.packages.random_access import BytesNotKeptError, RandomAccess
from canvas_exports.core.storage.buffers import MIN_BLOCK_SIZE, BufferPool
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import CanvasExportsError, CredentialError, DownloadError

EDITED = package("2026-11-24", b"another")


class PackageEnd:
    """The end of a package as storage returns it; counts the reads."""

    def __init__(self, data: bytes | None, error: Exception | None = None) -> None:
        self.data = data
        self.error = error
        self.reads = 0

    def __call__(self) -> RandomAccess | None:
        self.reads += 1
        if self.error is not None:
            raise self.error
        return None if self.data is None else buffered(self.data)


def source_of(
    canvas: Canvas, end: Callable[[], RandomAccess | None], size: int, peek_from: int = 1
) -> PackageSource:
    expect = Expectation("common_cartridge", size, COURSE, HOST)
    pool = BufferPool(3 * MIN_BLOCK_SIZE, MIN_BLOCK_SIZE)
    return PackageSource(canvas.blocks, expect, pool, open_package=end, peek_from=peek_from)


def second_night(
    store: Store, baseline: BaselineOf | None, end: PackageEnd, data: bytes = TUESDAY, peek_from: int = 1
) -> tuple[Published, int]:
    """What was published, and how many downloads that took."""
    canvas = Canvas(data)
    published = publish(
        store, draft=SECOND, source=source_of(canvas, end, len(data), peek_from), baseline=baseline
    )
    return published, canvas.downloads


def test_what_repeats_a_stored_package_is_not_fetched(store: Store, baseline: BaselineOf) -> None:
    published, downloads = second_night(store, baseline, PackageEnd(TUESDAY))
    assert (published.unchanged, published.key, downloads) == (True, FIRST.key, 0)
    assert files(store) == NIGHT_TWO


def test_what_has_changed_is_fetched_once_and_stored(store: Store, baseline: BaselineOf) -> None:
    end = PackageEnd(EDITED)
    published, downloads = second_night(store, baseline, end, EDITED)
    assert (published.unchanged, downloads, end.reads) == (False, 1, 1)
    assert store.read(SECOND.key) == EDITED


@pytest.mark.parametrize(
    "end",
    [
        PackageEnd(None),
        PackageEnd(None, DownloadError("the link has expired")),
        PackageEnd(None, CredentialError("the token is unknown")),
        PackageEnd(None, BytesNotKeptError(range(9))),
        PackageEnd(TUESDAY[:-5]),
        PackageEnd(b"<!DOCTYPE html>" * 90),
    ],
    ids=["no parts", "no link", "no token", "out of reach", "cut", "a page"],
)
def test_if_the_peek_fails_the_package_is_fetched_and_proven(
    store: Store, baseline: BaselineOf, end: PackageEnd
) -> None:
    end.reads = 0
    published, downloads = second_night(store, baseline, end)
    assert (published.unchanged, downloads, end.reads) == (True, 1, 1)


def test_an_incomplete_package_is_fetched_whatever_the_baseline(store: Store) -> None:
    data = cartridge(missing=["lost.pdf"])
    baseline = BaselineOf(store_package(store, Canvas(data), draft=FIRST).manifest)
    published, downloads = second_night(store, baseline, PackageEnd(data), data)
    assert (published.unchanged, downloads) == (False, 1)


def test_without_a_baseline_there_is_no_peek(store: Store) -> None:
    end = PackageEnd(TUESDAY)
    assert second_night(store, None, end)[1] == 1
    assert end.reads == 0


def test_a_small_package_is_fetched_without_a_peek(store: Store, baseline: BaselineOf) -> None:
    end = PackageEnd(TUESDAY)
    published, downloads = second_night(store, baseline, end, peek_from=len(TUESDAY) + 1)
    assert (published.unchanged, downloads, end.reads) == (True, 1, 0)


def test_a_stored_package_that_is_gone_is_fetched_after_all(store: Store, baseline: BaselineOf) -> None:
    store.delete(FIRST.key)
    published, downloads = second_night(store, baseline, PackageEnd(TUESDAY))
    assert (published.unchanged, downloads) == (False, 1)
    assert store.read(SECOND.key) == TUESDAY


def test_several_archives_peek_once_and_only_those_that_lack_the_package_store_it(tmp_path: Path) -> None:
    has, lacks = (FileStore((tmp_path / name).as_uri(), tmp_path / name) for name in ("has", "lacks"))
    baseline = BaselineOf(store_package(has, Canvas(MONDAY), draft=FIRST).manifest)
    canvas, end = Canvas(TUESDAY), PackageEnd(TUESDAY)
    results: list[Published | CanvasExportsError] = publish_to_replicas(
        [Replica(has, baseline), Replica(lacks)], draft=SECOND, source=source_of(canvas, end, len(TUESDAY))
    )
    assert [each.unchanged for each in results if isinstance(each, Published)] == [True, False]
    assert (canvas.downloads, end.reads) == (1, 1)
    assert files(has) == NIGHT_TWO
    assert files(lacks) == {SECOND.key, manifest_key(SECOND.key)}


def test_where_every_archive_has_it_nothing_is_fetched(tmp_path: Path) -> None:
    stores = [FileStore((tmp_path / name).as_uri(), tmp_path / name) for name in ("one", "two")]
    replicas = [
        Replica(store, BaselineOf(store_package(store, Canvas(MONDAY), draft=FIRST).manifest))
        for store in stores
    ]
    canvas, end = Canvas(TUESDAY), PackageEnd(TUESDAY)
    publish_to_replicas(replicas, draft=SECOND, source=source_of(canvas, end, len(TUESDAY)))
    assert (canvas.downloads, end.reads) == (0, 1)
    assert all(files(store) == NIGHT_TWO for store in stores)
