"""The store of uploaded bytes: files in a folder, never in memory."""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

_UNFINISHED = ".part"


@dataclass(frozen=True)
class StoredUpload:
    """A complete file: its name in the folder, its size in bytes and its SHA-256."""

    name: str
    size: int
    sha256: str


class UploadStore:
    """A folder of uploads. Without a folder it makes a temporary one, which `close` removes.

    Files that a killed process had not finished receiving are removed at the next start.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._folder = folder
        if folder is not None and folder.is_dir():
            for unfinished in folder.glob(f"*{_UNFINISHED}"):
                unfinished.unlink()

    def path(self, name: str) -> Path:
        """Return the path of a stored file."""
        return self._home() / name

    def receive(self) -> UploadWriter:
        """Return a writer for a new file."""
        return UploadWriter(self._home() / uuid.uuid4().hex)

    def discard(self, stored: StoredUpload) -> None:
        """Remove a file."""
        self.path(stored.name).unlink()

    def close(self) -> None:
        """Remove the folder if it is a temporary one."""
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    def _home(self) -> Path:
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            return self._folder
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="canvas-sandbox-")
        return Path(self._temporary.name)


class UploadWriter:
    """Writes a file piece by piece. Unless `finish` is called, the file is removed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(path.name + _UNFINISHED)
        self._file: IO[bytes] | None = None
        self._digest = hashlib.sha256()
        self._size = 0

    def __enter__(self) -> UploadWriter:  # noqa: PYI034  Self needs Python 3.11
        self._file = self._partial.open("wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        self._partial.unlink(missing_ok=True)

    def write(self, piece: bytes) -> None:
        """Add a piece."""
        assert self._file is not None
        self._file.write(piece)
        self._digest.update(piece)
        self._size += len(piece)

    def finish(self) -> StoredUpload:
        """Give the complete file its name."""
        assert self._file is not None
        self._file.close()
        self._partial.rename(self._path)
        return StoredUpload(self._path.name, self._size, self._digest.hexdigest())
