"""Findings are bounded, and the most severe come first."""

from __future__ import annotations

from tests.support.packages.build import (
    cartridge,
)
from tests.support.packages.stored import codes_of, prove_buffered


def test_findings_are_bounded_gravest_first() -> None:
    lost = [f"web_resources/{number}" for number in range(500)]
    proof = prove_buffered(cartridge(context=None, missing=lost))
    assert len(proof.findings) == 201
    assert codes_of(proof)[-1] == "more_findings"
    assert "301" in proof.findings[-1].message
    assert proof.counts["missing"] == 500
