"""An archive in a folder that counts requests, and may fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import ObjectInfo
from canvas_exports.errors import ArchiveUnavailableError


class Counting(FileStore):
    """Counts what is asked of it, and may fail."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder.as_uri(), folder)
        self.listed: list[str] = []
        self.got: list[str] = []
        self.fails = False

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        if self.fails:
            raise ArchiveUnavailableError("the archive cannot be reached")
        self.listed.append(prefix)
        return super().list(prefix)

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        self.got.append(key)
        return super().read(key, start, length)
