from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.store_servers.places import BUCKET
from tests.support.store_servers.wild_s3 import Habits, WildS3
from tests.support.store_servers.wild_stores import Wild, reopened

from canvas_exports.core.storage.store import Store


@pytest.fixture
def wild() -> Iterator[Wild]:
    """Starts a server with habits, and opens a store on it."""
    opened: list[Any] = []

    def start(habits: Habits | None = None, *, retries: int = 0, **more: Any) -> tuple[WildS3, Store]:
        server = WildS3(BUCKET, habits)
        store = reopened(server, retries=retries, **more)
        opened.extend((store, server))
        return server, store

    yield start
    for each in opened:
        each.close()
