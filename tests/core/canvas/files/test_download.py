"""Downloads over HTTP: lengths, broken connections, and the blocks that are yielded."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.canvas.package_server import (
    ETAG,
    FILE,
    KEY,
    NUMBERED,
    PACKAGE,
    SHOW,
    SIGNED,
    an_export,
    fetch,
    ranged,
    shown,
    to,
)
from tests.support.canvas.scripted_canvas import COURSE, TOKEN, ScriptedServer

from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.files.download import BLOCK
from canvas_exports.errors import DownloadError

# -- lengths ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("off", [-1, 1])
def test_a_length_other_than_canvas_announced_is_an_error(
    client: CanvasClient, server: ScriptedServer, off: int
) -> None:
    server.on(FILE, {"body": PACKAGE})
    with pytest.raises(DownloadError, match=r"bytes where Canvas says the package has") as caught:
        fetch(client, an_export(server, size=len(PACKAGE) + off))
    assert caught.value.spoiled


def test_without_content_length_the_bytes_are_counted(client: CanvasClient, server: ScriptedServer) -> None:
    server.on(FILE, {"body": PACKAGE, "headers": {"Content-Length": None}})
    assert fetch(client, an_export(server)) == PACKAGE
    with pytest.raises(DownloadError, match="longer than announced: more bytes came") as longer:
        fetch(client, an_export(server, size=len(PACKAGE) - 1))
    assert longer.value.spoiled
    with pytest.raises(DownloadError) as caught:
        fetch(client, an_export(server, size=len(PACKAGE) + 1))
    assert caught.value.restart


def test_chunked_bodies_are_read(client: CanvasClient, server: ScriptedServer) -> None:
    half = len(PACKAGE) // 2
    parts = (PACKAGE[:half], PACKAGE[half:])
    chunked = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    server.on(FILE, {"body": chunked, "headers": {"Content-Length": None, "Transfer-Encoding": "chunked"}})
    assert fetch(client, an_export(server)) == PACKAGE
    with pytest.raises(DownloadError, match="longer than announced"):
        fetch(client, an_export(server, size=len(PACKAGE) - 1))


@pytest.mark.parametrize(
    "parts", [[PACKAGE[:-1]], [PACKAGE[:7], PACKAGE[7:99]], []], ids=["short", "head", "nothing"]
)
def test_a_chunked_body_that_ends_too_early_by_its_own_word_is_of_another_length(
    client: CanvasClient, server: ScriptedServer, parts: list[bytes]
) -> None:
    chunked = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    server.on(
        FILE,
        {"body": chunked, "headers": {"Content-Length": None, "Transfer-Encoding": "chunked", "ETag": ETAG}},
    )
    has = sum(map(len, parts))
    with pytest.raises(DownloadError, match=f"storage has {has} bytes where Canvas says") as caught:
        fetch(client, an_export(server))
    assert caught.value.spoiled


def test_a_chunked_body_that_breaks_off_is_not(client: CanvasClient, server: ScriptedServer) -> None:
    cut = b"%x\r\n%b\r\n" % (len(PACKAGE) - 1, PACKAGE[:-1])
    server.on(FILE, {"body": cut, "headers": {"Content-Length": None, "Transfer-Encoding": "chunked"}})
    with pytest.raises(DownloadError) as caught:
        fetch(client, an_export(server))
    assert not caught.value.spoiled


# -- broken connections ----------------------------------------------------------------------------------------------


def test_a_cut_is_resumed_where_it_was_through_a_fresh_storage_link(
    client: CanvasClient, server: ScriptedServer, storage: ScriptedServer
) -> None:
    package = b"PK\x03\x04" + bytes(3 * BLOCK)
    server.on(FILE, to(f"{storage.url}/bucket/key?s=1"), to(f"{storage.url}/bucket/key?s=2"))
    storage.on(KEY, ranged(package, cut=2 * BLOCK + 5), ranged(package))
    assert fetch(client, an_export(server, size=len(package))) == package
    second = storage.seen[1]
    assert second.query == "s=2"
    assert int(second.headers["range"][len("bytes=") : -1]) >= 2 * BLOCK
    assert second.headers["if-range"] == ETAG
    assert "authorization" not in second.headers
    assert client.rate_limiter.in_flight == 0


def test_a_fresh_link_is_asked_for_when_the_old_one_died_midway(
    client: CanvasClient, server: ScriptedServer, storage: ScriptedServer
) -> None:
    package = b"PK\x03\x04" + bytes(2 * BLOCK)
    server.on(FILE, to(f"{storage.url}/bucket/key"))
    server.on("GET /fresh", to(f"{storage.url}/bucket/new"))
    server.on(SHOW, shown(server, size=len(package), url=f"{server.url}/fresh"))
    storage.on(KEY, ranged(package, cut=BLOCK + 5), {"status": 403, "body": b"expired"})
    storage.on("GET /bucket/new", ranged(package))
    assert fetch(client, an_export(server, size=len(package))) == package


@pytest.mark.parametrize("changed", [{"id": 8}, {"size": 99}], ids=["another attachment", "another size"])
def test_a_package_that_was_replaced_meanwhile_starts_over(
    client: CanvasClient, server: ScriptedServer, changed: dict[str, Any]
) -> None:
    package = b"PK\x03\x04" + bytes(2 * BLOCK)
    server.on(FILE, ranged(package, cut=BLOCK + 5), {"status": 404, "html": "<html>"})
    server.on(SHOW, shown(server, **{"size": len(package), **changed}))
    with pytest.raises(DownloadError, match="replaced") as caught:
        fetch(client, an_export(server, size=len(package)))
    assert caught.value.restart


BROKEN: list[tuple[str, Callable[[bytes], dict[str, Any]], Callable[[bytes], dict[str, Any]]]] = [
    ("no validators", lambda p: {"body": p, "cut": BLOCK + 5}, lambda p: {"body": p}),
    ("a weak etag", lambda p: {"body": p, "cut": BLOCK + 5, "headers": {"ETag": 'W/"a"'}}, lambda p: {"body": p}),
    ("ranges refused", lambda p: ranged(p, cut=BLOCK + 5, **{"Accept-Ranges": "none"}), lambda p: {"body": p}),
    ("a date that may be too fresh", lambda p: {"body": p, "cut": BLOCK + 5, "headers": {"Last-Modified": "Mon, 23 Nov 2026 02:00:00 GMT", "Date": "Mon, 23 Nov 2026 02:00:00 GMT"}}, lambda p: {"body": p}),
    ("range ignored", lambda p: ranged(p, cut=BLOCK + 5), lambda p: {"body": p}),
    ("object changed", lambda p: ranged(p, cut=BLOCK + 5), lambda p: ranged(p, ETag='"new"')),
    ("range not satisfiable", lambda p: ranged(p, cut=BLOCK + 5), lambda _: {"status": 416}),
    ("another place", lambda p: ranged(p, cut=BLOCK + 5), lambda p: {"status": 206, "body": p[9:], "headers": {"Content-Range": f"bytes 9-{len(p) - 1}/{len(p)}"}}),
    ("another total", lambda p: ranged(p, cut=BLOCK + 5), lambda p: {"status": 206, "body": p[BLOCK:], "headers": {"Content-Range": f"bytes {BLOCK}-{len(p) - 1}/{len(p) + 1}"}}),
    ("no content-range", lambda p: ranged(p, cut=BLOCK + 5), lambda p: {"status": 206, "body": p[BLOCK:]}),
    ("another etag in the rest", lambda p: ranged(p, cut=BLOCK), lambda p: {"status": 206, "body": p[BLOCK:], "headers": {"ETag": '"new"', "Content-Range": f"bytes {BLOCK}-{len(p) - 1}/{len(p)}"}}),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_where_storage_cannot_prove_the_rest_the_caller_starts_over(
    client: CanvasClient,
    server: ScriptedServer,
    first: Callable[[bytes], dict[str, Any]],
    second: Callable[[bytes], dict[str, Any]],
) -> None:
    package = b"PK\x03\x04" + bytes(2 * BLOCK)
    server.on(FILE, first(package), second(package))
    with pytest.raises(DownloadError) as caught:
        fetch(client, an_export(server, size=len(package)))
    assert caught.value.restart
    server.on(FILE, {"body": package})
    assert fetch(client, an_export(server, size=len(package))) == package


def test_a_modification_date_well_past_is_as_good_as_an_etag(
    client: CanvasClient, server: ScriptedServer
) -> None:
    package = b"PK\x03\x04" + bytes(2 * BLOCK)
    dates: dict[str, Any] = {
        "Last-Modified": "Mon, 23 Nov 2026 02:00:00 GMT",
        "Date": "Mon, 23 Nov 2026 02:05:00 GMT",
        "ETag": None,
    }
    server.on(FILE, ranged(package, cut=BLOCK + 5, **dates), ranged(package, **dates))
    assert fetch(client, an_export(server, size=len(package))) == package
    assert server.seen[1].headers["if-range"] == dates["Last-Modified"]


def test_what_breaks_before_the_first_block_simply_starts_again(
    client: CanvasClient, server: ScriptedServer
) -> None:
    server.on(FILE, {"body": PACKAGE, "cut": 0}, {"body": PACKAGE, "cut": 0}, {"body": PACKAGE})
    assert fetch(client, an_export(server)) == PACKAGE
    assert all("range" not in seen.headers for seen in server.seen)


def test_a_connection_that_never_brings_anything_is_given_up(
    client: CanvasClient, server: ScriptedServer
) -> None:
    server.on(FILE, {"body": PACKAGE, "cut": 0})
    with pytest.raises(DownloadError, match="again and again") as caught:
        fetch(client, an_export(server))
    assert len(server.seen) == 5
    assert not caught.value.restart


def test_resumptions_are_bounded_even_if_each_brings_something(
    client: CanvasClient, server: ScriptedServer
) -> None:
    server.on(FILE, ranged(cut=10))
    with pytest.raises(DownloadError, match="again and again"):
        fetch(client, an_export(server))
    assert len(server.seen) == 100 + len(PACKAGE) // (256 * 1024)


@settings(
    derandomize=True,
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(cuts=st.lists(st.integers(0, 2 * BLOCK), max_size=4))
def test_wherever_it_is_cut_the_package_comes_whole(
    client: CanvasClient, server: ScriptedServer, cuts: list[int]
) -> None:
    package = NUMBERED
    server.on(FILE, *(ranged(package, cut=cut) for cut in cuts), ranged(package))
    assert fetch(client, an_export(server, size=len(package))) == package


# -- how it is handed over -------------------------------------------------------------------------------------------


def test_blocks_are_large_and_share_one_buffer(client: CanvasClient, server: ScriptedServer) -> None:
    package = b"PK\x03\x04" + bytes(3 * BLOCK)
    server.on(FILE, {"body": package})
    blocks = client.download(COURSE, an_export(server, size=len(package)))
    sizes, buffers = [], set()
    for block in blocks:
        sizes.append(len(block))
        buffers.add(id(block.obj))
    assert sizes == [BLOCK, BLOCK, BLOCK, 4]
    assert len(buffers) == 1


def test_a_caller_that_stops_early_closes_the_connection(
    client: CanvasClient, server: ScriptedServer
) -> None:
    server.on(FILE, {"body": b"PK\x03\x04" + bytes(4 * BLOCK)})
    blocks = client.download(COURSE, an_export(server, size=4 * BLOCK + 4))
    next(blocks)
    blocks.close()  # type: ignore[attr-defined] # it is a generator
    assert client.rate_limiter.in_flight == 0
    server.on(FILE, {"body": PACKAGE})
    assert fetch(client, an_export(server)) == PACKAGE


def test_the_mark_to_start_over_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(DownloadError("cut", restart=True, context="course:101", export_id=5)))  # noqa: S301 -- our own pickle
    assert (error.restart, str(error)) == (True, "course:101, export 5: cut")


def test_nothing_is_asked_before_the_first_block_is_wanted(
    client: CanvasClient, server: ScriptedServer
) -> None:
    client.download(COURSE, an_export(server))
    assert server.seen == []


def test_no_secret_reaches_an_error_or_a_log(
    client: CanvasClient, server: ScriptedServer, storage: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.on(FILE, to(f"{storage.url}/bucket/key{SIGNED}"))
    server.on(SHOW, shown(server))
    failures: list[dict[str, Any]] = [
        {"status": 403, "body": b"<Error>signature=secret</Error>"},
        {"drop": True},
        {"html": "<html>secret</html>"},
        {"body": PACKAGE, "cut": 9},
        {"status": 302, "headers": {"Location": "ftp://x/?secret"}},
    ]
    for failure in failures:
        storage.on(KEY, failure)
        with pytest.raises(DownloadError) as caught:
            fetch(client, an_export(server, verifier="&verifier=secret"))
        error: BaseException | None = caught.value
        while error is not None:
            assert "secret" not in str(error) + repr(error)
            assert TOKEN not in str(error) + repr(error)
            error = error.__cause__ or error.__context__
    assert "secret" not in caplog.text
    assert TOKEN not in caplog.text
