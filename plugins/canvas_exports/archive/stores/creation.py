"""Storing a small object only if its key is free, in a store of which it is not known whether it can do that."""

from __future__ import annotations

import logging
from typing import Any, Protocol

from canvas_exports.archive.store import Block
from canvas_exports.archive.stores.asking import Asking, is_not_supported, raw_errors
from canvas_exports.archive.stores.cloud_errors import refusal_of

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
        if self.heeded is None and self._once is not None and self._first(self._once, key, block):
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

    def _first(self, once: Put, key: str, block: Block) -> bool:
        """Whether the block is stored; if not, the store has refused it, for now or because of the condition."""
        try:
            once(key, block, mode="create")
        except raw_errors() as error:
            refusal = refusal_of(error)
            if is_not_supported(error):
                self._do_without("the client has none")
            elif refusal.is_of_condition:
                # The same without a condition tells whether that was why.
                self._asking.ask("store", key, lambda: self._put(key, block))
                self._do_without(f"answers {refusal.detail}")
                return True
            elif refusal.status is None or not refusal.is_passing:
                self.heeded = self.heeded or refusal.is_taken or None
                raise self._asking.ours(error, "store", key) from None
            return False
        self.heeded = True
        return True

    def _do_without(self, why: str) -> None:
        log.info(
            "%s knows no conditional requests (%s): who stores has looked first, and of two in one instant both store",
            self._asking.uri,
            why,
        )
        self.heeded = False
