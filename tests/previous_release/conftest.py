from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.airflow.short_waits import short_waits
from tests.support.releases.previous_release import campus

from canvas_sandbox import Sandbox


@pytest.fixture(autouse=True)
def _no_long_waits() -> Iterator[None]:
    with short_waits():
        yield


@pytest.fixture
def canvas() -> Iterator[Sandbox]:
    with campus() as sandbox:
        yield sandbox
