"""A package over several connections: in order, within the caller's memory, and never a mixture of two packages."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.canvas.package_server import FILE, KEY, an_export, to
from tests.support.canvas.range_storage import BLOCK, ETAG, PACKAGE, Memory, storage_of
from tests.support.canvas.scripted_canvas import COURSE, ScriptedServer, Seen

from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.files import download
from canvas_exports.errors import DownloadError

OTHER = b"PK\x03\x04" + hashlib.shake_128(b"other").digest(10 * BLOCK + 123)


@pytest.fixture(autouse=True)
def _every_package_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "DIVISIBLE", 0)


def fetched(client: CanvasClient, server: ScriptedServer, memory: Memory, connections: int = 4) -> bytes:
    export = an_export(server, size=len(PACKAGE))
    return b"".join(memory.yielded(block) for block in client.download(COURSE, export, memory, connections))


def ranges(storage: ScriptedServer) -> list[str]:
    return [seen.headers["range"] for seen in storage.seen if "range" in seen.headers]


@pytest.fixture
def canvas(server: ScriptedServer, storage: ScriptedServer) -> ScriptedServer:
    server.on(FILE, to(f"{storage.url}/bucket/key?signature=secret"))
    storage.on(KEY, storage_of())
    return server


@pytest.mark.parametrize("blocks", [1, 2, 3, 20])
@pytest.mark.parametrize("connections", [2, 4, 8])
def test_the_parts_come_in_order_with_whatever_memory_there_is(
    client: CanvasClient, canvas: ScriptedServer, storage: ScriptedServer, blocks: int, connections: int
) -> None:
    memory = Memory(blocks)
    assert fetched(client, canvas, memory, connections) == PACKAGE
    assert memory.is_whole
    assert len(ranges(storage)) == len(PACKAGE) // BLOCK  # the first part comes with the first answer
    assert len(canvas.seen) == 1  # Canvas is asked once, whatever storage is asked


def test_every_part_names_the_object_it_wants_a_part_of(
    client: CanvasClient, canvas: ScriptedServer, storage: ScriptedServer
) -> None:
    fetched(client, canvas, Memory(5))
    assert {seen.headers.get("if-range") for seen in storage.seen if "range" in seen.headers} == {ETAG}
    assert not any("authorization" in seen.headers for seen in storage.seen)


@pytest.mark.parametrize("unlike", [{"etag": None}, {"etag": 'W/"weak"'}])
def test_without_a_strong_etag_it_is_one_connection(
    client: CanvasClient, canvas: ScriptedServer, storage: ScriptedServer, unlike: dict[str, Any]
) -> None:
    storage.on(KEY, storage_of(**unlike))
    assert fetched(client, canvas, Memory(5)) == PACKAGE
    assert ranges(storage) == []


def test_a_small_package_is_one_connection(
    client: CanvasClient,
    canvas: ScriptedServer,
    storage: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(download, "DIVISIBLE", len(PACKAGE))
    assert fetched(client, canvas, Memory(5)) == PACKAGE
    assert ranges(storage) == []


def test_what_canvas_serves_itself_is_one_connection(client: CanvasClient, server: ScriptedServer) -> None:
    """Every range would be a request to Canvas, and count against its rate limit."""
    server.on(FILE, storage_of())
    assert fetched(client, server, Memory(5)) == PACKAGE
    assert len(server.seen) == 1


def test_storage_that_ignores_ranges_is_read_from_the_connection_that_is_open(
    client: CanvasClient, canvas: ScriptedServer, storage: ScriptedServer
) -> None:
    whole = {"body": PACKAGE, "headers": {"ETag": ETAG, "Accept-Ranges": "bytes"}}
    storage.on(KEY, whole)
    memory = Memory(5)
    assert fetched(client, canvas, memory) == PACKAGE
    assert memory.is_whole
    assert len(storage.seen) == 2


@pytest.mark.parametrize("status", [403, 416, 500])
def test_storage_that_refuses_the_first_part_is_read_from_the_connection_that_is_open(
    client: CanvasClient, canvas: ScriptedServer, storage: ScriptedServer, status: int
) -> None:
    storage.on(KEY, storage_of(trouble=lambda start, _: {"status": status} if start > 0 else None))
    assert fetched(client, canvas, Memory(5)) == PACKAGE


@pytest.mark.parametrize("cut", [0, 1, BLOCK // 2, BLOCK - 1])
@pytest.mark.parametrize("part", [0, 1, 4, 10])
def test_a_part_that_is_cut_goes_on_where_it_broke(
    client: CanvasClient, canvas: ScriptedServer, storage: ScriptedServer, part: int, cut: int
) -> None:
    start = part * BLOCK if part else -1
    tail = len(PACKAGE) % BLOCK
    storage.on(
        KEY,
        storage_of(
            trouble=lambda at, count: (
                {"cut": min(cut, tail - 1) if part == 10 else cut} if (at, count) == (start, 1) else None
            )
        ),
    )
    memory = Memory(5)
    assert fetched(client, canvas, memory) == PACKAGE
    assert memory.is_whole


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_wherever_parts_are_cut_the_package_comes_whole(
    client: CanvasClient, canvas: ScriptedServer, storage: ScriptedServer, data: st.DataObject
) -> None:
    cuts = data.draw(
        st.dictionaries(st.sampled_from([-1, *range(BLOCK, 11 * BLOCK, BLOCK)]), st.integers(0, 150))
    )
    storage.on(
        KEY,
        storage_of(trouble=lambda at, count: {"cut": cuts[at]} if count == 1 and at in cuts else None),
    )
    memory = Memory(data.draw(st.integers(1, 6)))
    assert fetched(client, canvas, memory, data.draw(st.integers(2, 6))) == PACKAGE
    assert memory.is_whole


def test_a_package_that_is_replaced_meanwhile_starts_over_and_is_never_mixed(
    client: CanvasClient, canvas: ScriptedServer, storage: ScriptedServer
) -> None:
    other = {"body": OTHER, "headers": {"ETag": '"other"', "Accept-Ranges": "bytes"}}
    storage.on(KEY, storage_of(trouble=lambda start, _: other if start >= 5 * BLOCK else None))
    memory, export, passed = Memory(5), an_export(canvas, size=len(PACKAGE)), list[bytes]()
    blocks = client.download(COURSE, export, memory, 4)
    with pytest.raises(DownloadError) as caught:
        passed.extend(memory.yielded(block) for block in blocks)
    assert caught.value.restart
    assert passed
    assert PACKAGE.startswith(b"".join(passed))
    assert memory.is_whole


def test_a_part_of_another_object_under_the_same_status_is_refused(
    client: CanvasClient, canvas: ScriptedServer, storage: ScriptedServer
) -> None:
    """A server that ignores ``If-Range`` and answers with a part of what is there now."""

    def wrong(start: int, _: int) -> dict[str, Any] | None:
        if start < 5 * BLOCK:
            return None
        stop = min(start + BLOCK, len(OTHER))
        span = f"bytes {start}-{stop - 1}/{len(OTHER)}"
        headers = {"ETag": '"other"', "Content-Range": span}
        return {"status": 206, "body": OTHER[start:stop], "headers": headers}

    storage.on(KEY, storage_of(trouble=wrong))
    with pytest.raises(DownloadError) as caught:
        fetched(client, canvas, Memory(5))
    assert caught.value.restart


def test_a_link_that_expires_midway_is_replaced_by_way_of_canvas(
    client: CanvasClient, canvas: ScriptedServer, storage: ScriptedServer
) -> None:
    fresh = f"{storage.url}/bucket/key?signature=fresh"
    canvas.on(FILE, to(f"{storage.url}/bucket/key?signature=secret"), to(fresh))

    expired = storage_of()["then"]

    def then(seen: Seen) -> Mapping[str, Any]:
        start = int((re.findall(r"bytes=(\d+)", seen.headers.get("range", "")) or [0])[0])
        if "secret" in seen.query and start >= 5 * BLOCK:
            return {"status": 403, "text": "Request has expired"}
        reply: Mapping[str, Any] = expired(seen)
        return reply

    storage.on(KEY, {"then": then})
    memory = Memory(6)
    assert fetched(client, canvas, memory) == PACKAGE
    assert canvas.paths().count("/files/7/download") == 2  # one fresh link for all


def test_a_part_that_never_comes_is_given_up_and_everything_ends(
    client: CanvasClient, canvas: ScriptedServer, storage: ScriptedServer
) -> None:
    storage.on(KEY, storage_of(trouble=lambda start, _: {"cut": 0} if start == 4 * BLOCK else None))
    memory = Memory(5)
    with pytest.raises(DownloadError, match="again and again"):
        fetched(client, canvas, memory)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("range")]


def test_a_caller_that_stops_early_has_its_memory_back_and_no_thread_left(
    client: CanvasClient, canvas: ScriptedServer
) -> None:
    memory = Memory(5)
    blocks = client.download(COURSE, an_export(canvas, size=len(PACKAGE)), memory, 4)
    for _ in range(2):
        memory.yielded(next(blocks))
    blocks.close()  # type: ignore[attr-defined]
    assert memory.is_whole
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("range")]
