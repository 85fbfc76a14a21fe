"""Waits that a test can afford, and a Canvas of two courses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.batch_rig import course, sandbox

from canvas_exports.core.export import batch, transfer
from canvas_exports.core.export.polling import wait
from canvas_sandbox import Sandbox


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait, "DWELL", 0.01)
    monkeypatch.setattr(wait, "LINGER", 0.02)
    monkeypatch.setattr(batch, "_SETTLE", 0.01)
    monkeypatch.setattr(transfer, "_BACKOFF", (0.0, 0.001, 0.001))


@pytest.fixture
def canvas() -> Iterator[Sandbox]:
    with sandbox(course(100), course(101)) as running:
        yield running
