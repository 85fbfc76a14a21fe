"""Storing a small object only if its key is free, in a store of which it is not known whether it can do that."""

from __future__ import annotations

import logging
from typing import Any, Protocol

from canvas_exports.core.storage.cloud.errors import refusal_of
from canvas_exports.core.storage.cloud.retried_requests import Asking, is_not_supported, raw_errors
from canvas_exports.core.storage.store import Block

log = logging.getLogger(__name__)


class Put(Protocol):
    """One request that stores a block, in obstore's words."""

    def __call__(self, key: str, data: Block, **how: Any) -> None:
        """Store it."""


class Creation:
    """Conditional requests (``If-None-Match: *``), and what to do where a store does not heed them.

    Some compatible stores answer them with 501, some with 400, some do not even look. Who stores there has looked first, and
    of two writers in the same instant both may store. Used by several threads at once.

    Args:
        asking: repeats what may pass.
        put: stores.
        once: likewise, but is not repeated: by it is found out whether the store knows conditional requests, and no retries
            are spent on one that does not. ``None``: it is known to.

    Attributes:
        heeded: whether the store honours the condition; ``None``: nobody has asked it yet.
    """

    def __init__(self, asking: Asking, put: Put, once: Put | None) -> None:
        self._asking = asking
        self._put = put
        self._once = once
        self.heeded: bool | None = None if once is not None else True

    def store(self, key: str, block: Block) -> None:
        """Store a block. ``AlreadyStoredError`` if the key is taken and the store could tell."""
        once = self._once
        if self.heeded is None and once is not None:
            self._asking.ask("store", key, lambda: self._first(once, key, block), alone=True)
            return
        how = {} if self.heeded is False else {"mode": "create"}
        self._asking.ask("store", key, lambda: self._put(key, block, **how))

    def is_ignored(self, key: str, block: Block) -> bool:
        """Whether the store replaces an object that is there, though it was asked not to. Remembered."""
        if self._once is None or not self.heeded:
            return False
        try:
            self._once(key, block, mode="create")
        except raw_errors():  # refused, as it has to be, or not known
            return False
        self._do_without("ignores them")
        return True

    def _first(self, once: Put, key: str, block: Block) -> None:
        """Store by a conditional request; where that is what the store refuses, by one without a condition."""
        try:
            once(key, block, mode="create")
        except raw_errors() as error:
            refusal = refusal_of(error)
            if not (refusal.is_of_condition or is_not_supported(error)):
                raise
            self._asking.ask("store", key, lambda: self._put(key, block))
            self._do_without(f"answers {refusal.detail}" if refusal.detail else "the client has none")
        else:
            self.heeded = True

    def _do_without(self, why: str) -> None:
        log.info(
            "%s knows no conditional requests (%s): who stores has looked first, and of two in one instant both store",
            self._asking.uri,
            why,
        )
        self.heeded = False
