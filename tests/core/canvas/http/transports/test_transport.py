"""What both transports send and read: headers, cookies, proxies, compression, logs."""

from __future__ import annotations

import gzip
import json
import logging
from typing import Any

import pytest
from tests.support.canvas.scripted_canvas import (
    COURSE,
    EXPORTS,
    SELF,
    TOKEN,
    Either,
    ScriptedServer,
    export_json,
)

from canvas_exports import __version__
from canvas_exports.core.model.contexts import Context


def test_every_request_names_product_and_version_and_carries_the_token(
    either: Either, server: ScriptedServer
) -> None:
    server.on(SELF, {"json": {"id": 9}})
    either.whoami()
    sent = server.seen[0].headers
    assert sent["user-agent"] == f"airflow-provider-canvas-exports/{__version__}"
    assert sent["authorization"] == f"Bearer {TOKEN}"
    assert sent["accept"] == "application/json"
    assert "cookie" not in sent


def test_cookies_are_not_kept(either: Either, server: ScriptedServer) -> None:
    server.on(SELF, {"json": {"id": 9}, "headers": {"Set-Cookie": "canvas_session=x; path=/"}})
    either.whoami()
    either.whoami()
    assert "cookie" not in server.seen[1].headers


def test_a_netrc_does_not_take_the_tokens_place(
    either: Either, server: ScriptedServer, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server.on(SELF, {"json": {"id": 9}})
    either.whoami()
    assert server.seen[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_ids_arrive_as_they_were_encoded(either: Either, server: ScriptedServer) -> None:
    server.on(
        "GET /api/v1/courses/hex:sis_course_id:43532f312e31/content_exports/5", {"json": export_json(id=5)}
    )
    server.on("GET /api/v1/courses/lti_context_id:a%2Eb%7E/content_exports/5", {"json": export_json(id=5)})
    assert either.show_export(Context.parse("sis_course_id:CS/1.1"), 5).id == 5
    server.on("GET /api/v1/courses/lti_context_id:a%2Eb/content_exports/5", {"json": export_json(id=5)})
    assert either.show_export(Context.parse("lti_context_id:a.b"), 5).id == 5


def test_a_proxy_from_the_environment_is_used(
    either: Either, server: ScriptedServer, storage: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("http_proxy", storage.url)
    storage.on(f"GET {server.url}/api/v1/users/self", {"json": {"id": 9}})
    assert either.whoami().id == 9
    assert server.seen == []


def test_compressed_answers_and_upper_case_headers_are_read(either: Either, server: ScriptedServer) -> None:
    body = gzip.compress(json.dumps({"id": 9}).encode())
    server.on(
        SELF, {"body": body, "headers": {"Content-Encoding": "gzip", "CONTENT-TYPE": "application/json"}}
    )
    assert either.whoami().id == 9


def test_debug_logs_hold_neither_token_nor_query(
    either: Either, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.on(f"GET {EXPORTS}", {"json": [], "headers": {"Link": "</next?signature=secret>; rel=next"}})
    server.on("GET /next", {"json": []})
    either.list_exports(COURSE)
    assert server.seen[1].query == "signature=secret"
    assert "secret" not in caplog.text
    assert TOKEN not in caplog.text


def test_urllib3_may_log_in_every_form(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3.connectionpool").debug("%(what)s", {"what": "nothing to hide?"})
    assert "nothing to hide?" in caplog.text
