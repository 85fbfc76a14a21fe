"""Store objects as files below a folder of this machine, or of a file server mounted there."""

from __future__ import annotations

import builtins
import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from canvas_exports.core.storage.buffers import MiB
from canvas_exports.core.storage.foreign_objects import ForeignObjects
from canvas_exports.core.storage.local_folders import FILE_MODE, Folders, LinkError
from canvas_exports.core.storage.object_keys import check_key, is_key
from canvas_exports.core.storage.store import Block, ObjectInfo, Store, not_found
from canvas_exports.core.storage.temporary_names import final_name, temporary_name
from canvas_exports.errors import (
    AlreadyStoredError,
    ArchiveDeniedError,
    ArchiveUnavailableError,
    ObjectNotFoundError,
)

_BLOCK = MiB
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ELOOP)
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENXIO)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)


class FileStore(Store):
    """Store objects as files below a root folder, which is created with the first object.

    An object is written under a temporary name in its own folder, forced to the disk, and then linked to its name,
    which fails if the name is taken: nothing half is ever visible, nothing is replaced, and a crash of the machine
    leaves either the whole object or a temporary file for ``sweep``.

    Files have mode 0640 and folders 0750, whatever the umask. An object is a plain file: no link below the root is followed,
    neither to read nor to write; the root itself may be one.
    """

    def __init__(self, uri: str, root: Path) -> None:
        self.uri = uri
        self._root = root
        self._folders = Folders(root)
        self._foreign = ForeignObjects(uri)

    def put(self, key: str, blocks: Iterable[Block]) -> None:
        """Write beside the object, force to the disk, then link: the key appears whole or not at all."""
        if self.stat(key) is not None:
            raise AlreadyStoredError("the key is taken", key=key)
        with self._temporary_file(key) as (folder, part, name):
            self._write(folder, part, blocks, key)
            with self._translated("store", key):
                _link(folder, part, name)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Store as ``put`` does: linking fails if the key is taken, so two writers cannot both succeed."""
        try:
            self.put(key, [data])
        except AlreadyStoredError:
            return False
        return True

    def replace(self, key: str, data: bytes) -> None:
        """Write beside the object, then rename over it."""
        with self._temporary_file(key) as (folder, part, name):
            self._write(folder, part, [data], key)
            with self._translated("store", key):
                os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)
                _sync_folder(folder)

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Read a part of the file; no bytes past its end."""
        with self._translated("read", key), self._opened(key) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size + start) if start < 0 else start)
            return file.read(-1 if length is None else length)

    def blocks(self, key: str) -> Iterator[Block]:
        """Yield the file through one buffer of a mebibyte."""
        buffer = bytearray(_BLOCK)
        with self._translated("read", key):
            file = self._opened(key, buffering=0)
        with file:
            while True:
                with self._translated("read", key):
                    filled = file.readinto(buffer)  # type: ignore[attr-defined]  # without a buffer it is a raw file
                if not filled:
                    return
                yield memoryview(buffer)[:filled]

    def stat(self, key: str) -> ObjectInfo | None:
        """Look up one file; a folder or a link is not an object."""
        folder, name = _split(key)
        try:
            with self._translated("look up", key), self._folders.open_folder(folder) as here:
                found = os.stat(name, dir_fd=here, follow_symlinks=False)
        except ObjectNotFoundError:
            return None
        if not S_ISREG(found.st_mode):
            return None
        return ObjectInfo(key, found.st_size, _moment(found.st_mtime))

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Walk the folders that the prefix leads to."""
        for found in self._walk(prefix):
            if found.key.startswith(prefix) and self._foreign.accepts(found.key):
                yield found

    def delete(self, key: str) -> None:
        """Remove the file; its folder stays."""
        folder, name = _split(key)
        deleting = self._translated("delete", key)
        with suppress(ObjectNotFoundError), deleting, self._folders.open_folder(folder) as here:
            if S_ISREG(os.stat(name, dir_fd=here, follow_symlinks=False).st_mode):
                os.unlink(name, dir_fd=here)

    def sweep(
        self, older_than: timedelta, owns: Callable[[str], bool] = lambda _: True
    ) -> builtins.list[str]:
        """Remove temporary files that were last written before that time."""
        youngest = datetime.now(timezone.utc) - older_than
        swept = []
        for found in self._walk(""):
            key = final_name(found.key)
            if key is None or not owns(key) or found.modified > youngest:
                continue
            folder, _, name = found.key.rpartition("/")
            with suppress(ObjectNotFoundError), self._translated("sweep", found.key):
                with self._folders.open_folder(folder) as here:
                    os.unlink(name, dir_fd=here)
                swept.append(key)
        return swept

    def close(self) -> None:
        """Do nothing: no file is kept open."""

    def _walk(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the plain files of all folders in which keys can begin with a prefix."""
        top = prefix.rpartition("/")[0]
        if top and not is_key(top):
            return

        def opens(folder: str) -> bool:
            return self._foreign.opens(folder, prefix)

        try:
            with self._translated("list", prefix):
                for found in self._folders.walk(top, opens=opens, report=self._foreign.report):
                    yield ObjectInfo(found.key, found.size, _moment(found.modified))
        except ObjectNotFoundError:
            return

    @contextmanager
    def _temporary_file(self, key: str) -> Iterator[tuple[int, str, str]]:
        """Yield the folder of an object, a temporary name in it, and the final name. The temporary file is always removed."""
        folder, name = _split(key)
        with self._translated("store", key):
            entered = self._folders.open_folder(folder, make=True)
            here = entered.__enter__()
        try:
            part = temporary_name(name)
            try:
                yield here, part, name
            finally:
                with suppress(OSError):
                    os.unlink(part, dir_fd=here)
        finally:
            entered.__exit__(None, None, None)

    def _write(self, folder: int, part: str, blocks: Iterable[Block], key: str) -> None:
        with self._translated("store", key):
            new = os.open(
                part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE_MODE, dir_fd=folder
            )
        with os.fdopen(new, "wb", buffering=0) as file:
            with suppress(OSError):  # not every file system has modes
                os.fchmod(new, FILE_MODE)
            written = 0
            for block in blocks:
                with self._translated("store", key):
                    left = memoryview(block)
                    while left:
                        left = left[file.write(left) :]
                    written = _start_writing_to_disk(new, written, len(block))
                del block, left  # else the producer could wait for ever for the memory we still hold
            with self._translated("store", key):
                os.fsync(new)

    def _opened(self, key: str, buffering: int = -1) -> BinaryIO:
        """Open a plain file to read. A pipe would block, and a device could act."""
        folder, name = _split(key)
        with self._folders.open_folder(folder) as here:
            if not S_ISREG(os.stat(name, dir_fd=here, follow_symlinks=False).st_mode):
                raise not_found(key)
            found = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here)
        return os.fdopen(found, "rb", buffering=buffering)

    @contextmanager
    def _translated(self, action: str, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if action != "store" and error.errno in _ABSENT:
                raise not_found(key) from None
            # Of a name without a folder before it, the folder is the key's own.
            about = str(error.filename or "")
            place = about if about.startswith("/") else str(self._root / key.rpartition("/")[0])
            why = error.strerror or type(error).__name__
            if isinstance(error, LinkError):
                advice = "links below the archive's root are not followed; put a folder there"
                raise ArchiveDeniedError(f"cannot {action} in {place}: {why}; {advice}", key=key) from None
            if error.errno in _DENIED:
                advice = "let the user that runs Airflow's workers write there, and see that it is a folder"
                if action != "store":
                    advice = "let the user that runs Airflow's workers read there"
                raise ArchiveDeniedError(f"cannot {action} in {place}: {why}; {advice}", key=key) from None
            full = "; free space there, or have the quota raised" if error.errno in _FULL else ""
            raise ArchiveUnavailableError(
                f"cannot {action} in {place} at present: {why}{full}", key=key
            ) from None


def _split(key: str) -> tuple[str, str]:
    folder, _, name = check_key(key).rpartition("/")
    return folder, name


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


def _link(folder: int, part: str, name: str) -> None:
    """Give a finished file its name, unless that is taken."""
    try:
        os.link(part, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        raise _taken(folder, name) from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # A file server without links: look, then rename. Two writers in the same instant store the same export.
        if _is_there(folder, name):
            raise _taken(folder, name) from None
        os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)
    _sync_folder(folder)


def _taken(folder: int, name: str) -> Exception:
    """Return the error for a name that is taken, by an object or by something that is no file."""
    try:
        if S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            return AlreadyStoredError("the key is taken")
    except FileNotFoundError:
        return AlreadyStoredError("the key is taken")
    return ArchiveDeniedError(f"what is called {name} there is no file; move it away")


def _is_there(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _sync_folder(folder: int) -> None:
    with suppress(OSError):  # some file servers refuse it for folders, and not every folder can be read
        descriptor = os.open(".", os.O_RDONLY, dir_fd=folder)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _start_writing_to_disk(file: int, start: int, length: int) -> int:
    """Have the system write a range to the disk while the next block arrives, not all at the end. Return where it ends."""
    if hasattr(os, "posix_fadvise"):
        with suppress(OSError):  # only advice: not every file system takes it
            os.posix_fadvise(file, start, length, os.POSIX_FADV_DONTNEED)
    return start + length
