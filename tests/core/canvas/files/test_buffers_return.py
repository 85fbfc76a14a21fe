"""All buffers are released, however the download of a package over several connections ends."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.canvas.package_server import FILE, KEY, SHOW, an_export, shown, to
from tests.support.canvas.range_storage import storage_of
from tests.support.canvas.scripted_canvas import COURSE, ScriptedServer

from canvas_exports.core.archive.publishing.package_stream import check_bytes
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.files import download
from canvas_exports.core.packages.random_access import TailBuffer
from canvas_exports.core.storage.buffers import MIN_BLOCK_SIZE, BlockWriter, BufferPool
from canvas_exports.errors import (
    CanvasExportsError,
    CorruptPackageError,
    DownloadError,
    Stopped,
)

BLOCK = MIN_BLOCK_SIZE
PACKAGE = b"PK\x03\x04" + hashlib.shake_128(b"package").digest(1024) * (6 * BLOCK // 1024)
SIZE = len(PACKAGE)


@pytest.fixture
def pool() -> BufferPool:
    return BufferPool(5 * BLOCK, BLOCK)


@pytest.fixture(autouse=True)
def _every_package_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "DIVISIBLE", 0)


@pytest.fixture
def canvas(server: ScriptedServer, storage: ScriptedServer) -> ScriptedServer:
    server.on(FILE, to(f"{storage.url}/bucket/key?signature=secret"))
    server.on(SHOW, shown(server, size=SIZE))
    storage.on(KEY, storage_of(PACKAGE))
    return server


def fetching(
    client: CanvasClient, canvas: ScriptedServer, pool: BufferPool, **changes: Any
) -> Iterator[memoryview]:
    """As a package stream does it."""
    space = BlockWriter(pool)
    export = an_export(canvas, **{"size": SIZE, **changes})
    kept = TailBuffer(SIZE, (), 1024)
    return space.blocks(kept.record(check_bytes(client.download(COURSE, export, space, 4), None)))


def digest(
    blocks: Iterator[memoryview], client: CanvasClient | None = None, stop_after: int | None = None
) -> str:
    """Use each block and let it go; call the client off after so many."""
    found, count = hashlib.sha256(), 0
    for block in blocks:
        found.update(block)
        del block
        if client is not None and count == stop_after:
            client.stop()
        count += 1  # noqa: SIM113 -- enumerate would keep the block
    return found.hexdigest()


def trouble(kind: Callable[[int], bool], reply: Mapping[str, Any]) -> Mapping[str, Any]:
    return storage_of(PACKAGE, trouble=lambda start, _: reply if kind(start) else None)


def test_after_success(client: CanvasClient, canvas: ScriptedServer, pool: BufferPool) -> None:
    assert digest(fetching(client, canvas, pool)) == hashlib.sha256(PACKAGE).hexdigest()
    assert pool.in_use == 0


GONE = {"status": 404, "json": {"errors": [{"message": "The specified resource does not exist."}]}}
DENIED = {"status": 401, "json": {}, "headers": {"www-authenticate": "Bearer"}}
DOWN = {"status": 503, "html": "<html>"}
PAGE = {"html": "<html>"}


@pytest.mark.parametrize("refresh", [GONE, DENIED, DOWN, PAGE, {"drop": True}])
@pytest.mark.parametrize("at", [BLOCK, 2 * BLOCK, 4 * BLOCK])
def test_when_the_link_is_refused_and_a_fresh_one_cannot_be_had(
    client: CanvasClient,
    canvas: ScriptedServer,
    storage: ScriptedServer,
    *,
    pool: BufferPool,
    refresh: Mapping[str, Any],
    at: int,
) -> None:
    """The first part is a block already when the second one is refused, and so is whatever runs beside it."""
    storage.on(KEY, trouble(lambda start: start >= at, {"status": 403, "text": "expired"}))
    canvas.on(FILE, to(f"{storage.url}/bucket/key?signature=secret"), {"status": 403, "html": "<html>"})
    canvas.on(SHOW, refresh)
    with pytest.raises(CanvasExportsError) as caught:
        digest(fetching(client, canvas, pool))
    assert pool.in_use == 0  # although the error is still held
    assert caught.value is not None
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("range")]


@pytest.mark.parametrize("after", [0, 1, 3])
def test_when_it_is_called_off(
    client: CanvasClient, canvas: ScriptedServer, pool: BufferPool, after: int
) -> None:
    with pytest.raises(Stopped):
        digest(fetching(client, canvas, pool), client, after)
    assert pool.in_use == 0


@pytest.mark.parametrize("after", [0, 1, 3])
def test_when_the_archive_fails(
    client: CanvasClient, canvas: ScriptedServer, pool: BufferPool, after: int
) -> None:
    def failing() -> None:
        blocks = fetching(client, canvas, pool)
        try:
            for _ in range(after + 1):
                next(blocks)
            raise OSError("the archive is full")
        finally:
            blocks.close()  # type: ignore[attr-defined] # a pipeline closes its generators

    with pytest.raises(OSError, match="full") as caught:
        failing()
    assert pool.in_use == 0
    assert caught.value is not None


@pytest.mark.parametrize("off", [-BLOCK, -1, 1, BLOCK])
def test_when_the_length_is_wrong(
    client: CanvasClient, canvas: ScriptedServer, pool: BufferPool, off: int
) -> None:
    with pytest.raises(DownloadError, match="than announced") as caught:
        digest(fetching(client, canvas, pool, size=SIZE + off))
    assert pool.in_use == 0
    assert caught.value is not None


@pytest.mark.parametrize("begin", [b"<!DOCTYPE html>", b"nonsense"])
def test_when_it_is_no_package(
    client: CanvasClient, canvas: ScriptedServer, storage: ScriptedServer, pool: BufferPool, begin: bytes
) -> None:
    storage.on(KEY, storage_of(begin + PACKAGE[len(begin) :]))
    with pytest.raises((DownloadError, CorruptPackageError)) as caught:
        digest(fetching(client, canvas, pool))
    assert pool.in_use == 0
    assert caught.value is not None


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_goes_wrong_together(
    canvas: ScriptedServer, storage: ScriptedServer, data: st.DataObject
) -> None:
    replies = st.sampled_from(
        [
            {"cut": 0},
            {"cut": 2_000_000},
            {"status": 403},
            {"status": 500},
            {"status": 416},
            {"drop": True},
            None,
        ]
    )
    plan = {start: data.draw(replies) for start in [-1, *range(BLOCK, SIZE, BLOCK)]}
    pool = BufferPool(data.draw(st.integers(1, 6)) * BLOCK, BLOCK)
    stop_after = data.draw(st.none() | st.integers(0, 6))
    storage.on(
        KEY,
        storage_of(PACKAGE, trouble=lambda start, count: plan.get(start) if count < 3 else None),
    )
    canvas.on(FILE, to(f"{storage.url}/bucket/key?signature=secret"))
    canvas.on(SHOW, data.draw(st.sampled_from([shown(canvas, size=SIZE), GONE, DOWN])))
    with CanvasClient(canvas.url, "7~token", sleep=lambda _: time.sleep(0)) as client:
        blocks = fetching(client, canvas, pool)
        error: BaseException | None = None
        try:
            digest(blocks, client, stop_after)
        except (CanvasExportsError, Stopped) as caught:
            error = caught
        assert pool.in_use == 0, error
