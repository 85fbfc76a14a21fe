"""Both clients renew a token that Canvas no longer knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from tests.support.canvas.scripted_canvas import (
    COURSE,
    Clock,
    Either,
    ScriptedServer,
    export_json,
    open_either,
)

from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.auth.oauth import RefreshGrant, refresh
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.http.origin import Origin
from canvas_exports.core.canvas.http.transports.timeouts import Timeouts
from canvas_exports.core.canvas.http.transports.transport import Transport
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.errors import CanvasError, CanvasUnavailableError, CredentialError
from canvas_sandbox import Course, DeveloperKey, Sandbox, Switches

DEAD = {
    "status": 401,
    "json": {"errors": [{"message": "Invalid access token."}]},
    "headers": {"WWW-Authenticate": 'Bearer realm="canvas-lms"'},
}
ME = {"json": {"id": 1, "name": "Ada"}}
WHO = "GET /api/v1/users/self"


class Tokens:
    """A source that hands out what it is given, one after the other."""

    identity = "a refresh token"

    def __init__(self, *tokens: str | CanvasError | None) -> None:
        self.next = list(tokens)
        self.token: str | None = None
        self.rejected: list[str | None] = []

    def current(self) -> str | None:
        return self.token

    def renew(self, rejected: str | None) -> None:
        self.rejected.append(rejected)
        found = self.next.pop(0)
        if isinstance(found, CanvasError):
            raise found
        self.token = found

    async def arenew(self, rejected: str | None) -> None:
        self.renew(rejected)


@pytest.fixture
def source() -> Tokens:
    return Tokens()


@pytest.fixture(params=["requests", "aiohttp"])
def client(
    request: pytest.FixtureRequest, server: ScriptedServer, clock: Clock, source: Tokens
) -> Iterator[Either]:
    with open_either(request.param, server.url, clock, token=source) as made:
        yield made


def sent(server: ScriptedServer) -> list[str]:
    return [seen.headers["authorization"] for seen in server.seen]


def test_the_first_token_is_fetched_before_anything_is_sent(
    client: Either, server: ScriptedServer, source: Tokens
) -> None:
    server.on(WHO, ME)
    source.next += ["one"]
    assert client.whoami().id == 1
    assert (source.rejected, sent(server)) == ([None], ["Bearer one"])


def test_a_rejected_token_is_renewed_and_the_request_sent_again(
    client: Either, server: ScriptedServer, source: Tokens
) -> None:
    server.on(WHO, DEAD, ME)
    source.next += ["one", "two"]
    assert client.whoami().id == 1
    assert (source.rejected, sent(server)) == ([None, "one"], ["Bearer one", "Bearer two"])
    assert client.client.rate_limiter.in_flight == 0


def test_a_post_that_was_answered_so_was_not_carried_out_and_is_sent_again(
    client: Either, server: ScriptedServer, source: Tokens
) -> None:
    server.on("POST /api/v1/courses/101/content_exports", DEAD, {"json": export_json()})
    source.next += ["one", "two"]
    made: Any = client.create_export(COURSE, ExportRequest(ExportType.COMMON_CARTRIDGE))
    assert made.id == 501
    assert [seen.body for seen in server.seen] == [server.seen[0].body] * 2


def test_one_that_was_replaced_meanwhile_is_not_renewed_again(
    client: Either, server: ScriptedServer, source: Tokens
) -> None:
    source.next += ["one"]

    def replaced(_: object) -> Any:
        source.token = "two"
        return DEAD

    server.on(WHO, {"then": replaced}, ME)
    assert client.whoami().id == 1
    assert source.rejected == [None]


def test_a_source_that_has_no_other_ends_it(client: Either, server: ScriptedServer, source: Tokens) -> None:
    server.on(WHO, DEAD)
    source.next += ["one", "one"]
    with pytest.raises(CredentialError, match="does not accept the token"):
        client.whoami()
    assert len(server.seen) == 1


def test_a_source_that_cannot_get_one_ends_it_with_its_reason(
    client: Either, server: ScriptedServer, source: Tokens
) -> None:
    source.next += [CredentialError("the refresh token is dead")]
    with pytest.raises(CredentialError, match="the refresh token is dead"):
        client.whoami()
    assert server.seen == []


def test_a_source_that_cannot_get_one_now_is_asked_again(
    client: Either, server: ScriptedServer, source: Tokens
) -> None:
    server.on(WHO, ME)
    source.next += [CanvasUnavailableError("maintenance"), "one"]
    assert client.whoami().id == 1
    assert source.rejected == [None, None]


def test_a_post_for_which_there_is_no_token_now_is_not_taken_for_lost(
    client: Either, server: ScriptedServer, source: Tokens
) -> None:
    source.next += [*[CanvasUnavailableError("maintenance")] * 5]
    with pytest.raises(CanvasUnavailableError, match="maintenance") as raised:
        client.create_export(COURSE, ExportRequest(ExportType.COMMON_CARTRIDGE))
    assert type(raised.value) is CanvasUnavailableError
    assert server.seen == []


def test_a_fight_over_a_refresh_token_is_given_up_and_named(
    client: Either, server: ScriptedServer, source: Tokens
) -> None:
    server.on(WHO, DEAD)
    source.next += [*map(str, range(9))]
    with pytest.raises(CredentialError, match="give each its own"):
        client.whoami()
    assert len(server.seen) == 5


def test_a_missing_right_renews_nothing(client: Either, server: ScriptedServer, source: Tokens) -> None:
    server.on(WHO, {"status": 401, "json": {"status": "unauthorized"}})
    source.next += ["one", "two"]
    with pytest.raises(CanvasError):
        client.whoami()
    assert source.rejected == [None]


class Refreshed(Tokens):
    """A source that refreshes with Canvas itself."""

    def __init__(self, canvas: Sandbox, key: DeveloperKey) -> None:
        super().__init__()
        self._origin = Origin.parse(canvas.url)
        self._grant = RefreshGrant(str(key.id), key.secret, canvas.grant(key))
        self._transport = Transport(timeouts=Timeouts(5, 5))

    def renew(self, rejected: str | None) -> None:
        self.rejected.append(rejected)
        self.token = refresh(self._grant, self._origin, self._transport.send).value

    def close(self) -> None:
        self._transport.close()


def test_a_download_whose_token_dies_goes_on_with_the_next() -> None:
    key = DeveloperKey(31)
    with Sandbox([Course(id=101)], developer_keys=[key], switches=Switches(duration=0.0)) as canvas:
        source = Refreshed(canvas, key)
        with closing(source), CanvasClient(canvas.url, source) as client:
            made = client.create_export(COURSE, ExportRequest(ExportType.COMMON_CARTRIDGE))
            while (export := client.show_export(COURSE, made.id)).attachment is None:
                pass
            living = source.token
            source.renew(None)  # another process; the token that we go on with is dead
            source.token, source.rejected = living, []
            size = sum(len(block) for block in client.download(COURSE, export))
        assert size == export.attachment.size
        assert source.rejected == [living]
