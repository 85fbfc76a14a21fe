"""Store a small object only if its key is free, or replace it only if it is the one that was read.

A store may not know conditional requests.
"""

from __future__ import annotations

import logging
import threading
from typing import Any, Protocol

from canvas_exports.core.storage.cloud.errors import error_response_of, ours
from canvas_exports.core.storage.cloud.retried_requests import (
    ObstoreRequests,
    is_not_supported,
    obstore_errors,
)
from canvas_exports.core.storage.store import Block, Version
from canvas_exports.errors import AlreadyStoredError

log = logging.getLogger(__name__)


class Put(Protocol):
    """Store a block by one request of obstore."""

    def __call__(self, key: str, data: Block, **how: Any) -> str | None:
        """Store it. Returns the entity tag in the answer."""


class ConditionalCreate:
    """Store by conditional requests (``If-None-Match: *``), and without a condition where a store does not honour it.

    Some compatible stores answer them with 501, some with 400, some ignore the condition. There the caller looks up the key
    first, and of two writers in the same instant both may store. A store that takes a conditional request may still ignore the
    condition: only a refusal of a taken key proves that it does not. From then on the caller need not look up keys. Used by
    several threads at once.

    Args:
        requests: repeats what may pass.
        put: stores.
        once: likewise, but is not repeated; used to find out whether the store supports conditional requests, without
            retries if it does not. ``None``: it is known to.

    Attributes:
        honoured: whether the store takes the condition; ``None``: not known yet.
        is_proven: it has refused to store under a taken key, or is known to.
    """

    def __init__(self, requests: ObstoreRequests, put: Put, once: Put | None) -> None:
        self._requests = requests
        self._put = put
        self._once = once
        self.honoured: bool | None = None if once is not None else True
        self.is_proven = once is None
        self._checked = threading.Lock()  # acquired by the one thread that checks, and never released

    def store(self, key: str, block: Block) -> str | None:
        """Store a block. ``AlreadyStoredError`` if the key is taken and the store checks that. Returns the entity tag, if known."""
        once = self._once
        if self.honoured is None and once is not None:
            return self._requests.ask("store", key, lambda: self._first(once, key, block), alone=True)
        how = {} if self.honoured is False else {"mode": "create"}
        return self._requests.ask("store", key, lambda: self._put(key, block, **how))

    def check(self, key: str, block: Block) -> None:
        """Find out, once for each store, whether it ignores the condition: store the same block under the same key again.

        A store that honours the condition refuses that. One that ignores it replaces the object by the same bytes. After any
        other answer nothing is known, and keys are looked up as before.
        """
        if self._once is None or not self.honoured or not self._checked.acquire(blocking=False):
            return
        try:
            self._once(key, block, mode="create")
        except obstore_errors() as error:
            self.is_proven = isinstance(ours(error, self._requests.uri, "store", key), AlreadyStoredError)
        else:
            self._do_without("ignores them")

    def _first(self, once: Put, key: str, block: Block) -> str | None:
        """Store by a conditional request; where that is what the store refuses, by one without a condition."""
        try:
            tag = once(key, block, mode="create")
        except obstore_errors() as error:
            refusal = error_response_of(error)
            if not (refusal.may_concern_condition or is_not_supported(error)):
                raise
            tag = self._requests.ask("store", key, lambda: self._put(key, block))
            self._do_without(f"answers {refusal.detail}" if refusal.detail else "the client has none")
        else:
            self.honoured = True
        return tag

    def _do_without(self, why: str) -> None:
        log.info(
            "%s does not support conditional requests (%s): of two writers in the same instant, both may store",
            self._requests.uri,
            why,
        )
        self.honoured = False


class ConditionalReplace:
    """Replace by conditional requests (``If-Match``), and without a condition where a store refuses them.

    The caller compares the version first. Where a store refuses or ignores the condition, another writer may come between
    that look and the write. Used by several threads at once.

    Args:
        requests: repeats what may pass.
        put: stores.

    Attributes:
        supported: whether the store takes such requests, as far as known.
    """

    def __init__(self, requests: ObstoreRequests, put: Put) -> None:
        self._requests = requests
        self._put = put
        self.supported = True

    def replace(self, key: str, data: bytes, version: Version) -> None:
        """Replace. ``AlreadyStoredError`` if the store has another version."""
        self._requests.ask("store", key, lambda: self._try(key, data, version))

    def _try(self, key: str, data: bytes, version: Version) -> None:
        from obstore import exceptions  # noqa: PLC0415 - native code, loaded only for such a store

        if not self.supported:
            self._put(key, data)
            return
        try:
            known = {"e_tag": version[0], "version": version[1]}
            self._put(key, data, mode={name: value for name, value in known.items() if value is not None})
        except exceptions.PreconditionError:
            raise AlreadyStoredError("it has been replaced meanwhile", key=key) from None
        except obstore_errors() as error:
            if not (error_response_of(error).may_concern_condition or is_not_supported(error)):
                raise
            self._put(key, data)
            self.supported = False
