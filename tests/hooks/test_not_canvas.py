"""The test of a connection tells a host that is not Canvas, and values out of range."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.canvas.scripted_canvas import ScriptedServer, serve

from canvas_exports.hooks.canvas import RANGES, CanvasHook
from canvas_exports.provider import get_provider_info

SELF = "GET /api/v1/users/self"
UNLIKE = "does not answer as a Canvas does; check the host of the connection"


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """Some web server, and a connection that takes it for Canvas."""
    for server in serve():
        connect(monkeypatch, server)
        yield server


def connect(monkeypatch: pytest.MonkeyPatch, server: ScriptedServer, **extra: Any) -> None:
    document = {"conn_type": "canvas", "host": server.url, "password": "7~token", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_CANVAS_DEFAULT", json.dumps(document))


OTHERS: dict[str, dict[str, Any]] = {
    "a page": {"html": "<!doctype html><title>Welcome</title>"},
    "JSON": {"json": {"status": "ok"}},
    "JSON with an id": {"json": {"id": 5, "name": "somebody"}},
    "a list": {"json": []},
    "no such page": {"status": 404, "html": "<html>Not found</html>"},
    "no such thing": {"status": 404, "json": {"detail": "Not found"}},
    "a method it does not know": {"status": 405, "json": {"message": "no"}},
    "forbidden": {"status": 403, "json": {"message": "no"}},
    "a redirect": {"status": 301, "headers": {"Location": "https://www.example.edu/"}},
    "nothing": {"status": 204},
}


@pytest.mark.parametrize("other", OTHERS)
def test_some_other_web_server_is_reported(host: ScriptedServer, other: str) -> None:
    host.on(SELF, OTHERS[other])
    worked, sentence = CanvasHook().test_connection()
    assert not worked
    assert sentence.startswith(f"{host.url} {UNLIKE}")
    assert "\n" not in sentence


def test_a_server_that_wants_another_credential_is_reported_too(host: ScriptedServer) -> None:
    host.on(SELF, {"status": 401, "json": {}, "headers": {"WWW-Authenticate": 'Basic realm="intranet"'}})
    worked, sentence = CanvasHook().test_connection()
    assert not worked
    assert "Nothing in the response shows that" in sentence


@pytest.mark.parametrize(
    "reply",
    [
        {"json": {"id": 5}, "headers": {"X-Request-Context-Id": "r-1"}},
        {"json": {"id": 5}, "headers": {"x-canvas-meta": "b=1;"}},
        {"json": {"id": 5, "name": "A", "sortable_name": "A", "short_name": "A", "locale": None}},
    ],
)
def test_a_canvas_is_known_by_its_headers_or_by_what_it_tells(
    host: ScriptedServer, reply: dict[str, Any]
) -> None:
    host.on(SELF, reply)
    host.on("GET /api/v1/accounts/self/courses", {"json": []})
    worked, sentence = CanvasHook().test_connection()
    assert worked, sentence


def test_a_canvas_that_refuses_is_not_called_another_server(host: ScriptedServer) -> None:
    host.on(SELF, {"status": 404, "json": {"errors": []}, "headers": {"X-Request-Context-Id": "r-1"}})
    assert UNLIKE not in CanvasHook().test_connection()[1]
    host.on(SELF, {"status": 503, "html": "<html>Down for maintenance</html>"})
    assert UNLIKE not in CanvasHook().test_connection()[1]


@pytest.mark.parametrize(
    ("field", "value"),
    [("max_in_flight", 11), ("max_in_flight", "40"), ("floor", 49), ("floor", 391), ("floor", "nan")],
)
def test_values_out_of_the_documented_range_are_reported(
    host: ScriptedServer, monkeypatch: pytest.MonkeyPatch, field: str, value: object
) -> None:
    connect(monkeypatch, host, **{field: value})
    worked, sentence = CanvasHook().test_connection()
    assert not worked
    assert f"connection canvas_default, {field}" in sentence


@pytest.mark.parametrize("field", RANGES)
def test_the_form_says_range_and_default(field: str) -> None:
    form = get_provider_info()["connection-types"][0]["conn-fields"][field]
    least, most, default = RANGES[field]
    assert (form["schema"]["minimum"], form["schema"]["maximum"]) == (least, most)
    assert f"{least} to {most}; empty: {default}" in form["description"]


def test_it_asks_once_and_waits_for_nobody_who_says_come_back_later(
    host: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person looks on, and Airflow's API server with them: Canvas's own `Retry-After` may be hours."""
    for reply in (
        {"status": 503, "html": "<html>Down</html>", "headers": {"Retry-After": "999999999"}},
        {"status": 500, "json": {}},
        {"json": {}, "headers": {"Content-Encoding": "gzip"}},
        {"html": "<html>Log in</html>"},
    ):
        host.seen.clear()
        host.on(SELF, reply)
        assert not CanvasHook().test_connection()[0]
        assert len(host.seen) == 1
    monkeypatch.setattr("canvas_exports.hooks.canvas.LONGEST_TEST", 0.3)
    host.on(SELF, {"status": 403, "text": "403 Forbidden (Rate Limit Exceeded)"})
    worked, sentence = CanvasHook().test_connection()
    assert not worked
    assert sentence == "there was no response within 0.3 seconds; try again later"


def test_where_nobody_answers_it_says_what_to_check(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    document = {"conn_type": "canvas", "host": f"http://127.0.0.1:{port}", "password": "7~token"}
    monkeypatch.setenv("AIRFLOW_CONN_CANVAS_DEFAULT", json.dumps(document))
    worked, sentence = CanvasHook().test_connection()
    assert not worked
    assert sentence.startswith(f"no response from http://127.0.0.1:{port}; check the host of the connection")


@pytest.mark.parametrize("forms", [7, {"canvas_restore": True}, [1], False])
def test_an_extra_forms_that_nobody_can_read_is_reported(
    host: ScriptedServer, monkeypatch: pytest.MonkeyPatch, forms: object
) -> None:
    connect(monkeypatch, host, forms=forms)
    worked, sentence = CanvasHook().test_connection()
    assert not worked
    assert "connection canvas_default, forms: it is no list of names" in sentence
