"""Many Progresses in one request, where Canvas lets us, and never less than one request for each would tell."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from canvas_exports.canvas import together
from canvas_exports.canvas.async_client import AsyncCanvasClient
from canvas_exports.canvas.budget import RateBudget
from canvas_exports.canvas.client import CanvasClient
from canvas_exports.canvas.contexts import Context
from canvas_exports.canvas.exports import ExportRequest
from canvas_exports.canvas.models import Progress, ProgressState
from canvas_exports.canvas.together import MOST, Together
from canvas_exports.errors import (
    BadRequestError,
    CanvasError,
    CanvasUnavailableError,
    CredentialError,
    InputError,
    NotFoundError,
    PermissionDeniedError,
    ThrottledError,
    UnexpectedAnswerError,
)
from canvas_sandbox import Course, Fault, RequestFault, Sandbox, Switches

HOST = "https://canvas.test"


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "_without", set())
    monkeypatch.setattr(together, "_GATHER", 0.02)


@contextmanager
def exporting(count: int, *faults: Fault, **switches: Any) -> Iterator[tuple[Sandbox, list[int]]]:
    """A Canvas that works on so many exports, and the ids of their Progresses."""
    numbers = range(101, 101 + count)
    courses = [Course(id=number, duration=100, faults=faults) for number in numbers]
    settings = Switches(manual_clock=True, job_workers=count, throttle=False, **switches)
    with Sandbox(courses, switches=settings) as canvas, CanvasClient(canvas.url, canvas.token) as client:
        exports = [
            client.create_export(Context.parse(number), ExportRequest.build("common_cartridge"))
            for number in numbers
        ]
        canvas.advance(50)
        yield canvas, [export.progress_id or 0 for export in exports]


def looking(canvas: Sandbox, budget: RateBudget | None = None) -> AsyncCanvasClient:
    return AsyncCanvasClient(
        canvas.url, canvas.token, budget=budget or RateBudget(), attempts=1, progress_api="graphql"
    )


async def looked(canvas: Sandbox, numbers: Sequence[int]) -> list[Any]:
    async with looking(canvas) as client:
        return await asyncio.gather(*map(client.progress, numbers), return_exceptions=True)


def requests(canvas: Sandbox) -> tuple[int, int]:
    """GraphQL queries, and single looks."""
    paths = [record.path for record in canvas.requests]
    return paths.count("/api/graphql"), sum("/progress/" in path for path in paths)


async def test_many_are_asked_for_with_few_requests() -> None:
    with exporting(45) as (canvas, numbers):
        found = await looked(canvas, numbers)
        assert [progress.id for progress in found] == numbers
        assert {progress.workflow_state for progress in found} == {ProgressState.RUNNING}
        assert requests(canvas) == (3, 0)


async def test_it_tells_the_same_as_rest() -> None:
    with exporting(3) as (canvas, numbers):
        found = await looked(canvas, numbers)
        async with AsyncCanvasClient(canvas.url, canvas.token) as rest:
            for progress in found:
                alone = await rest.progress(progress.id)
                assert (alone.workflow_state, alone.completion) == (
                    progress.workflow_state,
                    progress.completion,
                )


async def test_several_clients_ask_together() -> None:
    with exporting(4) as (canvas, numbers):
        budget = RateBudget()
        async with looking(canvas, budget) as one, looking(canvas, budget) as other:
            await asyncio.gather(
                *map(one.progress, numbers[:2]), *map(other.progress, numbers[2:]), one.progress(numbers[3])
            )
        assert requests(canvas) == (1, 0)


async def test_one_alone_is_asked_for_in_the_plain_way() -> None:
    with exporting(1) as (canvas, numbers):
        await looked(canvas, numbers)
        assert requests(canvas) == (0, 1)


async def test_a_node_that_is_null_is_asked_for_alone() -> None:
    with exporting(2) as (canvas, numbers):
        found = await looked(canvas, [*numbers, 1])
        assert [progress.id for progress in found[:2]] == numbers
        assert isinstance(found[2], NotFoundError)
        assert requests(canvas) == (1, 1)


async def test_a_state_that_the_schema_lacks_is_asked_for_alone() -> None:
    with (
        exporting(1, Fault.STUCK_WAITING) as (canvas, waiting),
        CanvasClient(canvas.url, canvas.token) as client,
    ):
        export = client.create_export(Context.parse(101), ExportRequest.build("zip"))
        found = await looked(canvas, [*waiting, export.progress_id or 0])
        assert found[0].workflow_state is ProgressState.WAITING_FOR_EXTERNAL_TOOL


@pytest.mark.parametrize(
    ("switches", "effect"),
    [
        ({"graphql": False}, None),
        ({"graphql_aliases": 1}, None),
        ({}, "denied"),
        ({}, "not_found"),
        ({}, "login_page"),
        ({}, "garbled"),
        ({}, "bad_request_page"),
    ],
)
async def test_where_graphql_is_of_no_use_rest_is_and_that_is_remembered(
    switches: dict[str, Any], effect: str | None
) -> None:
    with exporting(3, **switches) as (canvas, numbers):
        if effect is not None:
            canvas.inject(RequestFault(effect, path="/api/graphql", times=1))
        for _ in range(2):
            assert [progress.id for progress in await looked(canvas, numbers)] == numbers
        assert requests(canvas) == (1, 6)


async def test_a_server_error_is_made_up_for_but_not_remembered() -> None:
    with exporting(3) as (canvas, numbers):
        canvas.inject(RequestFault("server_error", path="/api/graphql", times=1))
        for _ in range(2):
            assert [progress.id for progress in await looked(canvas, numbers)] == numbers
        assert requests(canvas) == (2, 3)


async def test_a_bad_token_is_told_to_all() -> None:
    with exporting(3) as (canvas, numbers):
        canvas.revoke(canvas.token)
        found = await looked(canvas, numbers)
        assert {type(error) for error in found} == {CredentialError}
        assert requests(canvas) == (1, 0)


@pytest.mark.parametrize(
    ("error", "remembered"),
    [
        (CredentialError("revoked", status=401), None),
        (ThrottledError("slow down", status=429), None),
        (CanvasUnavailableError("no connection"), None),
        (CanvasUnavailableError("maintenance", status=503), False),
        (PermissionDeniedError("no", status=403), True),
        (NotFoundError("no such path", status=404), True),
        (BadRequestError("no", status=400), True),
        (UnexpectedAnswerError("a web page", status=200), True),
    ],
)
async def test_every_error_is_told_or_made_up_for(error: CanvasError, remembered: bool | None) -> None:
    async def ask(_numbers: Sequence[int]) -> dict[int, Progress]:
        raise error

    common = Together()
    found = await asyncio.gather(
        *(common.progress(HOST, number, ask) for number in (1, 2)), return_exceptions=True
    )
    assert found == ([error, error] if remembered is None else [None, None])
    assert (HOST in together._without) == bool(remembered)


async def test_if_the_first_is_cancelled_the_others_ask_alone() -> None:
    begun = asyncio.Event()

    async def ask(_numbers: Sequence[int]) -> dict[int, Progress]:
        begun.set()
        await asyncio.sleep(60)
        raise AssertionError

    common = Together()
    first, second = (asyncio.create_task(common.progress(HOST, number, ask)) for number in (1, 2))
    await begun.wait()
    first.cancel()
    assert await second is None
    assert HOST not in together._without


async def test_no_query_asks_for_more_than_canvas_allows() -> None:
    asked: list[int] = []

    async def ask(numbers: Sequence[int]) -> dict[int, Progress]:
        asked.append(len(numbers))
        return {number: Progress(number, ProgressState.RUNNING) for number in numbers}

    common = Together()
    found = await asyncio.gather(*(common.progress(HOST, number, ask) for number in range(1, 108)))
    assert [progress.id if progress else None for progress in found] == list(range(1, 108))
    assert asked == [MOST] * 5 + [7]


async def test_a_canvas_that_shows_nothing_is_not_asked_again() -> None:
    async def ask(_numbers: Sequence[int]) -> dict[int, Progress]:
        return {}

    assert await Together().progress(HOST, 1, ask) is None
    assert HOST not in together._without, "a lone one never asked"
    common = Together()
    await asyncio.gather(*(common.progress(HOST, number, ask) for number in (1, 2)))
    assert HOST in together._without


def test_another_word_is_refused() -> None:
    with pytest.raises(InputError, match=r"progress_api.*soap.*rest, graphql"):
        AsyncCanvasClient(HOST, "7~asked-together", progress_api="soap")
