"""Downloads from an archive share a few places, and give them back however a request ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Send

from canvas_exports.errors import ArchiveUnavailableError
from canvas_exports.web.archive_page import transfers
from canvas_exports.web.archive_page.transfers import MOST_TRANSFERS, TransferResponse, Transfers

SCOPE: dict[str, Any] = {"type": "http", "method": "GET", "asgi": {"spec_version": "2.3"}, "headers": []}


async def left() -> Message:
    """What a server tells of a browser that has gone."""
    return {"type": "http.disconnect"}


async def there() -> Message:
    """What a server tells of a browser that is there: nothing."""
    await asyncio.Event().wait()
    raise AssertionError


async def refuse(_: Message) -> None:
    raise OSError("the connection is gone")


async def never(_: Message) -> None:
    await asyncio.Event().wait()


async def take(_: Message) -> None:
    pass


async def sent(transfers_of: Transfers, receive: Receive, send: Send, blocks: Iterator[bytes]) -> None:
    transfer = await transfers_of.start(lambda: blocks)
    response = TransferResponse(transfer, status_code=200, headers={})
    with suppress(
        ArchiveUnavailableError, ClientDisconnect, OSError, asyncio.TimeoutError
    ):  # the server logs it
        await response(SCOPE, receive, send)


def fail() -> Iterator[bytes]:
    yield b"a"
    raise ArchiveUnavailableError("the store is gone")


@pytest.mark.parametrize(
    ("receive", "send", "blocks"),
    [
        (left, take, lambda: iter([b"a", b"b"])),
        (there, refuse, lambda: iter([b"a", b"b"])),
        (there, never, lambda: iter([b"a", b"b"])),
        (there, take, lambda: iter([b"a", b"b"])),
        (there, take, lambda: iter([])),
        (there, take, fail),
    ],
    ids=["left before the first byte", "left later", "takes nothing", "takes all", "empty", "store fails"],
)
def test_a_request_gives_its_place_back_however_it_ends(
    monkeypatch: pytest.MonkeyPatch, receive: Receive, send: Send, blocks: Any
) -> None:
    monkeypatch.setattr(transfers, "_LONGEST_STALL", 0.01)
    monkeypatch.setattr(transfers, "_PATIENCE", 10.0)

    async def scenario() -> None:
        places = Transfers("campus")
        for _ in range(MOST_TRANSFERS + 1):
            await sent(places, receive, send, blocks())
        transfer = await places.start(lambda: [b"still ", b"", b"sent"])
        assert b"".join([block async for block in transfer]) == b"still sent"

    asyncio.run(scenario())


def test_a_failed_opening_takes_no_place() -> None:
    def broken() -> Iterator[bytes]:
        raise ArchiveUnavailableError("the store is gone")

    async def scenario() -> None:
        places = Transfers("campus")
        for _ in range(MOST_TRANSFERS + 1):
            with pytest.raises(ArchiveUnavailableError, match="the store is gone"):
                await places.start(broken)

    asyncio.run(scenario())


def test_one_more_than_there_are_places_waits_for_its_turn() -> None:
    async def scenario() -> None:
        places = Transfers("campus")
        first, *_ = [await places.start(lambda: [b"a"]) for _ in range(MOST_TRANSFERS)]
        waiting = asyncio.create_task(places.start(lambda: [b"b"]))
        await asyncio.sleep(0)
        assert not waiting.done()
        first.close()
        assert [block async for block in await waiting] == [b"b"]

    asyncio.run(scenario())


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "_PATIENCE", 0.01)

    async def scenario() -> None:
        places = Transfers("campus")
        for _ in range(MOST_TRANSFERS):
            await places.start(lambda: [b"a"])
        with pytest.raises(ArchiveUnavailableError, match="under way; try again later"):
            await places.start(lambda: [b"b"])

    asyncio.run(scenario())


def test_a_place_is_given_back_once() -> None:
    async def scenario() -> None:
        places = Transfers("campus")
        transfer = await places.start(lambda: iter([b"a"]))
        transfer.close()
        transfer.close()
        assert places._places._value == MOST_TRANSFERS

    asyncio.run(scenario())
