"""Waits that a test can afford."""

from __future__ import annotations

import pytest

from canvas_exports.export import batch, transfer


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "DWELL", 0.01)
    monkeypatch.setattr(batch, "LINGER", 0.02)
    monkeypatch.setattr(batch, "_SETTLE", 0.01)
    monkeypatch.setattr(transfer, "_BACKOFF", (0.0, 0.001, 0.001))
