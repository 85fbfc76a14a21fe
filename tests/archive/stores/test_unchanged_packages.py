"""An unchanged package, abandoned at its last byte, on every kind of store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from tests.archive.packages import COURSE, HOST, cartridge_files, draft, zipped
from tests.archive.stores.places import Place

from canvas_exports.archive.blocks import BlockBudget, Filling
from canvas_exports.archive.delivery import Delivery
from canvas_exports.archive.keys import manifest_key
from canvas_exports.archive.manifest import Manifest
from canvas_exports.archive.proof.model import Expectation
from canvas_exports.archive.publish import Published, publish
from canvas_exports.archive.store import Block

FIRST, SECOND = draft(501), draft(502)


def package(day: str, size: int) -> bytes:
    return zipped(cartridge_files({"web_resources/video.mp4": hashlib.shake_128(b"v").digest(size)}, day=day))


@pytest.mark.parametrize("large", [False, True], ids=["one request", "several requests"])
def test_nothing_of_an_unchanged_package_is_visible_or_left(place: Place, large: bool) -> None:
    size = place.large if large else 10
    monday, tuesday = package("2026-11-23", size), package("2026-11-24", size)

    def night(number: int, data: bytes, known: Manifest | None) -> Published:
        def blocks(_: Filling) -> Iterator[Block]:
            yield from (data[start : start + (1 << 20)] for start in range(0, len(data), 1 << 20))

        expect = Expectation("common_cartridge", len(data), COURSE, HOST)
        delivery = Delivery(blocks, expect, BlockBudget())
        return publish(place.store, draft=draft(number), delivery=delivery, known=lambda _: known)

    copy = night(501, monday, None).manifest
    assert night(502, tuesday, copy).unchanged
    assert place.objects() == {FIRST.key, manifest_key(FIRST.key), manifest_key(SECOND.key)}
    assert not place.store.capabilities.sweeps or place.leftovers() == []
    assert place.store.read(FIRST.key) == monday
