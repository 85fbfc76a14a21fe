"""Files below a folder of this machine, or of a file server mounted there."""

from __future__ import annotations

import builtins
import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from stat import S_ISREG

from canvas_exports.archive.blocks import MiB
from canvas_exports.archive.keys import check_key, is_key
from canvas_exports.archive.store import Block, ObjectInfo, Store, absent
from canvas_exports.archive.stores.parts import part_name, whole_name
from canvas_exports.errors import (
    AlreadyStoredError,
    ArchiveDeniedError,
    ArchiveUnavailableError,
    ObjectNotFoundError,
)

_BLOCK = MiB
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR)
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)


class FileStore(Store):
    """A root folder, created when the first object is stored.

    An object is written under a temporary name in its own folder, forced to the disk, and then linked to its name,
    which fails if the name is taken: nothing half is ever visible, nothing is replaced, and a crash of the machine
    leaves either the whole object or a temporary file for ``sweep``.
    """

    def __init__(self, uri: str, root: Path) -> None:
        self.uri = uri
        self._root = root

    def put(self, key: str, blocks: Iterable[Block]) -> None:
        """Write beside the object, force to the disk, then link: the key appears whole or not at all."""
        path = self._path(key)
        with _translated("store", key):
            if path.exists():
                raise AlreadyStoredError("the key is taken", key=key)
        with self._part_of(path, key) as part:
            self._write(part, blocks, key)
            with _translated("store", key):
                _link(part, path)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """As ``put``: linking fails if the key is taken, so two writers cannot both succeed."""
        try:
            self.put(key, [data])
        except AlreadyStoredError:
            return False
        return True

    def replace(self, key: str, data: bytes) -> None:
        """Write beside the object, then rename over it."""
        path = self._path(key)
        with self._part_of(path, key) as part:
            self._write(part, [data], key)
            with _translated("store", key):
                part.replace(path)
                _sync_folder(path.parent)

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """A part of the file; past its end there is nothing."""
        with _translated("read", key), self._path(key).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size + start) if start < 0 else start)
            return file.read(length)

    def blocks(self, key: str) -> Iterator[Block]:
        """Through one buffer of a mebibyte."""
        buffer = bytearray(_BLOCK)
        with _translated("read", key):
            file = self._path(key).open("rb", buffering=0)
        with file:
            while True:
                with _translated("read", key):
                    filled = file.readinto(buffer)
                if not filled:
                    return
                yield memoryview(buffer)[:filled]

    def stat(self, key: str) -> ObjectInfo | None:
        """One file; a folder is not an object."""
        try:
            with _translated("look up", key):
                found = self._path(key).stat()
        except ObjectNotFoundError:
            return None
        if not S_ISREG(found.st_mode):
            return None
        return ObjectInfo(key, found.st_size, datetime.fromtimestamp(found.st_mtime, timezone.utc))

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Walk the folder; files that are being written are not objects, nor those whose name is no key."""
        for path in self._files(prefix.rpartition("/")[0]):
            key = path.relative_to(self._root).as_posix()
            if key.startswith(prefix) and whole_name(key) is None and is_key(key):
                info = self.stat(key)
                if info is not None:
                    yield info

    def delete(self, key: str) -> None:
        """Remove the file; its folder stays."""
        with suppress(ObjectNotFoundError), _translated("delete", key):
            self._path(key).unlink()

    def sweep(
        self, older_than: timedelta, owns: Callable[[str], bool] = lambda _: True
    ) -> builtins.list[str]:
        """Remove temporary files that nobody has written to for so long."""
        youngest = datetime.now(timezone.utc) - older_than
        swept = []
        for path in self._files(""):
            key = whole_name(path.relative_to(self._root).as_posix())
            if key is None or not owns(key):
                continue
            with suppress(ObjectNotFoundError), _translated("sweep", path.name):
                if datetime.fromtimestamp(path.stat().st_mtime, timezone.utc) <= youngest:
                    path.unlink()
                    swept.append(key)
        return swept

    def close(self) -> None:
        """Nothing is kept open."""

    def _path(self, key: str) -> Path:
        return self._root / check_key(key)

    def _files(self, folder: str) -> Iterator[Path]:
        for place, _, names in os.walk(self._root / folder):
            yield from (Path(place, name) for name in names)

    @contextmanager
    def _part_of(self, path: Path, key: str) -> Iterator[Path]:
        """A temporary name beside an object's, gone afterwards whatever happens."""
        with _translated("store", key):
            path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(part_name(path.name))
        try:
            yield part
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)

    def _write(self, part: Path, blocks: Iterable[Block], key: str) -> None:
        with _translated("store", key):
            file = part.open("xb", buffering=0)
        with file:
            for block in blocks:
                with _translated("store", key):
                    left = memoryview(block)
                    while left:
                        left = left[file.write(left) :]
                del block, left  # else the producer could wait for ever for the memory we still hold
            with _translated("store", key):
                os.fsync(file.fileno())


def _link(part: Path, path: Path) -> None:
    """Give a finished file its name, unless that is taken."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise AlreadyStoredError("the key is taken") from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # A file server without links: look, then rename. Two writers in the same instant store the same export.
        if path.exists():
            raise AlreadyStoredError("the key is taken") from None
        part.rename(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file servers refuse it for folders
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated(action: str, key: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if action != "store" and error.errno in _ABSENT:
            raise absent(key) from None
        if error.errno in _DENIED:
            raise ArchiveDeniedError(
                f"cannot {action}: {error.strerror}; check who owns the folder, and that it is one", key=key
            ) from error
        raise ArchiveUnavailableError(f"cannot {action} at present: {error.strerror}", key=key) from error
