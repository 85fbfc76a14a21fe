"""A full proof takes the memory of a few blocks, however large the package, and however much it unpacks to."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable, Iterator

import pytest
from tests.support.packages.stored import KEY, InMemory
from tests.support.packages.zips import Entry, packed_zip

from canvas_exports.core.packages.proof import Expectation
from canvas_exports.core.packages.prove_stored import prove_stored
from canvas_exports.core.storage.buffers import MiB
from canvas_exports.core.storage.store import Block, ObjectInfo
from canvas_sandbox.packages.virtual_file import VirtualFile
from canvas_sandbox.packages.zip_layout import filler_member, lay_out, text_member


class Virtual(InMemory):
    """A package that is never held: its bytes are made as they are read."""

    def __init__(self, package: VirtualFile) -> None:
        super().__init__(b"")
        self.package = package
        self.largest = 0

    def stat(self, key: str) -> ObjectInfo | None:
        info = super().stat(key)
        assert info is not None
        return ObjectInfo(key, self.package.size, info.modified)

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        assert key == KEY
        self.requests += 1
        self.largest = max(self.largest, length or 0)
        return self.package.read(start, start + (length or 0))

    def blocks(self, key: str) -> Iterator[Block]:
        assert key == KEY
        self.requests += 1
        return self.package.blocks(block=MiB)


def virtual(sizes: Iterable[int]) -> Virtual:
    films = [filler_member(f"film-{at}.mp4", f"film {at}", size) for at, size in enumerate(sizes)]
    return Virtual(lay_out([text_member("page.html", "<p>" * 1000), *films], 1e9))


def peak(store: InMemory) -> int:
    """The most bytes that were allocated at once while it was proven."""
    prove_stored(
        virtual([1000]), KEY, Expectation("zip")
    )  # what is imported and cached at first use is not measured
    tracemalloc.start()
    try:
        assert prove_stored(store, KEY, Expectation("zip")).is_complete
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("megabytes", [20, 400])
def test_a_large_package_takes_no_more_than_a_small_one(megabytes: int) -> None:
    store = virtual([megabytes * MiB // 4] * 4)
    assert store.package.size > megabytes * MiB
    assert peak(store) < 8 * MiB
    assert (store.requests, store.largest) == (2, MiB // 4)


def test_a_member_that_unpacks_to_a_thousand_times_its_size_is_never_held() -> None:
    zeros = bytes(64 * MiB)
    store = InMemory(packed_zip([Entry("zeros.bin", zeros)]))
    del zeros
    assert len(store.data) < MiB
    assert peak(store) < 8 * MiB


def test_a_document_without_end_is_read_in_pieces() -> None:
    long = b"<quiz>" + b"<p>text</p>" * 300_000 + b"</quiz>"
    manifest = b'<manifest><resources><resource identifier="a"/></resources></manifest>'
    package = packed_zip([Entry("z1/assessment_meta.xml", long), Entry("imsmanifest.xml", manifest)])
    tracemalloc.start()
    try:
        assert prove_stored(InMemory(package), KEY, Expectation("common_cartridge")).is_complete
        assert tracemalloc.get_traced_memory()[1] < 8 * MiB
    finally:
        tracemalloc.stop()
