"""Downloads over HTTP: where they may lead, what is recognised, and how a broken one goes on."""

from __future__ import annotations

import logging
import pickle
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.core.canvas.conftest import COURSE, TOKEN, Clock, ScriptedServer, Seen, export_json

from canvas_exports.core.canvas.api.models import ContentExport
from canvas_exports.core.canvas.api.parsing import read_export
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.files.download import BLOCK
from canvas_exports.errors import CredentialError, DownloadError, NotFoundError

FILE = "GET /files/7/download"
KEY = "GET /bucket/key"
SHOW = "GET /api/v1/courses/101/content_exports/501"
PACKAGE = b"PK\x03\x04" + bytes(range(256)) * 40
NUMBERED = b"PK\x03\x04" + b"".join(number.to_bytes(4, "big") for number in range(BLOCK // 3))
ETAG = '"abc"'
SIGNED = "?signature=secret~%7E"


def an_export(
    server: ScriptedServer, *, verifier: str = "", size: int = len(PACKAGE), **changes: Any
) -> ContentExport:
    url = f"{server.url}/files/7/download?download_frd=1{verifier}"
    attachment = {"id": 7, "filename": "x.imscc", "size": size, "url": url}
    return read_export(export_json(attachment={**attachment, **changes}))


def shown(server: ScriptedServer, **changes: Any) -> dict[str, Any]:
    url = f"{server.url}/files/7/download?download_frd=1"
    return {
        "json": export_json(
            attachment={"id": 7, "filename": "x", "size": len(PACKAGE), "url": url, **changes}
        )
    }


def to(url: str) -> dict[str, Any]:
    return {"status": 302, "headers": {"Location": url}}


def ranged(package: bytes = PACKAGE, *, cut: int | None = None, **headers: str | None) -> dict[str, Any]:
    """Storage that resumes: the whole, or from ``Range`` on when ``If-Range`` fits; cut after so many bytes."""

    def then(seen: Seen) -> Mapping[str, Any]:
        found = re.fullmatch(r"bytes=(\d+)-", seen.headers.get("range", ""))
        etag = headers.get("ETag", ETAG)
        reply: dict[str, Any] = {"body": package, "headers": {"ETag": etag, **headers}}
        if found and seen.headers.get("if-range") in (etag, headers.get("Last-Modified")):
            start = int(found[1])
            span = f"bytes {start}-{len(package) - 1}/{len(package)}"
            reply = {
                "status": 206,
                "body": package[start:],
                "headers": {"Content-Range": span, "ETag": etag, **headers},
            }
        return reply if cut is None else {**reply, "cut": cut}

    return {"then": then}


def fetch(client: CanvasClient, export: ContentExport) -> bytes:
    return b"".join(bytes(block) for block in client.download(COURSE, export))


# -- the way ---------------------------------------------------------------------------------------------------------


def test_a_package_comes_from_canvas_itself(client: CanvasClient, server: ScriptedServer) -> None:
    server.on(FILE, {"body": PACKAGE})
    assert fetch(client, an_export(server)) == PACKAGE
    sent = server.seen[0].headers
    assert sent["authorization"] == f"Bearer {TOKEN}"
    assert sent["accept-encoding"] == "identity"
    assert "range" not in sent
    assert client.rate_limiter.in_flight == 0


def test_the_token_stays_with_canvas_and_the_signature_is_left_alone(
    client: CanvasClient, server: ScriptedServer, storage: ScriptedServer
) -> None:
    server.on(FILE, to("/files/7/course?download_frd=1"))
    server.on("GET /files/7/course", to(f"{storage.url}/bucket/key{SIGNED}"))
    storage.on(KEY, {"body": PACKAGE})
    assert fetch(client, an_export(server)) == PACKAGE
    assert [seen.headers.get("authorization") for seen in server.seen] == [f"Bearer {TOKEN}"] * 2
    assert "authorization" not in storage.seen[0].headers
    assert storage.seen[0].target == f"/bucket/key{SIGNED}"


def test_the_token_is_not_sent_again_when_the_way_comes_back(
    client: CanvasClient, server: ScriptedServer, storage: ScriptedServer
) -> None:
    server.on(FILE, to(f"{storage.url}/bucket/key"))
    storage.on(KEY, to(f"{server.url}/back?fallback_ts=1"))
    server.on("GET /back", {"body": PACKAGE})
    assert fetch(client, an_export(server)) == PACKAGE
    assert "authorization" not in server.seen[1].headers


def test_a_netrc_for_storage_is_not_used(
    client: CanvasClient,
    server: ScriptedServer,
    storage: ScriptedServer,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.on(FILE, to(f"{storage.url}/bucket/key"))
    storage.on(KEY, {"body": PACKAGE})
    fetch(client, an_export(server))
    assert "authorization" not in storage.seen[0].headers


def test_a_way_in_circles_ends(client: CanvasClient, server: ScriptedServer) -> None:
    server.on(FILE, to("/files/7/download?again"))
    with pytest.raises(DownloadError, match="more than 10 times"):
        fetch(client, an_export(server))
    assert len(server.seen) == 11


@pytest.mark.parametrize(
    "location", ["ftp://x.example/k", "file:///etc/passwd", "http://u:p@x.example/", "", None]
)
def test_forbidden_redirects_are_not_followed(
    client: CanvasClient, server: ScriptedServer, location: str | None
) -> None:
    server.on(FILE, {"status": 302, "headers": {"Location": location}})
    with pytest.raises(DownloadError):
        fetch(client, an_export(server))


def test_redirects_and_names_beyond_ascii_are_followed(
    client: CanvasClient, server: ScriptedServer, storage: ScriptedServer
) -> None:
    server.on(FILE, to(f"{storage.url}/bücher"))
    storage.on("GET /b%C3%BCcher", {"body": PACKAGE})
    assert fetch(client, an_export(server)) == PACKAGE


# -- logins ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("denial", [to("/login"), {"status": 401, "json": {}}, {"status": 403, "json": {}}])
def test_a_verifier_is_tried_without_the_token_when_the_token_is_not_wanted(
    client: CanvasClient, server: ScriptedServer, denial: dict[str, Any]
) -> None:
    server.on(FILE, denial, {"body": PACKAGE})
    assert fetch(client, an_export(server, verifier="&verifier=abc")) == PACKAGE
    assert "authorization" not in server.seen[1].headers


@pytest.mark.parametrize("verifier", ["", "&verifier=abc"])
def test_a_login_page_is_never_a_package(client: CanvasClient, server: ScriptedServer, verifier: str) -> None:
    server.on(FILE, to("/login?x=1"))
    server.on("GET /login", {"html": "<html>log in</html>"})
    server.on(SHOW, shown(server))
    with pytest.raises(DownloadError, match="asks for a login") as caught:
        fetch(client, an_export(server, verifier=verifier))
    assert "/login" not in server.paths()
    assert caught.value.context == "course:101"
    assert caught.value.export_id == 501
    assert not caught.value.restart


def test_a_dead_token_is_found_out_when_the_download_is_refused(
    client: CanvasClient, server: ScriptedServer
) -> None:
    server.on(FILE, to("/login"))
    server.on(SHOW, {"status": 401, "json": {}, "headers": {"WWW-Authenticate": "Bearer"}})
    with pytest.raises(CredentialError):
        fetch(client, an_export(server))


@pytest.mark.parametrize(
    "reply",
    [
        {"html": "<html>sign in at your campus</html>"},
        {"json": {"deleted": True}},
        {"body": b"  <!DOCTYPE html><html>", "headers": {"Content-Type": "application/zip"}},
        {"body": b"\xef\xbb\xbf<?xml version='1.0'?><Error/>"},
        {"body": b'{"errors": []}'},
        {"body": PACKAGE, "headers": {"Content-Encoding": "gzip"}},
        {"status": 206, "body": PACKAGE},
    ],
)
def test_pages_and_messages_are_recognised_and_say_what_to_do(
    client: CanvasClient, server: ScriptedServer, reply: dict[str, Any]
) -> None:
    size = len(reply.get("body", b"x" * 99)) if "html" not in reply and "json" not in reply else 99
    server.on(FILE, reply)
    with pytest.raises(DownloadError) as caught:
        fetch(client, an_export(server, size=size))
    assert not caught.value.restart


def test_an_empty_zip_is_a_package(client: CanvasClient, server: ScriptedServer) -> None:
    empty = b"PK\x05\x06" + bytes(18)
    server.on(FILE, {"body": empty})
    assert fetch(client, an_export(server, size=22)) == empty


def test_whether_other_bytes_are_a_package_is_for_the_proof(
    client: CanvasClient, server: ScriptedServer
) -> None:
    server.on(FILE, {"body": b"\x00garbage"})
    assert fetch(client, an_export(server, size=8)) == b"\x00garbage"


def test_a_package_of_no_bytes_is_handed_over_as_such(client: CanvasClient, server: ScriptedServer) -> None:
    server.on(FILE, {"body": b""})
    assert fetch(client, an_export(server, size=0)) == b""


# -- links that do not work ------------------------------------------------------------------------------------------


def test_without_an_attachment_canvas_is_asked_once_more(
    client: CanvasClient, server: ScriptedServer
) -> None:
    server.on(SHOW, shown(server))
    server.on(FILE, {"body": PACKAGE})
    bare = replace(an_export(server), attachment=None)
    assert fetch(client, bare) == PACKAGE


@pytest.mark.parametrize("attachment", [..., {"id": 7, "size": 5, "url": ""}])
def test_a_package_canvas_no_longer_offers_is_said_so(
    client: CanvasClient, server: ScriptedServer, attachment: Any
) -> None:
    server.on(SHOW, {"json": export_json(attachment=attachment)})
    with pytest.raises(DownloadError, match="export again") as caught:
        fetch(client, replace(an_export(server), attachment=None))
    assert caught.value.export_id == 501


def test_an_expired_link_is_replaced_by_a_fresh_one(
    client: CanvasClient, server: ScriptedServer, storage: ScriptedServer
) -> None:
    server.on(FILE, to(f"{storage.url}/bucket/old"), to(f"{storage.url}/bucket/key"))
    storage.on("GET /bucket/old", {"status": 403, "body": b"<Error>expired</Error>"})
    storage.on(KEY, {"body": PACKAGE})
    server.on(SHOW, shown(server))
    assert fetch(client, an_export(server)) == PACKAGE


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_package_that_is_gone_is_an_error_in_the_end(
    client: CanvasClient, server: ScriptedServer, status: int
) -> None:
    server.on(FILE, {"status": status, "html": "<html>"})
    server.on(SHOW, shown(server))
    with pytest.raises(DownloadError, match="export again"):
        fetch(client, an_export(server))
    assert server.paths().count("/files/7/download") == 2


def test_an_export_that_is_gone_with_its_package_says_so(
    client: CanvasClient, server: ScriptedServer
) -> None:
    server.on(FILE, {"status": 404, "html": "<html>"})
    server.on(SHOW, {"status": 404, "json": {}})
    with pytest.raises(NotFoundError):
        fetch(client, an_export(server))


def test_busy_hosts_are_given_time(
    client: CanvasClient, server: ScriptedServer, storage: ScriptedServer, clock: Clock
) -> None:
    refusal = {"status": 403, "text": "403 Forbidden (Rate Limit Exceeded)\n"}
    server.on(FILE, refusal, {"status": 502}, {"drop": True}, to(f"{storage.url}/bucket/key"))
    storage.on(KEY, {"status": 503}, {"status": 429}, {"body": PACKAGE})
    with CanvasClient(
        server.url, TOKEN, rate_limiter=client.rate_limiter, clock=clock, sleep=clock.sleep, attempts=9
    ) as patient:
        assert fetch(patient, an_export(server)) == PACKAGE
    assert len(clock.slept) >= 5


def test_a_host_that_stays_down_is_an_error_in_the_end(client: CanvasClient, server: ScriptedServer) -> None:
    server.on(FILE, {"status": 503})
    with pytest.raises(DownloadError, match="did not deliver"):
        fetch(client, an_export(server))
    assert len(server.seen) == 5


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
