"""Store objects in S3, Google Cloud Storage and Azure Blob Storage, through obstore's synchronous calls.

obstore sends a block without copying it, from threads of its own, after it has asked for the next one. So a block
may be handed on only if nothing will write to it again: an immutable one, or one that a ``BufferPool`` leased, which
stays untouched until obstore releases it. Everything else is copied first.
"""

from __future__ import annotations

import builtins
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import partial
from importlib.metadata import version
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from canvas_exports.core.storage.buffers import BLOCK_SIZE
from canvas_exports.core.storage.cloud.conditional_writes import ConditionalCreate, ConditionalReplace
from canvas_exports.core.storage.cloud.error_codes import ErrorResponse
from canvas_exports.core.storage.cloud.errors import is_of_abort
from canvas_exports.core.storage.cloud.listings import Lister, ObstoreListing
from canvas_exports.core.storage.cloud.locks import HELD, Locks
from canvas_exports.core.storage.cloud.retried_requests import ObstoreRequests, obstore_errors
from canvas_exports.core.storage.cloud.sdk import Sdk
from canvas_exports.core.storage.cloud.sent_blocks import chained, is_full, md5_of, unchanging
from canvas_exports.core.storage.cloud.unfinished_uploads import UnfinishedUploads
from canvas_exports.core.storage.foreign_objects import ForeignObjects
from canvas_exports.core.storage.media_types import PACKAGE, media_type
from canvas_exports.core.storage.object_keys import check_key
from canvas_exports.core.storage.options import NO_PROTECTION, Protection
from canvas_exports.core.storage.put_source import PutSource
from canvas_exports.core.storage.store import (
    PROBE_TEXT,
    Block,
    Capabilities,
    ObjectInfo,
    Store,
    Version,
    not_found,
)
from canvas_exports.errors import (
    AlreadyStoredError,
    ArchiveDeniedError,
    ArchiveUnavailableError,
    LockedError,
    ObjectNotFoundError,
)

if TYPE_CHECKING:
    import obstore.store
    from obstore._sign import SignCapableStore

# obstore 0.9: one checksum only, a deletion always as a list of objects, and the prefix is left out of a signed URL.
IS_OLD_OBSTORE = version("obstore").startswith("0.9.")

# What obstore says when a server ignores the range that was asked for, as rclone's does.
_WHOLE_INSTEAD = "non-partial"

# Parts in flight for one package; the budget is the bound that matters when many packages flow.
CONCURRENCY = 4

# By how much a server's clock may be behind ours.
_CLOCKS_DIFFER = timedelta(minutes=5)


