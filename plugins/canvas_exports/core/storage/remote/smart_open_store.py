"""Store objects on an SFTP server, through smart_open.

smart_open streams; it cannot rename, list or delete, and what was written to a stream stays when it breaks off. So a stream
goes to a temporary name, and its size is compared before it is renamed.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from threading import Lock
from typing import Any

from canvas_exports.core.storage.buffers import MiB
from canvas_exports.core.storage.foreign_objects import ForeignObjects
from canvas_exports.core.storage.object_keys import check_key, is_key
from canvas_exports.core.storage.put_source import PutSource
from canvas_exports.core.storage.remote.sftp import LinkError, OccupiedError, RemoteFile, Sftp
from canvas_exports.core.storage.store import Block, ObjectInfo, Store, not_found
from canvas_exports.core.storage.temporary_names import final_name, temporary_name
from canvas_exports.errors import (
    AlreadyStoredError,
    ArchiveDeniedError,
    ArchiveError,
    ArchiveUnavailableError,
    ObjectNotFoundError,
)

_BLOCK = MiB

# smart_open 7.3 to 8 may take a connection that another thread is still making, or has just closed.
_opening = Lock()


class SmartOpenStore(Store):
    """Store objects as files below a root folder on an SFTP server.

    Args:
        uri: the root, without credentials.
        remote: the file operations of the server.
        root: absolute path of the root folder, without a slash at its end.
    """

    def __init__(self, uri: str, remote: Sftp, root: str) -> None:
        import smart_open  # noqa: PLC0415 - takes seconds to import, loaded only for such a store

        self.uri = uri
        self._open = smart_open.open
        self._remote = remote
        self._root = root
        self._foreign = ForeignObjects(uri)

    def put(self, key: str, blocks: Iterable[Block]) -> None:
        """Write to a temporary name in the same folder, compare the size, then rename."""
        path = self._path(key)
        with self._translated("store", key):
            self._remote.check_folders(self._root, path)
            if self._remote.stat(path) is not None:
                raise AlreadyStoredError("the key is taken", key=key)
        with self._temporary_file(path, key, blocks) as part, self._translated("store", key):
            self._remote.rename(part, path)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Store as ``put`` does: renaming fails if the key is taken."""
        try:
            self.put(key, [data])
        except AlreadyStoredError:
            return False
        return True

    def replace(self, key: str, data: bytes) -> None:
        """Store as ``put`` does, but rename over the old object."""
        path = self._path(key)
        with self._translated("store", key):
            self._remote.check_folders(self._root, path)
        with self._temporary_file(path, key, [data]) as part, self._translated("store", key):
            self._remote.replace(part, path)

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Seek, then read."""
        size = self._size(key)
        first = max(0, size + start) if start < 0 else min(start, size)
        wanted = size - first if length is None else min(length, size - first)
        with self._translated("read", key), self._stream(self._path(key), "rb") as stream:
            stream.seek(first)
            data = b"".join(self._pieces(stream, wanted))
        if len(data) != wanted:
            raise ArchiveUnavailableError(f"{len(data):,} bytes came instead of {wanted:,}", key=key)
        return data

    def blocks(self, key: str) -> Iterator[Block]:
        """Yield the object from one stream, in blocks of a mebibyte."""
        left = self._size(key)
        with self._translated("read", key), self._stream(self._path(key), "rb") as stream:
            while left:
                if not (block := self._remote.take(stream, min(_BLOCK, left))):
                    raise ArchiveUnavailableError(f"the last {left:,} bytes did not come", key=key)
                left -= len(block)
                yield block

    def stat(self, key: str) -> ObjectInfo | None:
        """Look up one file; a folder or a link is not an object."""
        path = self._path(key)
        try:
            with self._translated("look up", key):
                self._remote.check_folders(self._root, path)
                found = self._remote.stat(path)
        except ObjectNotFoundError:  # a link leads there
            return None
        return None if found is None else ObjectInfo(key, found.size, found.modified)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Walk the folder; files that are being written are not objects."""
        for key, file in self._walk(prefix):
            if key.startswith(prefix) and self._foreign.accepts(key):
                yield ObjectInfo(key, file.size, file.modified)

    def delete(self, key: str) -> None:
        """Remove the file; its folder stays."""
        path = self._path(key)
        with suppress(ObjectNotFoundError), self._translated("delete", key):
            self._remote.check_folders(self._root, path)
            self._remote.delete(path)

    def sweep(
        self, older_than: timedelta, owns: Callable[[str], bool] = lambda _: True
    ) -> builtins.list[str]:
        """Remove temporary files that were last written before that time."""
        youngest = datetime.now(timezone.utc) - older_than
        dead = [
            (key, file.path)
            for part, file in self._walk("")
            if file.modified <= youngest and (key := final_name(part)) is not None and owns(key)
        ]
        with self._translated("sweep", ""):
            for _, path in dead:
                self._remote.delete(path)
        return [key for key, _ in dead]

    def close(self) -> None:
        """Close the connections."""
        self._remote.close()

    def _path(self, key: str) -> str:
        return f"{self._root}/{check_key(key)}"

    def _key(self, path: str) -> str:
        return path.removeprefix(f"{self._root}/")

    def _walk(self, prefix: str) -> Iterator[tuple[str, RemoteFile]]:
        """Yield the plain files of all folders in which keys can begin with a prefix, with their keys."""
        top = prefix.rpartition("/")[0]
        if top and not is_key(top):
            return

        def opens(path: str) -> bool:
            return self._foreign.opens(self._key(path), prefix)

        def report(path: str, why: str) -> None:
            self._foreign.report(self._key(path), why)

        folder = f"{self._root}/{prefix}".rpartition("/")[0]
        with self._translated("list", prefix):
            self._remote.check_folders(self._root, f"{self._root}/{prefix}")
            for file in self._remote.walk(folder, opens, report):
                yield self._key(file.path), file

    def _size(self, key: str) -> int:
        found = self.stat(key)
        if found is None:
            raise not_found(key)
        return found.size

    @contextmanager
    def _temporary_file(self, path: str, key: str, blocks: Iterable[Block]) -> Iterator[str]:
        """Write the blocks under a temporary name beside the object, and yield it. The temporary file is always removed."""
        folder, _, name = path.rpartition("/")
        part = f"{folder}/{temporary_name(name)}"
        try:
            self._fill(folder, part, key, PutSource(blocks))
            yield part
        finally:
            with suppress(Exception):
                self._remote.delete(part)

    def _fill(self, folder: str, part: str, key: str, blocks: PutSource) -> None:
        try:
            with self._translated("store", key):
                self._remote.make_folder(folder)
                written = self._write(part, blocks)
                kept = self._remote.stat(part)
        except BaseException:
            blocks.reraise()
            raise
        if kept is None or kept.size != written:
            raise ArchiveUnavailableError(
                f"the store did not keep the {written:,} bytes it accepted", key=key
            )

    def _write(self, path: str, blocks: Iterable[Block]) -> int:
        written = 0
        with self._stream(path, "wb") as stream:
            for block in blocks:
                view = memoryview(block)
                # Copied: what paramiko raises holds on to what it was given, and the block is used again.
                for start in range(0, len(view), _BLOCK):
                    stream.write(bytes(view[start : start + _BLOCK]))
                written += len(view)
                del block, view  # else the producer could wait for ever for the memory we still hold
            stream.close()  # waits for the answers to what was sent, and raises what they say
        return written

    def _pieces(self, stream: Any, length: int) -> Iterator[bytes]:
        while length and (piece := self._remote.take(stream, min(_BLOCK, length))):
            length -= len(piece)
            yield piece

    @contextmanager
    def _stream(self, path: str, mode: str) -> Iterator[Any]:
        how = self._remote.parameters()
        with _opening:
            stream = self._open(self._remote.uri(path), mode, compression="disable", transport_params=how)
        try:
            self._remote.opened(stream)
            yield stream
        finally:
            with suppress(Exception):
                stream.close()
            self._remote.closed(stream)

    @contextmanager
    def _translated(self, action: str, key: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if isinstance(error, ArchiveError):
                raise
            if isinstance(error, FileExistsError):
                raise AlreadyStoredError("the key is taken", key=key) from None
            if isinstance(error, LinkError) and action != "store":
                if action == "list":
                    return
                raise not_found(key) from None
            if isinstance(error, PermissionError):
                raise self._denied(error, action, key) from None
            # The library's messages may hold user names and addresses: only their type is reported.
            kind = type(error).__name__
            if self._remote.is_denied(error):
                message = f"cannot {action} in {self.uri}: {kind}; check user, password, key and host key"
                raise ArchiveDeniedError(message, key=key) from None
            raise ArchiveUnavailableError(
                f"cannot {action} in {self.uri} at present: {kind}", key=key
            ) from None

    def _denied(self, error: PermissionError, action: str, key: str) -> ArchiveDeniedError:
        """Return the error that names the folder."""
        folder, _, name = f"{self.uri}/{key}".rpartition("/")
        why = "no permission; give the user that logs in the right to it"
        if isinstance(error, LinkError):
            why = "a link is on the way, and is not followed; put a folder there"
        elif isinstance(error, OccupiedError):
            why = f"what is called {name} there is no file; move it away"
        return ArchiveDeniedError(f"cannot {action} in {folder}: {why}", key=key)
