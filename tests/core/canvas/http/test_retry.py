"""Which requests are repeated, how often and after how long, and the error of one that must not be repeated."""

from __future__ import annotations

import pickle
import threading
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest
from tests.support.canvas.scripted_canvas import (
    CARTRIDGE,
    COURSE,
    CREATE,
    EXPORTS,
    REFUSAL,
    REFUSAL_429,
    SELF,
    SHOW,
    TOKEN,
    Clock,
    Either,
    ScriptedServer,
    export_json,
    open_either,
)

from canvas_exports.core.canvas.async_client import AsyncCanvasClient
from canvas_exports.errors import (
    BadRequestError,
    CanvasUnavailableError,
    CredentialError,
    NotFoundError,
    PermissionDeniedError,
    ResponseLostError,
    ThrottledError,
    UnexpectedResponseError,
)


def test_server_time_follows_the_date_header(either: Either, server: ScriptedServer) -> None:
    there = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(hours=3)
    server.on(
        SELF,
        {"json": {"id": 9}, "headers": {"Date": format_datetime(there, usegmt=True)}},
        {"json": {"id": 9}, "headers": {"Date": "no date"}},
        {"json": {"id": 9}, "headers": {"Date": "Mon, 23 Nov 2020 02:00:00 -0000"}},
    )
    for _ in range(3):
        either.whoami()
    assert abs(either.client.server_now() - there) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (
            {"status": 401, "json": {}, "headers": {"www-authenticate": 'Bearer realm="canvas-lms"'}},
            CredentialError,
        ),
        ({"status": 401, "json": {}}, PermissionDeniedError),
        ({"status": 403, "json": {}}, PermissionDeniedError),
        ({"status": 404, "json": {}}, NotFoundError),
        ({"status": 400, "json": {"message": "no"}}, BadRequestError),
        ({"status": 403, "html": "<html>"}, UnexpectedResponseError),
        ({"status": 302, "headers": {"Location": "https://sso.example.edu/"}}, UnexpectedResponseError),
        ({"json": {"no": "id"}}, UnexpectedResponseError),
    ],
)
def test_requests_with_a_permanent_error_are_not_repeated(
    either: Either, server: ScriptedServer, clock: Clock, reply: dict[str, Any], kind: type[Exception]
) -> None:
    reply = {**reply, "headers": {**reply.get("headers", {}), "X-Request-Context-Id": "r-77"}}
    server.on(SHOW, reply)
    with pytest.raises(kind) as caught:
        either.show_export(COURSE, 501)
    assert type(caught.value) is kind
    assert len(server.seen) == 1
    assert clock.slept == []
    text = str(caught.value)
    assert "course:101, export 501" in text
    assert "request r-77" in text
    assert TOKEN not in text + repr(caught.value) + repr(caught.value.__dict__)
    assert str(pickle.loads(pickle.dumps(caught.value))) == text  # noqa: S301 -- our own pickle


@pytest.mark.parametrize(
    "reply",
    [
        {"status": 500, "json": {"errors": [{"message": "x"}], "error_report_id": 5}},
        {"status": 502, "html": "<html>"},
        {"html": "<html>maintenance</html>"},
        {"json": {"id": 9}, "cut": 3},
        {"json": {"id": 9}, "cut": 3, "headers": {"Content-Length": None}},
        {"drop": True},
    ],
)
def test_a_get_that_went_wrong_in_passing_is_repeated(
    either: Either, server: ScriptedServer, clock: Clock, reply: dict[str, Any]
) -> None:
    server.on(SELF, reply, reply, {"json": {"id": 9}})
    assert either.whoami().id == 9
    assert len(server.seen) == 3
    pauses = (
        1 if reply.get("drop") and isinstance(either.client, AsyncCanvasClient) else 2
    )  # aiohttp repeats one itself
    assert len(clock.slept) == pauses
    assert all(0 < pause < 2 for pause in clock.slept)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ({"status": 503}, CanvasUnavailableError),
        ({"html": "<html>"}, UnexpectedResponseError),
        ({"drop": True}, CanvasUnavailableError),
    ],
)
def test_a_get_is_repeated_only_so_often(
    either: Either, server: ScriptedServer, clock: Clock, reply: dict[str, Any], kind: type[Exception]
) -> None:
    server.on(SELF, reply)
    with pytest.raises(kind):
        either.whoami()
    assert len(clock.slept) == 4
    assert either.client.rate_limiter.in_flight == 0


@pytest.mark.parametrize("seconds", ["7", "date", "never", "1e6"])
def test_retry_after_is_honoured_within_reason(
    either: Either, server: ScriptedServer, clock: Clock, seconds: str
) -> None:
    value = (
        format_datetime(datetime.now(timezone.utc) + timedelta(seconds=60), usegmt=True)
        if seconds == "date"
        else seconds
    )
    server.on(SELF, {"status": 503, "headers": {"Retry-After": value}}, {"json": {"id": 9}})
    either.whoami()
    low, high = {"7": (7, 7), "date": (50, 60), "never": (0, 1), "1e6": (120, 120)}[seconds]
    assert low <= clock.slept[0] <= high


