"""The bytes of a file in a package: all of them, or a window, read by range where they are stored uncompressed."""

from __future__ import annotations

import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.packages.build import zipped
from tests.support.packages.opened import opened
from tests.support.packages.stored import KEY, InMemory

from canvas_exports.core.packages.content.model import CourseContent
from canvas_exports.core.packages.content.open import open_content
from canvas_exports.core.packages.random_access import StoredPackage
from canvas_exports.errors import CorruptPackageError, ObjectNotFoundError

FILM = bytes(range(251)) * 1000
STORED, PACKED = (
    opened(zipped({"film.mp4": FILM, "b": b"b"}, method=method), "zip")
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
)


@given(st.sampled_from([STORED, PACKED]), st.integers(0, len(FILM) + 10), st.integers(0, len(FILM) + 10))
def test_any_window_has_the_bytes_of_the_file(content: CourseContent, start: int, stop: int) -> None:
    assert b"".join(content.file_blocks("film.mp4", range(start, stop))) == FILM[start:stop]


@pytest.mark.parametrize("content", [STORED, PACKED])
def test_without_a_window_it_is_the_file(content: CourseContent) -> None:
    assert b"".join(content.file_blocks("film.mp4")) == FILM


def test_a_window_of_a_stored_film_reads_the_window() -> None:
    data = zipped({"film.mp4": FILM * 20, "end": bytes(300_000)}, method=zipfile.ZIP_STORED)
    store = InMemory(data)
    package = StoredPackage(store, KEY, len(data))
    content = open_content(package, export_type="zip")
    before, requests = package.bytes_read, store.requests
    assert (
        b"".join(content.file_blocks("film.mp4", range(3_000_000, 3_000_100)))
        == (FILM * 20)[3_000_000:3_000_100]
    )
    assert package.bytes_read - before < 140_000
    assert store.requests - requests == 2


def test_a_file_that_is_not_there_is_not_found() -> None:
    with pytest.raises(ObjectNotFoundError):
        next(STORED.file_blocks("none"))


def test_a_file_that_is_damaged_is_reported_at_its_end() -> None:
    data = bytearray(zipped({"film.mp4": FILM}, method=zipfile.ZIP_STORED))
    data[500] ^= 1
    with pytest.raises(CorruptPackageError):
        list(opened(bytes(data), "zip").file_blocks("film.mp4"))


def test_whoever_waits_for_the_end_of_a_packed_film_can_stop_at_every_block() -> None:
    content = opened(zipped({"film.mp4": bytes(20 << 20)}, method=zipfile.ZIP_DEFLATED), "zip")
    blocks = content.file_blocks("film.mp4", range((20 << 20) - 1, 20 << 20))
    assert next(blocks) == b""
    assert b"".join(blocks) == b"\0"
