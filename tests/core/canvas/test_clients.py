"""The contract of both clients over HTTP: each test runs against the blocking and the asynchronous one."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any
from urllib.parse import parse_qsl

import pytest
from tests.support.canvas.scripted_canvas import (
    CARTRIDGE,
    COURSE,
    EXPORTS,
    SELF,
    TOKEN,
    Either,
    ScriptedServer,
    export_json,
)

from canvas_exports.core.canvas.api.course_filters import CourseFilters
from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.async_client import AsyncCanvasClient
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter
from canvas_exports.core.model.contexts import Context
from canvas_exports.errors import (
    InputError,
    UnexpectedResponseError,
)

# -- every call ------------------------------------------------------------------------------------------------------


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
    with pytest.raises(UnexpectedResponseError) as caught:
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
