"""A Canvas of two courses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.batch_rig import course, sandbox

from canvas_sandbox import Sandbox


@pytest.fixture
def canvas() -> Iterator[Sandbox]:
    with sandbox(course(100), course(101)) as running:
        yield running
