"""A package whose end tells that it repeats a stored one is not even fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.core.archive.publishing.test_publish import Canvas, files, store_package
from tests.core.archive.publishing.test_unchanged import (
    FIRST,
    MONDAY,
    NIGHT_TWO,
    SECOND,
    TUESDAY,
    Remembering,
    package,
)
from tests.support.packages.build import COURSE, HOST, cartridge
from tests.support.packages.stored import buffered

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.publishing import package_source as module
from canvas_exports.core.archive.publishing.package_source import Delivery
from canvas_exports.core.archive.publishing.publish import Published, publish
from canvas_exports.core.archive.publishing.replicate import Place, publish_everywhere
from canvas_exports.core.packages.proof import Expectation
from canvas_exports.core.packages.random_access import BytesNotKeptError, RandomAccess
from canvas_exports.core.storage.buffers import MIN_BLOCK_SIZE, BufferPool
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import CanvasExportsError, CredentialError, DownloadError

EDITED = package("2026-11-24", b"another")


class Glances:
    """The end of a package as storage would give it, counted."""

    def __init__(self, data: bytes | None, error: Exception | None = None) -> None:
        self.data = data
        self.error = error
        self.taken = 0

    def __call__(self) -> RandomAccess | None:
        self.taken += 1
        if self.error is not None:
            raise self.error
        return None if self.data is None else buffered(self.data)


@pytest.fixture(autouse=True)
def _every_package_is_worth_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORTH_A_LOOK", 1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"file://{tmp_path}/canvas") as opened:
        yield opened


@pytest.fixture
def known(store: Store) -> Remembering:
    return Remembering(store_package(store, Canvas(MONDAY), draft=FIRST).manifest)


def delivery(canvas: Canvas, look: Callable[[], RandomAccess | None], size: int) -> Delivery:
    expect = Expectation("common_cartridge", size, COURSE, HOST)
    return Delivery(canvas.blocks, expect, BufferPool(3 * MIN_BLOCK_SIZE, MIN_BLOCK_SIZE), look=look)


def second_night(
    store: Store, known: Remembering | None, look: Glances, data: bytes = TUESDAY
) -> tuple[Published, int]:
    """What was published, and how many downloads that took."""
    canvas = Canvas(data)
    published = publish(store, draft=SECOND, delivery=delivery(canvas, look, len(data)), known=known)
    return published, canvas.downloads


def test_what_repeats_a_stored_package_is_not_fetched(store: Store, known: Remembering) -> None:
    published, downloads = second_night(store, known, Glances(TUESDAY))
    assert (published.unchanged, published.key, downloads) == (True, FIRST.key, 0)
    assert files(store) == NIGHT_TWO


def test_what_has_changed_is_fetched_once_and_stored(store: Store, known: Remembering) -> None:
    look = Glances(EDITED)
    published, downloads = second_night(store, known, look, EDITED)
    assert (published.unchanged, downloads, look.taken) == (False, 1, 1)
    assert store.read(SECOND.key) == EDITED


@pytest.mark.parametrize(
    "look",
    [
        Glances(None),
        Glances(None, DownloadError("the link has expired")),
        Glances(None, CredentialError("the token is unknown")),
        Glances(None, BytesNotKeptError(range(9))),
        Glances(TUESDAY[:-5]),
        Glances(b"<!DOCTYPE html>" * 90),
    ],
    ids=["no parts", "no link", "no token", "out of reach", "cut", "a page"],
)
def test_whatever_is_wrong_with_the_look_the_package_comes_and_is_judged_itself(
    store: Store, known: Remembering, look: Glances
) -> None:
    look.taken = 0
    published, downloads = second_night(store, known, look)
    assert (published.unchanged, downloads, look.taken) == (True, 1, 1)


def test_an_incomplete_package_comes_whatever_is_known(store: Store) -> None:
    data = cartridge(missing=["lost.pdf"])
    known = Remembering(store_package(store, Canvas(data), draft=FIRST).manifest)
    published, downloads = second_night(store, known, Glances(data), data)
    assert (published.unchanged, downloads) == (False, 1)


def test_nobody_looks_where_nothing_is_known(store: Store) -> None:
    look = Glances(TUESDAY)
    assert second_night(store, None, look)[1] == 1
    assert look.taken == 0


def test_a_small_package_simply_comes(
    store: Store, known: Remembering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WORTH_A_LOOK", len(TUESDAY) + 1)
    look = Glances(TUESDAY)
    published, downloads = second_night(store, known, look)
    assert (published.unchanged, downloads, look.taken) == (True, 1, 0)


def test_a_stored_package_that_is_gone_is_fetched_after_all(store: Store, known: Remembering) -> None:
    store.delete(FIRST.key)
    published, downloads = second_night(store, known, Glances(TUESDAY))
    assert (published.unchanged, downloads) == (False, 1)
    assert store.read(SECOND.key) == TUESDAY


def test_several_archives_look_once_and_only_who_lacks_the_package_gets_it(tmp_path: Path) -> None:
    has, lacks = (FileStore((tmp_path / name).as_uri(), tmp_path / name) for name in ("has", "lacks"))
    known = Remembering(store_package(has, Canvas(MONDAY), draft=FIRST).manifest)
    canvas, look = Canvas(TUESDAY), Glances(TUESDAY)
    results: list[Published | CanvasExportsError] = publish_everywhere(
        [Place(has, known), Place(lacks)], draft=SECOND, delivery=delivery(canvas, look, len(TUESDAY))
    )
    assert [each.unchanged for each in results if isinstance(each, Published)] == [True, False]
    assert (canvas.downloads, look.taken) == (1, 1)
    assert files(has) == NIGHT_TWO
    assert files(lacks) == {SECOND.key, manifest_key(SECOND.key)}


def test_where_every_archive_has_it_nothing_is_fetched(tmp_path: Path) -> None:
    stores = [FileStore((tmp_path / name).as_uri(), tmp_path / name) for name in ("one", "two")]
    places = [
        Place(store, Remembering(store_package(store, Canvas(MONDAY), draft=FIRST).manifest))
        for store in stores
    ]
    canvas, look = Canvas(TUESDAY), Glances(TUESDAY)
    publish_everywhere(places, draft=SECOND, delivery=delivery(canvas, look, len(TUESDAY)))
    assert (canvas.downloads, look.taken) == (0, 1)
    assert all(files(store) == NIGHT_TWO for store in stores)
