from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.archives.publishing import FIRST, MONDAY, BaselineOf, Canvas, store_package

from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"file://{tmp_path}/canvas") as opened:
        yield opened


@pytest.fixture
def baseline(store: Store) -> BaselineOf:
    return BaselineOf(store_package(store, Canvas(MONDAY), draft=FIRST).manifest)
