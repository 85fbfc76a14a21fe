"""Random access to a package in Canvas's storage."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import pytest
from tests.support.canvas.package_server import FILE, KEY, an_export, to
from tests.support.canvas.range_storage import storage_of
from tests.support.canvas.scripted_canvas import COURSE, ScriptedServer

from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.files import remote_package as module
from canvas_exports.core.canvas.files.remote_package import RemotePackage
from canvas_exports.errors import DownloadError

TAIL = 2000
PACKAGE = b"PK\x03\x04" + hashlib.shake_128(b"package").digest(9996)
OTHER = b"PK\x03\x04" + hashlib.shake_128(b"other").digest(9996)


@pytest.fixture(autouse=True)
def _a_short_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TAIL", TAIL)


@pytest.fixture
def canvas(server: ScriptedServer, storage: ScriptedServer) -> ScriptedServer:
    server.on(FILE, to(f"{storage.url}/bucket/key?signature=secret"))
    return server


def look(client: CanvasClient, canvas: ScriptedServer, size: int = len(PACKAGE)) -> RemotePackage | None:
    return client.open_package(COURSE, an_export(canvas, size=size))


def ranges(storage: ScriptedServer) -> list[str]:
    return [seen.headers["range"] for seen in storage.seen if "range" in seen.headers]


def test_the_end_comes_with_one_request_and_any_other_part_with_another(
    client: CanvasClient, canvas: ScriptedServer, storage: ScriptedServer
) -> None:
    storage.on(KEY, storage_of(PACKAGE))
    seen = look(client, canvas)
    assert seen is not None
    assert seen.size == len(PACKAGE)
    assert seen.read(range(8500, 9000)) == PACKAGE[8500:9000]
    assert seen.read(range(8000, 10000)) == PACKAGE[8000:]
    assert ranges(storage) == ["bytes=8000-9999"]
    assert seen.read(range(10, 40)) == PACKAGE[10:40]
    assert seen.read(range(7999, 8001)) == PACKAGE[7999:8001]
    assert ranges(storage) == ["bytes=8000-9999", "bytes=10-39", "bytes=7999-8000"]


def test_a_package_shorter_than_the_tail_is_all_tail(
    client: CanvasClient, canvas: ScriptedServer, storage: ScriptedServer
) -> None:
    short = PACKAGE[:700]
    storage.on(KEY, storage_of(short))
    seen = look(client, canvas, size=700)
    assert seen is not None
    assert seen.read(range(700)) == short


@pytest.mark.parametrize(
    "answers",
    [
        {"etag": None},
        {"etag": 'W/"weak"'},
        {"trouble": lambda start, _: {"body": PACKAGE} if start >= 0 else None},
        {"trouble": lambda start, _: {"status": 206, "body": PACKAGE[-9:]} if start >= 0 else None},
    ],
    ids=["no ETag", "a weak ETag", "all of it in place of a part", "another part"],
)
def test_storage_that_serves_no_parts_is_not_looked_at(
    client: CanvasClient, canvas: ScriptedServer, storage: ScriptedServer, answers: Mapping[str, Any]
) -> None:
    storage.on(KEY, storage_of(PACKAGE, **answers))
    assert look(client, canvas) is None


def test_canvas_itself_is_not_asked_for_parts(client: CanvasClient, server: ScriptedServer) -> None:
    server.on(FILE, storage_of(PACKAGE))
    assert look(client, server) is None


def test_parts_of_two_packages_are_never_mixed(
    client: CanvasClient, canvas: ScriptedServer, storage: ScriptedServer
) -> None:
    storage.on(KEY, storage_of(PACKAGE))
    seen = look(client, canvas)
    assert seen is not None
    storage.on(KEY, storage_of(OTHER, etag='"other"'))
    with pytest.raises(DownloadError, match="no longer serves ranges"):
        seen.read(range(10, 40))


def test_a_part_that_breaks_off_goes_on_where_it_broke(
    client: CanvasClient, canvas: ScriptedServer, storage: ScriptedServer
) -> None:
    storage.on(KEY, storage_of(PACKAGE, trouble=lambda start, _: {"cut": 3000} if start >= 0 else None))
    seen = look(client, canvas)
    assert seen is not None
    assert seen.read(range(len(PACKAGE))) == PACKAGE


def test_a_part_that_never_comes_is_an_error(
    client: CanvasClient, canvas: ScriptedServer, storage: ScriptedServer
) -> None:
    storage.on(KEY, storage_of(PACKAGE, trouble=lambda start, _: {"cut": 0} if start >= 0 else None))
    with pytest.raises(DownloadError, match="again and again"):
        look(client, canvas)


def test_a_login_page_says_which_export_it_was(client: CanvasClient, server: ScriptedServer) -> None:
    server.on(FILE, {"body": b"<!DOCTYPE html>", "headers": {"Content-Type": "text/html"}})
    with pytest.raises(DownloadError) as caught:
        look(client, server)
    assert (caught.value.context, caught.value.export_id) == (str(COURSE), an_export(server).id)
