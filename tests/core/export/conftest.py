"""A Canvas of two courses, and ways from a finished export to an archive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.exports.batch_rig import course, sandbox
from tests.support.exports.transfer_rig import Way, way_over

from canvas_sandbox import Sandbox


@pytest.fixture
def canvas() -> Iterator[Sandbox]:
    with sandbox(course(100), course(101)) as running:
        yield running


@pytest.fixture
def way(tmp_path: Path) -> Iterator[Way]:
    yield from way_over(tmp_path, course(100))


@pytest.fixture
def troubled(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Way]:
    """A course with the faults that a test names."""
    yield from way_over(tmp_path, course(100, *request.param))
