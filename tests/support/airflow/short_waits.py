"""Make the waits of operators and triggers short enough for a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

import pytest

from canvas_exports.core.export.waits import Waits
from canvas_exports.operators.content_export import CanvasContentExportOperator
from canvas_exports.triggers.restore import CanvasRestoreTrigger

WAITS = Waits(before_transfers=(0.0, 0.01, 0.01), between_rounds=0.05, batch_delay=0.3, min_wait=0.05)


@contextmanager
def short_waits() -> Iterator[None]:
    """Shorten the waits of every operator and trigger."""
    with ExitStack() as patches:
        patches.enter_context(mock.patch.object(CanvasContentExportOperator, "waits", WAITS))
        patches.enter_context(mock.patch.object(CanvasRestoreTrigger, "min_wait", WAITS.min_wait))
        yield


@pytest.fixture(autouse=True)
def no_long_waits() -> Iterator[None]:
    """Shorten the waits in each test of the folder whose conftest imports this fixture."""
    with short_waits():
        yield
