"""Redirects, logins and links of a download: where the token goes, and which link is tried again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.support.canvas.package_server import (
    FILE,
    KEY,
    PACKAGE,
    SHOW,
    SIGNED,
    an_export,
    fetch,
    shown,
    to,
)
from tests.support.canvas.scripted_canvas import TOKEN, Clock, ScriptedServer, export_json

from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.errors import CredentialError, DownloadError, NotFoundError


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
    with pytest.raises(DownloadError, match="may have been deleted; export again"):
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
