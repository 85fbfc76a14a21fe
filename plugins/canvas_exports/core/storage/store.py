"""The interface of object storage that every backend implements. All backends pass the same conformance suite."""

from __future__ import annotations

import builtins
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType

from canvas_exports.errors import AlreadyStoredError, ObjectNotFoundError

Block = bytes | bytearray | memoryview

#: One content of a document: its entity tag or digest, and its number where the store counts them.
Version = tuple[str | None, str | None]

#: The content of an object that is written to probe a store, and deleted again.
PROBE_TEXT = (
    b"Written to see whether this archive can be written to, and what time it is there. Safe to delete.\n"
)


@dataclass(frozen=True)
class ObjectInfo:
    """A stored object: key below the archive's root, size in bytes, time of its last change (UTC)."""

    key: str
    size: int
    modified: datetime


@dataclass(frozen=True)
class Capabilities:
    """The optional features of a store. ``docs/archive.md`` states the consequences where one is missing.

    Attributes:
        one_winner: of several writers of a small document under one key, exactly one succeeds.
        sweeps: unfinished uploads can be found and removed; elsewhere the store discards them by itself.
        signs: it makes URLs that read one object without credentials.
        encrypts: the key for encryption at rest can be chosen.
        classes: a storage class or access tier can be chosen for packages.
        tags: objects can have tags.
        locks: objects can be locked, and the end of a lock read.
    """

    one_winner: bool = True
    sweeps: bool = True
    signs: bool = False
    encrypts: bool = False
    classes: bool = False
    tags: bool = False
    locks: bool = False


def not_found(key: str) -> ObjectNotFoundError:
    """Return the error of every store for a key without an object."""
    return ObjectNotFoundError(f"there is no object {key}", key=key)


class Store(ABC):
    """A root in object storage.

    Keys are relative to the root, separated by ``/``, made of ``[A-Za-z0-9._=-]`` (see ``object_keys``).
    Every method may raise ``ArchiveDeniedError`` (permanent) or ``ArchiveUnavailableError`` (retryable).
    A store is thread-safe.
    """

    #: The root as the connection states it, without credentials; safe to log.
    uri: str

    #: The only algorithm by which packages may be digested here, if the archive's connection sets one.
    required_digest: str | None = None

    #: Whether its client makes a SHA-256 of all that is sent, to sign the requests: S3 over plain http.
    signs_payloads: bool = False

    #: Its optional features.
    capabilities: Capabilities = Capabilities()

    @abstractmethod
    def put(self, key: str, blocks: Iterable[Block]) -> None:
        """Store a stream as one object that becomes visible only if the stream ends well.

        An exception out of the iteration *is* the abort: nothing is visible afterwards, nothing is left open
        unless the process is killed (``sweep`` removes that), and the exception reaches the caller unchanged.
        A block may be reused by its producer as soon as the next one is asked for. Memory does not grow with the
        stream. Does not create intermediate visibility. An existing object under the key is refused with
        ``AlreadyStoredError`` before the first block is taken.
        """

    @abstractmethod
    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Store a small document unless the key is taken. Returns whether it was stored.

        Atomic where the backend can: see ``capabilities.one_winner``.
        """

    def put_small(self, key: str, data: bytes) -> bool:
        """Store a small package unless the key is taken. ``AlreadyStoredError`` if it is.

        Returns whether the store's answer shows that it kept all of it. If not, the caller looks up the size. The key is looked
        up first only where ``put_if_absent`` does so.
        """
        if not self.put_if_absent(key, data):
            raise AlreadyStoredError("the key is taken", key=key)
        return False

    def probe_capabilities(self, key: str) -> None:
        """Store a small object under an unused key, as ``put_if_absent`` does, and find out the ``capabilities`` of the store.

        Without this call they are found out by the first object that is stored.
        """
        self.put_if_absent(key, PROBE_TEXT)

    @abstractmethod
    def replace(self, key: str, data: bytes) -> None:
        """Store a small document, atomically replacing an older one. For reports only, never for packages or manifests."""

    def version(self, key: str) -> Version | None:
        """Return what tells this content of a small document from any other; ``None`` if it is absent."""
        digest = hashlib.sha256()
        try:
            for block in self.blocks(key):
                digest.update(block)
        except ObjectNotFoundError:
            return None
        return digest.hexdigest(), None

    def replace_version(self, key: str, data: bytes, version: Version | None) -> None:
        """Replace a small document if it is still of this version; store it if it was absent (``None``) and still is.

        Looks up the version, then writes: atomic only where the backend honours the condition of that write. Elsewhere (files,
        SFTP, some servers that speak S3) another writer may come between the two. ``AlreadyStoredError`` if there is another
        version; where the answer to the request was lost, that may also be the one that this call has stored.
        """
        if version is None:
            if not self.put_if_absent(key, data):
                raise AlreadyStoredError("the key is taken", key=key)
            return
        if self.version(key) != version:
            raise AlreadyStoredError("it has been replaced meanwhile", key=key)
        self.replace(key, data)

    @abstractmethod
    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Return the bytes of an object from ``start`` (negative: from its end); at most ``length``.

        ``ObjectNotFoundError`` (permanent) if it is absent.
        """

    @abstractmethod
    def blocks(self, key: str) -> Iterator[Block]:
        """Yield the whole object in blocks, in bounded memory. ``ObjectNotFoundError`` (permanent) if it is absent."""

    @abstractmethod
    def stat(self, key: str) -> ObjectInfo | None:
        """Look up one object, by a point request and never by a listing. ``None`` if it is absent."""

    @abstractmethod
    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield the archive's objects whose key starts with the prefix (a folder ends in ``/``), in bounded memory.

        An object of the archive is finished, and its key is a legal one. No folders and their markers, no temporary names, no
        links, nothing but plain files. All other objects below the root are skipped, and reported once in the log: they are
        never read and never deleted. In any order, but the objects below one folder come together.
        """

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove an object; no error if it is absent.

        ``LockedError`` (permanent) if its store has locked it: nothing has changed then.
        """

    def lock(self, key: str) -> None:  # noqa: B027 - for the stores that have locks
        """Lock an object for the time that the archive's connection states. Does nothing if it states none.

        Repeating it makes the lock longer. ``ObjectNotFoundError`` (permanent) if the object is absent.
        """

    def check_locks(self) -> None:  # noqa: B027 - as above
        """Check that objects can be locked, if they are to be. ``ArchiveDeniedError`` (permanent) if not."""

    def lock_of(self, key: str) -> datetime | None:  # noqa: ARG002 - for the stores that have locks
        """Look up when the lock on an object ends (UTC), by a point request.

        ``None``: it is not locked, it is absent, or this store has no locks.
        ``datetime.max`` (UTC): a hold locks it until the hold is lifted.
        """
        return None

    def signed_url(self, key: str, lifetime: timedelta) -> str | None:  # noqa: ARG002 - for the stores that can sign
        """Return a URL that reads this one object (``GET``) without credentials, for a week at most. ``None``: this store cannot sign.

        It is a secret: never log it, never keep it. Does not check that the object exists.
        """
        return None

    @abstractmethod
    def sweep(
        self, older_than: timedelta, owns: Callable[[str], bool] = lambda _: True
    ) -> builtins.list[str]:
        """Remove unfinished uploads below the root that are older than given. Returns the keys they were for.

        Never touches a finished object, a younger upload, or an upload to a key for which ``owns`` is false.
        """

    @abstractmethod
    def close(self) -> None:
        """Close the connections. The store is not usable afterwards."""

    def __enter__(self) -> Store:  # noqa: PYI034 - typing.Self is newer than Python 3.10
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
