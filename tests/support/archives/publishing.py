"""Publishing in tests: a Canvas of one package, and stores that are killed, fail or are overtaken at any step."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from tests.support.packages.build import (
    COURSE,
    HOST,
    PAGE,
    cartridge,
    cartridge_files,
    draft,
    zipped,
)

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.archive.publishing.package_source import PackageSource
from canvas_exports.core.archive.publishing.publish import publish
from canvas_exports.core.archive.publishing.published import Published
from canvas_exports.core.packages.proof import Expectation
from canvas_exports.core.storage.buffers import MIN_BLOCK_SIZE, BlockWriter, BufferPool
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import Block, Store

PACKAGE = cartridge({PAGE: b"p", "web_resources/video.mp4": hashlib.shake_128(b"v").digest(MIN_BLOCK_SIZE)})
DRAFT = draft()


class Canvas:
    """Downloads of one package, counted. What it sends can be changed between them."""

    def __init__(self, *packages: bytes) -> None:
        self.packages = list(packages)
        self.downloads = 0
        self.open = 0

    def blocks(self, _writer: BlockWriter) -> Iterator[Block]:
        data = self.packages[min(self.downloads, len(self.packages) - 1)]
        self.downloads += 1
        self.open += 1
        try:
            for start in range(0, len(data), 1 << 20):
                yield data[start : start + (1 << 20)]
        finally:
            self.open -= 1


def store_package(store: Store, canvas: Canvas, **changes: Any) -> Published:
    expect = Expectation("common_cartridge", None, COURSE, HOST)
    pool = BufferPool(2 * MIN_BLOCK_SIZE, MIN_BLOCK_SIZE)
    is_retry = changes.pop("is_retry", False)
    return publish(
        store,
        draft=changes.pop("draft", DRAFT),
        baseline=changes.pop("baseline", None),
        source=PackageSource(canvas.blocks, replace(expect, **changes), pool, is_retry=is_retry),
    )


def files(store: Store) -> set[str]:
    assert isinstance(store, FileStore)
    return {path.relative_to(store._root).as_posix() for path in store._root.rglob("*") if path.is_file()}


BOTH = {DRAFT.key, manifest_key(DRAFT.key)}


def manifest_far_from_end() -> bytes:
    """A package that begins with its manifest and ends with five megabytes of something else."""
    members = cartridge_files({PAGE: b"p", "web_resources/video.mp4": bytes(5 << 20)})
    members = {"imsmanifest.xml": members.pop("imsmanifest.xml"), **members}
    return zipped(members, method=0)


class Killed(BaseException):
    pass


class Dying(Store):
    """A store that is killed before, or right after, the n-th thing it is asked to do."""

    def __init__(self, store: Store, step: int, *, after: bool) -> None:
        self.uri = store.uri
        self._store = store
        self._left = step
        self._after = after
        self.survived = True

    def _do(self, action: Callable[[], Any]) -> Any:
        self._left -= 1
        now = self._left == 0
        if now and not self._after:
            self._die()
        try:
            return action()
        finally:
            if now:
                self._die()

    def _die(self) -> None:
        self.survived = False
        raise Killed

    def put(self, key: str, blocks: Iterable[Block]) -> None:
        def dying() -> Iterator[Block]:
            for block in blocks:
                self._do(lambda: None)
                yield block

        self._do(lambda: self._store.put(key, dying()))

    def put_if_absent(self, key: str, data: bytes) -> bool:
        return bool(self._do(lambda: self._store.put_if_absent(key, data)))

    def replace(self, key: str, data: bytes) -> None:
        self._do(lambda: self._store.replace(key, data))

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        return bytes(self._do(lambda: self._store.read(key, start, length)))

    def blocks(self, key: str) -> Iterator[Block]:
        for block in self._store.blocks(key):
            self._do(lambda: None)
            yield block

    def stat(self, key: str) -> Any:
        return self._do(lambda: self._store.stat(key))

    def list(self, prefix: str = "") -> Any:
        return self._do(lambda: self._store.list(prefix))

    def delete(self, key: str) -> None:
        self._do(lambda: self._store.delete(key))

    def sweep(self, older_than: Any, owns: Any = None) -> Any:
        return self._do(lambda: self._store.sweep(older_than, owns))

    def close(self) -> None:
        pass


class Quicker(Dying):
    """A store in which another attempt at the same export is a little quicker."""

    def __init__(self, store: Store, at: str, act: Callable[[], Any]) -> None:
        super().__init__(store, 0, after=True)
        self._at = at
        self._act: Callable[[], Any] | None = act

    def _overtaken(self, step: str) -> None:
        if step == self._at and self._act is not None:
            act, self._act = self._act, None
            act()

    def put(self, key: str, blocks: Iterable[Block]) -> None:
        self._overtaken("put")
        super().put(key, blocks)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        self._overtaken("put_if_absent")
        return super().put_if_absent(key, data)


NOISE = hashlib.shake_128(b"v").digest(MIN_BLOCK_SIZE)
FIRST, SECOND = draft(501), draft(502)


def package(day: str, page: bytes = b"p", *, video: bytes = NOISE) -> bytes:
    return zipped(cartridge_files({PAGE: page, "web_resources/video.mp4": video}, day=day))


MONDAY, TUESDAY = package("2026-11-23"), package("2026-11-24")
NIGHT_ONE = {FIRST.key, manifest_key(FIRST.key)}
NIGHT_TWO = {*NIGHT_ONE, manifest_key(SECOND.key)}


class BaselineOf:
    """A baseline that always finds one copy."""

    def __init__(self, copy: Manifest) -> None:
        self._copy = copy

    def __call__(self) -> Manifest:
        return self._copy
