"""The levels of a proof."""

from __future__ import annotations

from enum import Enum


class ProofLevel(str, Enum):
    """How deep a proof looks, shallowest first.

    ``DIRECTORY`` reads the zip's directory and the cartridge's manifest, without a second read of the package.
    ``FULL`` reads all of it once it is stored, and unpacks every member.
    """

    DIRECTORY = "directory"
    FULL = "full"


#: Their values, shallowest first.
PROOF_LEVELS = tuple(level.value for level in ProofLevel)
