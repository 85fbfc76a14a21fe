"""What one user asks of an archive does not keep another from reading."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveUnavailableError
from canvas_exports.web.archive_page.settings import archives
from canvas_exports.web.archive_page.settings.archives import OpenArchive
from canvas_exports.web.archive_page.settings.configuration import NamedArchive


def test_pages_do_not_wait_for_comparisons_and_searches(tmp_path: Path) -> None:
    place = OpenArchive(NamedArchive("campus", tmp_path.as_uri()))
    go_on = threading.Event()

    async def scenario() -> None:
        long = [asyncio.create_task(place.run(lambda _: go_on.wait(60), is_long=True)) for _ in range(8)]
        await asyncio.sleep(0)
        try:
            assert await place.run(lambda store: store.uri) == tmp_path.as_uri()
        finally:
            go_on.set()
        assert await asyncio.gather(*long) == [True] * 8

    asyncio.run(scenario())


def test_a_store_that_does_not_answer_is_an_error_and_its_place_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = OpenArchive(NamedArchive("campus", tmp_path.as_uri()))
    go_on = threading.Event()

    def hangs(_: Store) -> bool:
        return go_on.wait(60)

    async def scenario() -> None:
        with monkeypatch.context() as hasty:
            hasty.setattr(archives, "_PATIENCE", 0.01)
            for _ in range(archives._MOST_WAITING):
                with pytest.raises(ArchiveUnavailableError, match="has not answered"):
                    await place.run(hangs)
        go_on.set()
        assert await place.run(lambda store: store.uri) == tmp_path.as_uri()

    asyncio.run(scenario())
