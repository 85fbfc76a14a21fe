"""What the archive asks of object storage. Every backend passes the same conformance suite."""

from __future__ import annotations

import builtins
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType

from canvas_exports.core.storage.capabilities import Capabilities
from canvas_exports.errors import ObjectNotFoundError

Block = bytes | bytearray | memoryview

#: What stands in an object that is written to see what a store can do, and deleted again.
PROBE_TEXT = (
    b"Written to see whether this archive can be written to, and what time it is there. Safe to delete.\n"
)


@dataclass(frozen=True)
class ObjectInfo:
    """One stored object: key below the archive's root, size in bytes, time of its last change (UTC)."""

    key: str
    size: int
    modified: datetime


def absent(key: str) -> ObjectNotFoundError:
    """The one error with which a store says that there is no object under a key."""
    return ObjectNotFoundError(f"there is no object {key}", key=key)


class Store(ABC):
    """A root in object storage.

    Keys are relative to the root, separated by ``/``, made of ``[A-Za-z0-9._=-]`` (see ``keys``).
    Every method may raise ``ArchiveDeniedError`` (permanent) or ``ArchiveUnavailableError`` (retryable).
    A store is used by several threads at once.
    """

    #: The root as a person wrote it, without credentials; safe to log.
    uri: str

    #: What it can do beyond what every store does.
    capabilities: Capabilities = Capabilities()

    @abstractmethod
    def put(self, key: str, blocks: Iterable[Block]) -> None:
        """Store a stream as one object that becomes visible only if the stream ends well.

        Leaving the iteration by an exception *is* the abort: nothing is visible afterwards, nothing is left open
        unless the process is killed (``sweep`` removes that), and the exception reaches the caller unchanged.
        A block may be reused by its producer as soon as the next one is asked for. Memory does not grow with the
        stream. Does not create intermediate visibility. An existing object under the key is refused with
        ``AlreadyStoredError`` before the first block is taken.
        """

    @abstractmethod
    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Store a small document unless the key is taken; says whether it was stored.

        Atomic where the backend can: see ``capabilities.one_winner``.
        """

    def find_out(self, key: str) -> None:
        """Store a small object under a key that nobody else uses, as ``put_if_absent`` does, and learn what the store can do.

        ``capabilities`` are right afterwards. Who does not ask finds out by the first object that is stored.
        """
        self.put_if_absent(key, PROBE_TEXT)

    @abstractmethod
    def replace(self, key: str, data: bytes) -> None:
        """Store a small document, atomically replacing an older one. For reports only, never for packages or manifests."""

    @abstractmethod
    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Bytes of an object from ``start`` (negative: from its end); at most ``length``.

        ``ObjectNotFoundError`` (permanent) if it is absent.
        """

    @abstractmethod
    def blocks(self, key: str) -> Iterator[Block]:
        """The whole object as a stream of blocks, in bounded memory. ``ObjectNotFoundError`` (permanent) if it is absent."""

    @abstractmethod
    def stat(self, key: str) -> ObjectInfo | None:
        """One object by a point look-up, never by a listing. ``None`` if absent."""

    @abstractmethod
    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """The archive's objects whose key starts with the prefix (a folder ends in ``/``), in bounded memory.

        An object of the archive is finished, and its key is a legal one. No folders and their markers, no temporary names, no
        links, nothing that is no plain file. What else lies below the root is passed over, whatever it is called, and told
        once in the log: it is never read and never deleted. In any order, but what lies below one folder comes together.
        """

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove an object; no error if it is absent.

        ``LockedError`` (permanent) if it is under a lock of its store: nothing has changed then.
        """

    def lock(self, key: str) -> None:  # noqa: B027 - for the stores that have locks
        """Lock an object for as long as the archive's connection says; nothing, if it says nothing.

        Repeating it makes the lock longer. ``ObjectNotFoundError`` (permanent) if the object is absent.
        """

    def check_locks(self) -> None:  # noqa: B027 - as above
        """Look whether objects can be locked here, if they are to be. ``ArchiveDeniedError`` (permanent) if not."""

    def lock_of(self, key: str) -> datetime | None:  # noqa: ARG002 - for the stores that have locks
        """When the lock on an object ends (UTC), by a point look-up.

        ``None``: it is not locked, it is absent, or this store has no locks it could be asked about.
        ``datetime.max`` (UTC): it is held until somebody lifts the hold.
        """
        return None

    def signed_url(self, key: str, lifetime: timedelta) -> str | None:  # noqa: ARG002 - for the stores that can sign
        """A URL from which anybody may read this one object (``GET``) for so long, a week at most. ``None``: this store cannot sign.

        It is a secret: never log it, never keep it. Does not look whether the object is there.
        """
        return None

    @abstractmethod
    def sweep(
        self, older_than: timedelta, owns: Callable[[str], bool] = lambda _: True
    ) -> builtins.list[str]:
        """Remove what died here: unfinished uploads below the root, older than given. Returns the keys they were for.

        Never touches a finished object, nor an upload that is younger, nor one to a key that is not ``owns``.
        """

    @abstractmethod
    def close(self) -> None:
        """Release connections. The store is not usable afterwards."""

    def __enter__(self) -> Store:  # noqa: PYI034 - typing.Self is newer than Python 3.10
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
