"""What a store over smart_open does beyond the conformance suite."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from tests.support.store_servers.stores import FolderPlace, Place

from canvas_exports.errors import AlreadyStoredError, ArchiveUnavailableError


def test_a_key_taken_while_the_stream_flowed_is_not_replaced(
    open_place: Callable[[str], Place],
) -> None:
    place = open_place("sftp")

    def overtaken() -> Iterator[bytes]:
        yield b"second"
        place.store.put("a.zip", [b"first"])

    with pytest.raises(AlreadyStoredError):
        place.store.put("a.zip", overtaken())
    assert place.store.read("a.zip") == b"first"
    assert place.leftovers() == []


def test_a_file_that_shrinks_while_it_is_read_is_noticed(open_place: Callable[[str], Place]) -> None:
    place = open_place("sftp")
    assert isinstance(place, FolderPlace)
    place.store.put("a.zip", [b"x" * 3_000_000])
    blocks = place.store.blocks("a.zip")
    next(blocks)
    os.truncate(place.folder / "a.zip", 1_000_000)
    with pytest.raises(ArchiveUnavailableError):
        list(blocks)
