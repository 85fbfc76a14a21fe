"""What both clients promise, over HTTP: each test runs against the blocking and the asynchronous one."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import pickle
import threading
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest
from tests.core.canvas.conftest import COURSE, TOKEN, Clock, Either, ScriptedServer, export_json, open_either

from canvas_exports import __version__
from canvas_exports.core.canvas.api.course_filters import CourseFilters
from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.async_client import AsyncCanvasClient
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter
from canvas_exports.core.model.contexts import Context
from canvas_exports.errors import (
    AnswerLostError,
    BadRequestError,
    CanvasUnavailableError,
    CredentialError,
    InputError,
    NotFoundError,
    PermissionDeniedError,
    ThrottledError,
    UnexpectedAnswerError,
)

SELF = "GET /api/v1/users/self"
EXPORTS = "/api/v1/courses/101/content_exports"
SHOW = f"GET {EXPORTS}/501"
CREATE = f"POST {EXPORTS}"
CARTRIDGE = ExportRequest.build("common_cartridge")
REFUSAL = {
    "status": 403,
    "text": "403 Forbidden (Rate Limit Exceeded)\n",
    "headers": {"X-Rate-Limit-Remaining": "31.5"},
}
REFUSAL_429 = {"status": 429, "text": "429 Too Many Requests (Rate Limit Exceeded)\n"}


# -- every call ------------------------------------------------------------------------------------------------------


def test_whoami(either: Either, server: ScriptedServer) -> None:
    server.on(SELF, {"json": {"id": 9, "name": "Jane"}})
    assert either.whoami().id == 9


def test_a_course_is_shown_with_its_term(either: Either, server: ScriptedServer) -> None:
    server.on("GET /api/v1/courses/101", {"json": {"id": 101, "term": {"name": "Winter"}}})
    assert either.course(COURSE).term_name == "Winter"
    assert parse_qsl(server.seen[0].query) == [("include[]", "term")]


def test_courses_of_an_account_are_filtered_and_walked(either: Either, server: ScriptedServer) -> None:
    path = "/api/v1/accounts/sis_account_id:bio/courses"
    server.on(
        f"GET {path}",
        {"json": [{"id": 1}, {"id": 2}], "headers": {"link": f'<{server.url}/next?page=first>; rel="next"'}},
    )
    server.on("GET /next", {"json": [{"id": 2}, {"id": 3}]})
    filters = CourseFilters.build({"state": "available", "search_term": "a b&c"})
    assert [row.id for row in either.account_courses("sis_account_id:bio", filters)] == [1, 2, 3]
    assert parse_qsl(server.seen[0].query) == [
        ("state[]", "available"),
        ("search_term", "a b&c"),
        ("include[]", "term"),
        ("per_page", "100"),
    ]
    assert server.seen[1].target == "/next?page=first"


def test_an_account_is_walked_without_filters_too(either: Either, server: ScriptedServer) -> None:
    server.on("GET /api/v1/accounts/self/courses", {"json": []})
    assert either.account_courses("self") == []


def test_a_content_list_has_types_and_items(either: Either, server: ScriptedServer) -> None:
    server.on("GET /api/v1/courses/101/content_list", {"json": [{"type": "quizzes", "count": 2}]})
    assert either.content_list(COURSE)[0].count == 2
    assert either.content_list(COURSE, "quizzes")[0].type == "quizzes"
    assert [seen.query for seen in server.seen] == ["", "type=quizzes"]


@pytest.mark.parametrize(
    ("context", "path"), [("101", "courses/101"), ("group:7", "groups/7"), ("user:self", "users/self")]
)
def test_exports_of_every_kind_of_context_are_listed_shown_and_created(
    either: Either, server: ScriptedServer, context: str, path: str
) -> None:
    where = Context.parse(context)
    server.on(f"GET /api/v1/{path}/content_exports", {"json": [export_json(id=2), export_json(id=1)]})
    server.on(f"GET /api/v1/{path}/content_exports/2", {"json": export_json(id=2)})
    server.on(
        f"POST /api/v1/{path}/content_exports",
        {"json": export_json(id=3, workflow_state="created", attachment=...)},
    )
    assert [row.id for row in either.list_exports(where, per_page=5)] == [2, 1]
    assert server.seen[0].query == "per_page=5"
    assert either.show_export(where, 2).id == 2
    assert either.create_export(where, ExportRequest.build("zip")).id == 3
    assert parse_qsl(server.seen[2].body) == [("export_type", "zip"), ("skip_notifications", "true")]
    assert server.seen[2].headers["content-type"] == "application/x-www-form-urlencoded"


def test_progress(either: Either, server: ScriptedServer) -> None:
    server.on(
        "GET /api/v1/progress/88", {"json": {"id": 88, "workflow_state": "running", "completion": 55.0}}
    )
    assert either.progress(88).completion == 55.0


def test_what_cannot_be_right_is_refused_before_anything_is_sent(
    either: Either, server: ScriptedServer
) -> None:
    attempts: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("course", (Context.parse("group:7"),), {}),
        ("content_list", (Context.parse("user:7"),), {}),
        ("list_exports", (COURSE,), {"per_page": 101}),
        ("list_exports", (COURSE,), {"per_page": 0}),
        ("show_export", (COURSE, 0), {}),
        ("show_export", (COURSE, True), {}),
        ("progress", (-1,), {}),
        ("create_export", (Context.parse("group:7"), CARTRIDGE), {}),
        ("account_courses", ("faculty",), {}),
    ]
    for name, args, kwargs in attempts:
        with pytest.raises(InputError):
            getattr(either, name)(*args, **kwargs)
    assert server.seen == []


# -- what goes out ---------------------------------------------------------------------------------------------------


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


# -- what comes back -------------------------------------------------------------------------------------------------


def test_compressed_answers_and_upper_case_headers_are_read(either: Either, server: ScriptedServer) -> None:
    body = gzip.compress(json.dumps({"id": 9}).encode())
    server.on(
        SELF, {"body": body, "headers": {"Content-Encoding": "gzip", "CONTENT-TYPE": "application/json"}}
    )
    assert either.whoami().id == 9


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
        ({"status": 403, "html": "<html>"}, UnexpectedAnswerError),
        ({"status": 302, "headers": {"Location": "https://sso.example.edu/"}}, UnexpectedAnswerError),
        ({"json": {"no": "id"}}, UnexpectedAnswerError),
    ],
)
def test_answers_that_time_does_not_mend_are_not_asked_for_again(
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
        ({"html": "<html>"}, UnexpectedAnswerError),
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


# -- throttle --------------------------------------------------------------------------------------------------------


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


# -- creating an export ----------------------------------------------------------------------------------------------


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
    with pytest.raises(AnswerLostError) as caught:
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
        ({"status": 302, "headers": {"Location": "https://x.example/"}}, UnexpectedAnswerError),
        ({"status": 403, "html": "<html>"}, UnexpectedAnswerError),
    ],
)
def test_a_post_that_was_surely_refused_says_so(
    either: Either, server: ScriptedServer, reply: dict[str, Any], kind: type[Exception]
) -> None:
    server.on(CREATE, reply)
    with pytest.raises(kind) as caught:
        either.create_export(COURSE, CARTRIDGE)
    assert not isinstance(caught.value, AnswerLostError)
    assert len(server.seen) == 1


@pytest.mark.parametrize("kind", ["requests", "aiohttp"])
def test_a_post_without_a_connection_is_repeated_and_never_counts_as_lost(kind: str, clock: Clock) -> None:
    with (
        open_either(kind, "http://127.0.0.1:9", clock) as either,
        pytest.raises(CanvasUnavailableError) as caught,
    ):
        either.create_export(COURSE, CARTRIDGE)
    assert not isinstance(caught.value, AnswerLostError)
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
    with open_either(kind, server.url, clock, read_timeout=0.05) as either, pytest.raises(AnswerLostError):
        either.create_export(COURSE, CARTRIDGE)
    answered.set()


# -- the way through a list ------------------------------------------------------------------------------------------


def test_the_blocking_list_is_lazy(client: CanvasClient, server: ScriptedServer) -> None:
    server.on(f"GET {EXPORTS}", {"json": [export_json(id=2)], "headers": {"Link": "</next>; rel=next"}})
    server.on("GET /next", {"json": [export_json(id=1)]})
    rows = client.list_exports(COURSE)
    assert server.seen == []
    assert next(rows).id == 2
    assert len(server.seen) == 1
    assert next(rows).id == 1


def test_the_token_is_not_sent_to_a_foreign_next_page(
    either: Either, server: ScriptedServer, storage: ScriptedServer
) -> None:
    server.on(
        f"GET {EXPORTS}", {"json": [export_json()], "headers": {"Link": f"<{storage.url}/next>; rel=next"}}
    )
    with pytest.raises(UnexpectedAnswerError) as caught:
        either.list_exports(COURSE)
    assert caught.value.context == "course:101"
    assert storage.seen == []


# -- construction ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [CanvasClient, AsyncCanvasClient])
@pytest.mark.parametrize("token", ["", "  ", "two words", "new\nline", "tökén"])
def test_a_token_that_cannot_be_sent_is_refused_and_not_shown(kind: type[CanvasClient], token: str) -> None:
    with pytest.raises(InputError) as caught:
        kind("canvas.example.edu", token)
    assert caught.value.field == "token"
    assert "tökén" not in str(caught.value)
    assert "two" not in str(caught.value)


@pytest.mark.parametrize("kind", [CanvasClient, AsyncCanvasClient])
def test_a_client_shows_its_host_and_no_token(kind: type[CanvasClient]) -> None:
    client = kind("canvas.example.edu/", f" {TOKEN}\n")
    assert client.host == "https://canvas.example.edu"
    assert repr(client) == f"{kind.__name__}('https://canvas.example.edu')"
    assert TOKEN not in repr(vars(client))
    with pytest.raises(InputError):
        kind("canvas.example.edu", TOKEN, attempts=0)
    with pytest.raises(InputError):
        kind("canvas.example.edu", TOKEN, verify="/no/such/file.pem")


def test_both_clients_of_a_token_share_the_budget_of_the_process() -> None:
    one = CanvasClient("canvas.example.edu", TOKEN)
    assert AsyncCanvasClient("https://canvas.example.edu", TOKEN).rate_limiter is one.rate_limiter
    assert CanvasClient("canvas.example.edu", "another").rate_limiter is not one.rate_limiter


# -- threads, tasks, logs --------------------------------------------------------------------------------------------


def test_threads_together_stay_within_the_budget(server: ScriptedServer) -> None:
    under_way, most, lock = 0, 0, threading.Lock()

    def count() -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.005)
        with lock:
            under_way -= 1

    server.delay = count
    server.on(SELF, {"json": {"id": 9}})
    with CanvasClient(server.url, TOKEN, rate_limiter=RateLimiter()) as client:
        threads = [threading.Thread(target=client.whoami) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(server.seen) == 20
    assert most <= 6


async def test_tasks_together_stay_within_the_budget_and_the_loop_keeps_turning(
    server: ScriptedServer,
) -> None:
    server.on(SELF, {"json": {"id": 9}})
    server.delay = lambda: time.sleep(0.005)
    rate_limiter, most, turns, done = RateLimiter(), 0, 0, False

    async def watch() -> None:
        nonlocal most, turns
        while not done:
            most = max(most, rate_limiter.in_flight)
            turns += 1
            await asyncio.sleep(0)

    async with AsyncCanvasClient(server.url, TOKEN, rate_limiter=rate_limiter) as client:
        watcher = asyncio.create_task(watch())
        users = await asyncio.gather(*(client.whoami() for _ in range(20)))
        done = True
        await watcher
    assert [user.id for user in users] == [9] * 20
    assert 1 <= most <= 6
    assert turns > 100


async def test_a_cancelled_task_gives_its_place_back(server: ScriptedServer) -> None:
    arrived, hold = threading.Event(), threading.Event()

    def delay() -> None:
        arrived.set()
        hold.wait(5)

    server.delay = delay
    server.on(SELF, {"json": {"id": 9}})
    async with AsyncCanvasClient(server.url, TOKEN, rate_limiter=RateLimiter()) as client:
        task = asyncio.create_task(client.whoami())
        await asyncio.to_thread(arrived.wait, 5)
        assert client.rate_limiter.in_flight == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert client.rate_limiter.in_flight == 0
        hold.set()


async def test_a_session_is_opened_lazily_and_a_closed_client_is_reopened(server: ScriptedServer) -> None:
    server.on(SELF, {"json": {"id": 9}})
    client = AsyncCanvasClient(server.url, TOKEN, rate_limiter=RateLimiter())
    await client.aclose()
    assert (await client.whoami()).id == 9
    await client.aclose()
    assert (await client.whoami()).id == 9
    await client.aclose()


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