class ObjectStore(Store):
    """Store objects below a root in a bucket or container.

    Args:
        uri: the root as the connection states it.
        remote: obstore's store, its prefix being the root's path.
        writes: the same for writing, where that takes other headers or credentials.
        once: as ``writes``, but obstore does not repeat a request that fails; used to find out whether the store supports
            conditional requests. ``None`` where it is known to.
        sdk: the client that the next three use, to be closed.
        listing: of the objects; without it, that of obstore.
        uploads: the unfinished uploads below the root; ``None`` where the cloud forgets them by itself.
        locks: of its objects; ``None`` where they cannot be asked about.
        missing_extra: the extra that is not installed and without which unfinished uploads cannot be swept.
        protection: encryption, storage class, locks and tags of its objects.
        retries: repetitions of a request that obstore does not repeat by itself.
        capabilities: of this cloud with these credentials.
    """

    def __init__(
        self,
        uri: str,
        remote: obstore.store.ObjectStore,
        *,
        writes: obstore.store.ObjectStore | None = None,
        once: obstore.store.ObjectStore | None = None,
        sdk: Sdk | None = None,
        listing: Lister | None = None,
        uploads: UnfinishedUploads | None = None,
        locks: Locks | None = None,
        missing_extra: str | None = None,
        protection: Protection = NO_PROTECTION,
        retries: int = 0,
        capabilities: Capabilities,
    ) -> None:
        import obstore  # noqa: PLC0415 - 60 MB of native code, loaded only for such a store

        self.uri = uri
        self._api = obstore
        self._remote = remote
        self._writes = remote if writes is None else writes
        self._sdk = sdk
        self._requests = ObstoreRequests(uri, retries)
        self._listing = listing or ObstoreListing(remote, self._requests)
        self._foreign = ForeignObjects(uri)
        self._uploads = uploads
        self._locks = locks
        self._missing_extra = missing_extra
        self._protection = protection
        self._able = capabilities
        self._create = ConditionalCreate(
            self._requests, self._put, None if once is None else partial(self._put, into=once)
        )
        self._conditional = ConditionalReplace(self._requests, self._put)

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]  # they are found out
        """Return the features of this cloud with these credentials, as far as they have been found out."""
        return replace(self._able, one_winner=False) if self._create.honoured is False else self._able

    def put(self, key: str, blocks: Iterable[Block]) -> None:
        """Store a stream by a multipart upload, or by a single request if it fits into one block."""
        self._refuse_taken(key)
        source = PutSource(blocks, unchanging)
        started = datetime.now(timezone.utc)
        try:
            with self._requests.translated("store", key):
                self._send(key, source)
        except BaseException as error:
            # If the source failed, obstore has aborted, and raises its error; any other one is that of the abort. If a part
            # failed, not every version of obstore aborts.
            if error is not source.error and self._uploads is not None:
                # The first error is the one to report; the sweep removes an upload that cannot be aborted.
                with suppress(Exception):
                    self._uploads.abort(key, started - _CLOCKS_DIFFER)
            source.reraise()
            raise

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Store by one conditional request. Look up the key before it, until the store has refused to replace an object.

        Some servers ignore the condition and overwrite: the first object that a store takes is sent twice, to find that out.
        """
        try:
            self._create_small(key, data)
        except AlreadyStoredError:
            return False
        return True

    def put_small(self, key: str, data: bytes) -> bool:
        """Store as ``put_if_absent`` does. The answer shows that all was kept if its entity tag is the MD5 of the data.

        It is on S3 and GCS, unless the object is encrypted with a key of the customer; on Azure it is not.
        """
        return self._create_small(key, data) == f'"{md5_of(data)}"'

    def probe_capabilities(self, key: str) -> None:
        """Store one small object twice: the second request has to be refused."""
        self._create.store(key, PROBE_TEXT)
        self._create.check(key, PROBE_TEXT)

    def replace(self, key: str, data: bytes) -> None:
        """Replace an object by one request; an object store does so atomically."""
        self._requests.ask("store", key, lambda: self._put(key, data))

    def version(self, key: str) -> Version | None:
        """Look up the entity tag, and on GCS the generation. ``HEAD``."""
        try:
            meta = self._requests.ask("look up", key, lambda: self._api.head(self._remote, check_key(key)))
        except ObjectNotFoundError:
            return None
        return meta["e_tag"], meta["version"]

    def replace_version(self, key: str, data: bytes, version: Version | None) -> None:
        """Look up the version, then replace by a conditional request: some servers ignore the condition."""
        if version is None:
            super().replace_version(key, data, version)
            return
        if self.version(key) != version:
            raise AlreadyStoredError("it has been replaced meanwhile", key=key)
        self._conditional.replace(key, data, version)

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Read by one request, after a look-up where the range depends on the size."""
        if start == 0 and length is None:
            return self._requests.ask(
                "read", key, lambda: bytes(self._api.get(self._remote, check_key(key)).bytes())
            )
        info = self.stat(key)
        if info is None:
            raise not_found(key)
        first = max(0, info.size + start) if start < 0 else min(start, info.size)
        wanted = info.size - first if length is None else min(length, info.size - first)
        return self._range(key, first, wanted) if wanted > 0 else b""

    def blocks(self, key: str) -> Iterator[Block]:
        """Yield the object from one request; if it is cut off, obstore requests the rest."""
        found = self._requests.ask("read", key, lambda: self._api.get(self._remote, check_key(key)))
        stream = iter(found.stream(min_chunk_size=BLOCK_SIZE))
        while True:
            with self._requests.translated("read", key):
                block = next(stream, None)
            if block is None:
                return
            yield memoryview(block)

    def stat(self, key: str) -> ObjectInfo | None:
        """Look up one object. ``HEAD``."""
        try:
            meta = self._requests.ask("look up", key, lambda: self._api.head(self._remote, check_key(key)))
        except ObjectNotFoundError:
            return None
        return ObjectInfo(key, meta["size"], meta["last_modified"])

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """List a thousand keys at a time; look up each object that the list does not describe in full."""
        for found in self._listing.below(prefix):
            if not self._foreign.accepts(found if isinstance(found, str) else found.key):
                continue
            info = self.stat(found) if isinstance(found, str) else found
            if info is not None:  # else it was deleted meanwhile
                yield info

    def delete(self, key: str) -> None:
        """Delete by one request, after looking up its lock: on S3 and Azure a locked object would only be hidden."""
        # Without the right to read locks, there may be the right to delete.
        until = self._known_lock(check_key(key))
        if until is not None:
            raise LockedError(f"it is locked {_ending(until)}", until=until, key=key)
        with suppress(ObjectNotFoundError):
            self._requests.ask("delete", key, lambda: self._api.delete(self._remote, key))

    def lock(self, key: str) -> None:
        """Lock an object: one request for a retention, one for a hold."""
        asked = self._protection
        if self._locks is None or not asked.locks:
            return
        if asked.lock_for is not None:
            self._retain(check_key(key), self._locks, datetime.now(timezone.utc) + asked.lock_for)
        if asked.legal_hold:
            self._locks.hold(check_key(key))

    def check_locks(self) -> None:
        """Check by one request that objects can be locked."""
        if self._locks is not None and self._protection.locks:
            self._locks.check()

    def lock_of(self, key: str) -> datetime | None:
        """Look up the end of a lock by one request."""
        return None if self._locks is None else self._locks.until(check_key(key))

    def signed_url(self, key: str, lifetime: timedelta) -> str | None:
        """Sign a URL with the account's keys; on GCS, ask Google to sign where there is no service account's key.

        ``None`` where the credentials cannot sign: an Azure shared access signature, a person's login.
        """
        try:
            path = check_key(key)
            prefix = getattr(self._remote, "prefix", None)
            if IS_OLD_OBSTORE and prefix:
                path = f"{prefix}/{path}"
            return self._api.sign(cast("SignCapableStore", self._remote), "GET", path, lifetime)
        except (self._api.exceptions.BaseError, OSError):
            return None  # whatever the reason, its text may hold half of a signature

    def sweep(
        self, older_than: timedelta, owns: Callable[[str], bool] = lambda _: True
    ) -> builtins.list[str]:
        """Remove multipart uploads of S3. Azure discards uncommitted blocks after a week; on GCS set a lifecycle rule."""
        if self._missing_extra is not None:
            raise ArchiveDeniedError(
                f"cannot look for unfinished uploads in {self.uri}: install the extra {self._missing_extra}, or set a "
                "lifecycle rule that ends them"
            )
        return [] if self._uploads is None else self._uploads.sweep(older_than, owns)

    def close(self) -> None:
        """Close the SDK's connections; those of obstore close by themselves when they have been idle."""
        if self._sdk is not None:
            self._sdk.close()

    def _send(self, key: str, source: PutSource) -> None:
        head = deque(islice(source, 1))
        if not (head and is_full(head[0])):
            head.extend(islice(source, 1))
            if len(head) < 2:  # noqa: PLR2004 - one block, or none
                self._create.store(key, head.popleft() if head else b"")
                return
        started = datetime.now(timezone.utc)
        try:
            self._put(
                key,
                chained(head, source),
                use_multipart=True,
                chunk_size=len(head[0]) if is_full(head[0]) else BLOCK_SIZE,
                max_concurrency=CONCURRENCY,
            )
        except obstore_errors() as error:
            if source.error is not None or not is_of_abort(error):
                raise
            # A part was refused, and so was the abort, which is all that obstore reports.
            first = self._uploads and self._uploads.refusal(key, started - _CLOCKS_DIFFER)
            raise (first or ErrorResponse(None, "the upload was not taken, nor could it be aborted")).error(
                self.uri, "store", key
            ) from None

    def _create_small(self, key: str, data: bytes) -> str | None:
        """Store a small object under a free key; return the entity tag in the answer. ``AlreadyStoredError`` if it is taken."""
        if not self._create.is_proven:
            self._refuse_taken(key)
        tag = self._create.store(key, data)
        if not self._create.is_proven:
            self._create.check(key, data)
        return tag

    def _refuse_taken(self, key: str) -> None:
        if self.stat(key) is not None:
            raise AlreadyStoredError("the key is taken", key=key)

    def _retain(self, key: str, locks: Locks, until: datetime) -> None:
        try:
            locks.retain(key, self._protection.lock_mode or "governance", until)
        except ArchiveDeniedError:
            # No store makes a lock shorter: one that ends later is as good.
            if (locked := self._known_lock(key)) is None or locked < until.replace(microsecond=0):
                raise

    def _known_lock(self, key: str) -> datetime | None:
        """Return the result of ``lock_of``; ``None`` without the right to read locks."""
        try:
            return self.lock_of(key)
        except ArchiveDeniedError:
            return None

    def _put(self, key: str, data: Block | Iterator[Block], *, into: Any = None, **how: Any) -> str | None:
        """Store by one call of obstore; return the entity tag in the answer."""
        done = self._api.put(
            self._writes if into is None else into,
            check_key(key),
            data,
            **{
                "attributes": self._attributes(key),
                "tags": dict(self._protection.tags) or None,
                "use_multipart": False,
                **how,
            },
        )
        return done["e_tag"]

    def _attributes(self, key: str) -> dict[str, str]:
        kind = media_type(key)
        packed = kind == PACKAGE and self._protection.storage_class
        return {
            **({"Content-Type": kind} if kind else {}),
            **({"Storage-Class": packed} if packed else {}),
        }

    def _range(self, key: str, start: int, length: int) -> bytes:
        def fetch() -> bytes:
            try:
                return bytes(self._api.get_range(self._remote, check_key(key), start=start, length=length))
            except self._api.exceptions.GenericError as error:
                if _WHOLE_INSTEAD not in str(error):
                    raise
                return self._cut(key, start, length)

        found = self._requests.ask("read", key, fetch)
        if len(found) != length:
            raise ArchiveUnavailableError(
                f"the store sent {len(found):,} bytes instead of {length:,}", key=key
            )
        return found

    def _cut(self, key: str, start: int, length: int) -> bytes:
        """Return a range of an object from a server that sends whole objects only."""
        found, passed = bytearray(), 0
        for block in self.blocks(key):
            found += memoryview(block)[max(0, start - passed) : max(0, start + length - passed)]
            passed += len(block)
            if passed >= start + length:
                break
        return bytes(found)


def _ending(until: datetime) -> str:
    return "until its hold is removed" if until == HELD else f"until {until:%Y-%m-%d %H:%M} UTC"
