"""The content digest: equal for equal content, though Canvas builds another package at every export."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from canvas_exports.archive.proof import cartridge
from canvas_exports.archive.proof.zip_directory import Member


def content_digest(members: Iterable[Member]) -> str:
    """SHA-256 over names, sizes and CRCs, in the order of the names.

    ``imsmanifest.xml`` is left out: Canvas writes the day of the export into it.
    """
    digest = hashlib.sha256()
    for name, size, crc in sorted((member.name, member.size, member.crc) for member in members):
        if name != cartridge.MANIFEST:
            digest.update(f"{name}\0{size}\0{crc:08x}\n".encode())
    return digest.hexdigest()
