from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.previous_release import campus
from tests.support.short_waits import short_waits

from canvas_sandbox import Sandbox


@pytest.fixture(autouse=True)
def _no_long_waits() -> Iterator[None]:
    with short_waits():
        yield


@pytest.fixture
def canvas() -> Iterator[Sandbox]:
    with campus() as sandbox:
        yield sandbox
