"""An unchanged package, abandoned at its last byte, on every kind of store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.packages.build import COURSE, HOST, cartridge_files, draft, zipped
from tests.support.store_servers.s3 import FaultProxy
from tests.support.store_servers.stores import Place, S3Place

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.archive.publishing.package_source import PackageSource
from canvas_exports.core.archive.publishing.publish import publish
from canvas_exports.core.archive.publishing.published import Published
from canvas_exports.core.export.baseline import newest_proven
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.packages.proof import Expectation
from canvas_exports.core.storage.buffers import BlockWriter, BufferPool
from canvas_exports.core.storage.store import Block

FIRST, SECOND = draft(501), draft(502)


def package(day: str, size: int) -> bytes:
    return zipped(cartridge_files({"web_resources/video.mp4": hashlib.shake_128(b"v").digest(size)}, day=day))


@pytest.mark.parametrize("large", [False, True], ids=["one request", "several requests"])
def test_nothing_of_an_unchanged_package_is_visible_or_left(place: Place, large: bool) -> None:
    size = place.large if large else 10
    monday, tuesday = package("2026-11-23", size), package("2026-11-24", size)

    def night(number: int, data: bytes, copy: Manifest | None) -> Published:
        def blocks(_: BlockWriter) -> Iterator[Block]:
            yield from (data[start : start + (1 << 20)] for start in range(0, len(data), 1 << 20))

        expect = Expectation("common_cartridge", len(data), COURSE, HOST)
        source = PackageSource(blocks, expect, BufferPool())
        return publish(place.store, draft=draft(number), source=source, baseline=lambda: copy)

    copy = night(501, monday, None).manifest
    assert night(502, tuesday, copy).unchanged
    assert place.objects() == {FIRST.key, manifest_key(FIRST.key), manifest_key(SECOND.key)}
    assert not place.store.capabilities.sweeps or place.leftovers() == []
    assert place.store.read(FIRST.key) == monday


COURSES = 25


@pytest.mark.parametrize(
    ("size", "sent_at_most"),
    [(100_000, 2_000 * COURSES), (20 << 20, (16 << 20) * COURSES)],
    ids=["small", "large"],
)
def test_what_a_second_night_of_unchanged_courses_costs(
    faulty_s3: tuple[S3Place, FaultProxy], size: int, sent_at_most: int
) -> None:
    """One listing, one read of a manifest, one look at the package before and after, one manifest: and no package."""
    place, proxy = faulty_s3
    courses = COURSES if size < 1 << 20 else 2
    costs = []
    for night, day in enumerate(("2026-11-23", "2026-11-24")):
        data = package(day, size)
        before, sent = len(proxy.seen), sum(proxy.lengths)
        objects = place.objects()
        for course in range(courses):
            tonight = draft(1000 * (night + 1) + course)
            expect = Expectation("common_cartridge", len(data))
            source = PackageSource(lambda _, data=data: iter([data]), expect, BufferPool())  # type: ignore[misc]  # mypy knows no type of a default
            tonight = replace(
                tonight,
                key=tonight.key.replace("courses/101/", f"courses/{course + 1}/"),
                context=replace(tonight.context, id=course + 1),
                export=replace(
                    tonight.export, created_at=tonight.export.created_at + night * timedelta(days=1)
                ),
            )
            baseline = newest_proven(place.store, tonight, ProofLevel.DIRECTORY)
            assert publish(place.store, draft=tonight, source=source, baseline=baseline).unchanged == bool(
                night
            )
        costs.append(
            {
                "requests": (len(proxy.seen) - before) / courses,
                "bytes": (sum(proxy.lengths) - sent) / courses,
                "objects": len(place.objects() - objects) / courses,
            }
        )
    first, second = costs
    assert (first["objects"], second["objects"]) == (2, 1)
    assert second["bytes"] * courses <= sent_at_most
    assert second["requests"] <= first["requests"] + 1
    assert place.leftovers() == []
