from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.airflow.short_waits import no_long_waits  # noqa: F401 - used by each test
from tests.support.releases.previous_release import campus

from canvas_sandbox import Sandbox


@pytest.fixture
def canvas() -> Iterator[Sandbox]:
    with campus() as sandbox:
        yield sandbox
