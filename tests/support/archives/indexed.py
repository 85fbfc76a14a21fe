"""An archive that is read with its index, and counts what is read."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

from tests.support.archives.holdings import lay, manifest

from canvas_exports.core.archive.catalog.index import read_with_index
from canvas_exports.core.archive.catalog.read import Holding, every_context
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import ArchiveDeniedError

LATER = datetime.now(timezone.utc) + timedelta(days=1)


class CountingArchive(FileStore):
    """A folder that lists the keys that were read, and may forbid writing."""

    def __init__(self, root: Path) -> None:
        super().__init__(root.as_uri(), root)
        self.reads: list[str] = []
        self.refuses: set[str] = set()

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        self.reads.append(key)
        return super().read(key, start, length)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        if "put" in self.refuses:
            raise ArchiveDeniedError("read only", key=key)
        return super().put_if_absent(key, data)

    def delete(self, key: str) -> None:
        if "delete" in self.refuses:
            raise ArchiveDeniedError("locked", key=key)
        super().delete(key)

    def segments(self) -> list[str]:
        return sorted(info.key for info in self.list("catalog/"))

    def manifests_read(self) -> list[str]:
        return [key for key in self.reads if not key.startswith("catalog/")]


def read_indexed(store: FileStore, *, now: datetime = LATER, **options: int) -> list[Holding]:
    """Read an archive with its index; the options are those of ``read_with_index``."""
    with closing(read_with_index(store, now=now, **options)) as holdings:
        return sorted(holdings, key=lambda holding: holding.name)


def read_plainly(store: FileStore) -> list[Holding]:
    """Read an archive without its index."""
    return sorted(every_context(store), key=lambda holding: holding.name)


def fill(archive: FileStore, count: int = 3) -> list[Manifest]:
    """Store a copy of each of some courses; return their manifests."""
    return [lay(archive, manifest(f"course:{number}", export_id=number)) for number in range(1, count + 1)]
