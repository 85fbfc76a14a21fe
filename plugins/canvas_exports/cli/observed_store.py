"""An archive whose reads are counted, for the line that shows the progress."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from canvas_exports.cli.progress import PROGRESS
from canvas_exports.core.storage.store import Block, Capabilities, ObjectInfo, Store, Version


class ObservedStore(Store):
    """Passes every call on to a store, and counts the bytes that are read and the objects that are listed.

    Args:
        store: the archive.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.uri = store.uri
        self.required_digest, self.signs_payloads = store.required_digest, store.signs_payloads

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]  # they are found out
        """Return those of the store."""
        return self._store.capabilities

    def put(self, key: str, blocks: Iterable[Block]) -> None:
        """Pass on."""
        self._store.put(key, blocks)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Pass on."""
        return self._store.put_if_absent(key, data)

    def put_small(self, key: str, data: bytes) -> bool:
        """Pass on."""
        return self._store.put_small(key, data)

    def probe_capabilities(self, key: str) -> None:
        """Pass on."""
        self._store.probe_capabilities(key)

    def replace(self, key: str, data: bytes) -> None:
        """Pass on."""
        self._store.replace(key, data)

    def version(self, key: str) -> Version | None:
        """Pass on."""
        return self._store.version(key)

    def replace_version(self, key: str, data: bytes, version: Version | None) -> None:
        """Pass on."""
        self._store.replace_version(key, data, version)

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Pass on, and count the bytes."""
        data = self._store.read(key, start, length)
        PROGRESS.read(len(data))
        return data

    def blocks(self, key: str) -> Iterator[Block]:
        """Pass on, and count the bytes."""
        for block in self._store.blocks(key):
            PROGRESS.read(len(block))
            yield block

    def stat(self, key: str) -> ObjectInfo | None:
        """Pass on."""
        return self._store.stat(key)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Pass on, and count the objects."""
        for info in self._store.list(prefix):
            PROGRESS.listed()
            yield info

    def delete(self, key: str) -> None:
        """Pass on."""
        self._store.delete(key)

    def lock(self, key: str) -> None:
        """Pass on."""
        self._store.lock(key)

    def check_locks(self) -> None:
        """Pass on."""
        self._store.check_locks()

    def lock_of(self, key: str) -> datetime | None:
        """Pass on."""
        return self._store.lock_of(key)

    def signed_url(self, key: str, lifetime: timedelta) -> str | None:
        """Pass on."""
        return self._store.signed_url(key, lifetime)

    def sweep(
        self, older_than: timedelta, owns: Callable[[str], bool] = lambda _: True
    ) -> builtins.list[str]:
        """Pass on."""
        return self._store.sweep(older_than, owns)

    def close(self) -> None:
        """Pass on."""
        self._store.close()