@pytest.mark.parametrize("refusal", [REFUSAL, REFUSAL_429])
def test_refusals_are_waited_out_and_never_an_error(
    either: Either, server: ScriptedServer, clock: Clock, refusal: dict[str, Any]
) -> None:
    server.on(SELF, *[refusal] * 8, {"json": {"id": 9}})
    assert either.whoami().id == 9
    assert sum(clock.slept) > 8 * 2
    assert either.client.rate_limiter.in_flight == 0


def test_a_post_that_was_refused_was_not_done_and_is_sent_again(
    either: Either, server: ScriptedServer
) -> None:
    server.on(CREATE, REFUSAL, REFUSAL_429, {"json": export_json()})
    assert either.create_export(COURSE, CARTRIDGE).id == 501
    assert server.paths() == [EXPORTS] * 3


def test_patience_with_refusals_ends_after_a_quarter_of_an_hour(
    either: Either, server: ScriptedServer, clock: Clock
) -> None:
    server.on(SELF, REFUSAL)
    with pytest.raises(ThrottledError):
        either.whoami()
    assert 900 <= sum(clock.slept) < 1100


def test_the_budget_learns_from_every_answer(either: Either, server: ScriptedServer) -> None:
    server.on(
        SELF, {"json": {"id": 9}, "headers": {"X-Rate-Limit-Remaining": "222.5", "X-Request-Cost": "1.5"}}
    )
    either.whoami()
    assert either.client.rate_limiter.remaining == 222.5
    server.on(
        SELF, {"json": {"id": 9}, "headers": {"X-Rate-Limit-Remaining": "nan", "X-Request-Cost": "much"}}
    )
    either.whoami()
    assert either.client.rate_limiter.in_flight == 0


@pytest.mark.parametrize(
    "reply",
    [
        {"drop": True},
        {"status": 500, "json": {}},
        {"status": 502, "html": "<html>"},
        {"status": 504},
        {"status": 408},
        {"json": {"id": 501}, "cut": 4},
        {"html": "<html>"},
        {"json": {"no": "id"}},
        {"status": 204},
    ],
)
def test_a_post_whose_answer_is_lost_is_not_repeated(
    either: Either, server: ScriptedServer, reply: dict[str, Any]
) -> None:
    server.on(CREATE, reply)
    with pytest.raises(ResponseLostError) as caught:
        either.create_export(COURSE, CARTRIDGE)
    assert caught.value.context == "course:101"
    assert caught.value.retryable
    assert len(server.seen) == 1
    assert either.client.rate_limiter.in_flight == 0


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ({"status": 400, "json": {"message": "invalid export_type"}}, BadRequestError),
        ({"status": 403, "json": {}}, PermissionDeniedError),
        ({"status": 404, "json": {}}, NotFoundError),
        ({"status": 302, "headers": {"Location": "https://x.example/"}}, UnexpectedResponseError),
        ({"status": 403, "html": "<html>"}, UnexpectedResponseError),
    ],
)
def test_a_post_that_was_surely_refused_says_so(
    either: Either, server: ScriptedServer, reply: dict[str, Any], kind: type[Exception]
) -> None:
    server.on(CREATE, reply)
    with pytest.raises(kind) as caught:
        either.create_export(COURSE, CARTRIDGE)
    assert not isinstance(caught.value, ResponseLostError)
    assert len(server.seen) == 1


@pytest.mark.parametrize("kind", ["requests", "aiohttp"])
def test_a_post_without_a_connection_is_repeated_and_never_counts_as_lost(kind: str, clock: Clock) -> None:
    with (
        open_either(kind, "http://127.0.0.1:9", clock) as either,
        pytest.raises(CanvasUnavailableError) as caught,
    ):
        either.create_export(COURSE, CARTRIDGE)
    assert not isinstance(caught.value, ResponseLostError)
    assert len(clock.slept) == 4
    assert "no connection" in str(caught.value)


@pytest.mark.parametrize("kind", ["requests", "aiohttp"])
@pytest.mark.parametrize("way", ["a proxy that is down", "a proxy that refuses", "no TLS at the other end"])
def test_trouble_before_the_request_went_out_is_never_a_lost_answer(
    kind: str, way: str, server: ScriptedServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    url = "https://canvas.invalid"
    if way == "no TLS at the other end":
        url = server.url.replace("http://", "https://")
    else:
        monkeypatch.setenv(
            "https_proxy", server.url if way == "a proxy that refuses" else "http://127.0.0.1:9"
        )
    with open_either(kind, url, clock) as either, pytest.raises(CanvasUnavailableError) as caught:
        either.create_export(COURSE, CARTRIDGE)
    assert type(caught.value) is CanvasUnavailableError
    assert "no connection" in str(caught.value)
    assert len(clock.slept) == 4


@pytest.mark.parametrize("kind", ["requests", "aiohttp"])
def test_a_canvas_that_falls_silent_after_a_post_is_a_lost_answer(
    kind: str, server: ScriptedServer, clock: Clock
) -> None:
    answered = threading.Event()
    server.delay = lambda: answered.wait(5)
    server.on(CREATE, {"json": export_json()})
    with open_either(kind, server.url, clock, read_timeout=0.05) as either, pytest.raises(ResponseLostError):
        either.create_export(COURSE, CARTRIDGE)
    answered.set()
