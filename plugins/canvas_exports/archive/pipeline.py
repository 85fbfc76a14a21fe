"""The way of a package's bytes."""

from __future__ import annotations

from canvas_exports.archive.blocks import BlockBudget

__all__ = ["BlockBudget"]
