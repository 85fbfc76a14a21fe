"""Both listeners: from aiohttp's requests to calls, and from responses back."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlencode

from aiohttp import web

from canvas_sandbox.faults import Effect, RequestFault
from canvas_sandbox.imports.records import MigrationRecord
from canvas_sandbox.records import ExportRecord, RequestRecord
from canvas_sandbox.web.control import ControlEndpoints
from canvas_sandbox.web.fetch_url import Fetcher
from canvas_sandbox.web.http import errors
from canvas_sandbox.web.http.messages import STRING_IDS, Call, Response, render_json
from canvas_sandbox.web.http.multipart import BrokenUploadError, receive
from canvas_sandbox.web.http.params import from_body, from_query, to_query
from canvas_sandbox.web.http.write_response import ResponseWriter
from canvas_sandbox.web.middleware import Middleware
from canvas_sandbox.web.storage.signed_urls import UrlSigner
from canvas_sandbox.web.storage.storage_host import StorageHost
from canvas_sandbox.world import World

_SECRETS = frozenset({"access_token", "verifier", "sf_verifier", "token", "uuid"})


class Server:
    """Answers both hosts, and keeps the request log."""

    def __init__(self, world: World) -> None:
        signer = UrlSigner(world.kernel.seed)
        self.world = world
        self.middleware = Middleware(world, signer)
        self.fetcher = Fetcher(world)
        self._storage = StorageHost(world, signer)
        self._faults: list[RequestFault] = []
        self._records: deque[RequestRecord] = deque(maxlen=world.kernel.switches.record_limit)
        self._count = 0
        self._control = ControlEndpoints(world, self.requests, self.exports, self.migrations, self.inject)
        self._canvas_sender = ResponseWriter(
            lowercase_headers=world.kernel.switches.lowercase_headers,
            server="Apache",
            clock=world.kernel.clock.now,
        )
        self._storage_sender = ResponseWriter(lowercase_headers=False, server="AmazonS3", clock=time.time)

    def requests(self) -> list[RequestRecord]:
        """Return the requests so far, oldest first, without those to the sandbox's own endpoints."""
        with self.world.kernel.lock:
            return [replace(record) for record in self._records]

    def add_record(self, record: RequestRecord) -> int:
        """Add a request to the log and return its number, from 0."""
        self._records.append(record)
        self._count += 1
        return self._count - 1

    def exports(self) -> list[ExportRecord]:
        """Return every export ever created, oldest first."""
        with self.world.kernel.lock:
            self.world.kernel.run_due_jobs()
            return self.world.exports.records()

    def migrations(self) -> list[MigrationRecord]:
        """Return every migration ever created, oldest first."""
        with self.world.kernel.lock:
            self.world.kernel.run_due_jobs()
            return self.world.migrations.records()

    def inject(self, fault: RequestFault) -> None:
        """Add a fault. If several match a request, the one injected first applies."""
        with self.world.kernel.lock:
            self._faults.append(fault)

    async def canvas(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request to the Canvas host."""
        if self.middleware.uploads.expects(request.method, request.path, on_storage=False):
            return await self._upload(request, self._canvas_sender, "canvas")
        call = await self._call(request)
        if call.path.startswith("/sandbox/"):
            with self.world.kernel.lock:
                response = self._control.answer(call)
            return await self._finish(request, call, response, self._canvas_sender, "")
        if self.world.kernel.switches.require_user_agent and not call.headers.get("User-Agent"):
            return await self._finish(request, call, errors.no_user_agent(), self._canvas_sender, "canvas")
        with self.world.kernel.lock:
            refusal = self.middleware.reserve(call)
            fault = self._take_fault(call) if refusal is None else None
        if refusal is None:
            response = await self._answer(call, fault)
        else:
            response = refusal
        with self.world.kernel.lock:
            self.middleware.charge(call, response)
        return await self._finish(request, call, response, self._canvas_sender, "canvas")

    async def _answer(self, call: Call, fault: RequestFault | None) -> Response:
        """Return Canvas's response to a request that passed the throttle, with the effect of a fault."""
        delay = self.world.kernel.switches.latency
        if fault is not None and fault.effect is Effect.DELAY:
            delay += fault.seconds
        if delay > 0:
            await asyncio.sleep(delay)
        with self.world.kernel.lock:
            call.now = self.world.kernel.run_due_jobs()
            response = self._replacement(call, fault) or self.middleware.answer(call)
            self.fetcher.start()
        return (
            response
            if fault is None
            else _apply_fault(_render(call, response), fault, self.world.kernel.switches.slow_rate)
        )

    async def storage(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request to the storage host."""
        if self.middleware.uploads.expects(request.method, request.path, on_storage=True):
            return await self._upload(request, self._storage_sender, "storage")
        call = await self._call(request)
        with self.world.kernel.lock:
            fault = self._take_fault(call)
            response = self._replacement(call, fault) or self._storage.get(call)
        if fault is not None:
            if fault.effect is Effect.DELAY:
                await asyncio.sleep(fault.seconds)
            response = _apply_fault(_render(call, response), fault, self.world.kernel.switches.slow_rate)
        return await self._finish(request, call, response, self._storage_sender, "storage")

    async def _upload(
        self, request: web.BaseRequest, sender: ResponseWriter, listener: str
    ) -> web.StreamResponse:
        """Receive a file of any size. A fault applies in the middle of it, and then nothing is stored."""
        call = await self._call(request, with_body=False)
        with self.world.kernel.lock:
            fault = self._take_fault(call)
            replacement = self._replacement(call, fault)
        store = self.world.migrations.upload_store
        cut = fault is not None and fault.effect is Effect.CUT
        if fault is not None and fault.effect is Effect.DELAY:
            await asyncio.sleep(fault.seconds)
        try:
            if replacement is not None or cut:
                assert fault is not None
                middle = (request.content_length or 0) // 2 if fault.after is None else fault.after
                await receive(request, store, max(1, middle))
                response = replacement or Response(drop=True)
            else:
                received = await receive(request, store)
                assert received is not None
                with self.world.kernel.lock:
                    call.now = self.world.kernel.run_due_jobs()
                    response = self.middleware.uploads.accept(call, received)
        except BrokenUploadError:
            response = Response(400, body=b"")
        if fault is not None and replacement is None and not cut:
            response = _apply_fault(_render(call, response), fault, self.world.kernel.switches.slow_rate)
        return await self._finish(request, call, response, sender, listener)

    async def _call(self, request: web.BaseRequest, *, with_body: bool = True) -> Call:
        path, _, query = request.raw_path.partition("?")
        body = await request.read() if with_body and request.body_exists else b""
        nested = from_query(query)
        params = {**nested, **from_body(body, request.headers.get("Content-Type", ""))} if body else nested
        with self.world.kernel.lock:
            now = self.world.kernel.run_due_jobs()
        base_url = f"http://{request.host}"
        return Call(request.method, path, request.headers, nested, params, base_url, now, body)

    def _take_fault(self, call: Call) -> RequestFault | None:
        return next((fault for fault in self._faults if fault.applies_to(call.method, call.path)), None)

    def _replacement(self, call: Call, fault: RequestFault | None) -> Response | None:
        """Return the response that a fault gives in place of the real one, before any effect."""
        if fault is None:
            return None
        world = self.world
        responses: dict[Effect, Callable[[], Response]] = {
            Effect.REFUSED: lambda: Response(drop=True),
            Effect.THROTTLED: lambda: errors.throttled(world.kernel.switches),
            Effect.SERVER_ERROR: lambda: errors.crashed(next(world.kernel.error_reports)).response,
            Effect.MAINTENANCE: errors.maintenance,
            Effect.BAD_REQUEST_PAGE: errors.storage_object_gone,
            Effect.FORBIDDEN_PAGE: errors.firewall,
            Effect.ERROR_PAGE: errors.broken,
            Effect.NOT_FOUND: lambda: errors.not_found().response,
            Effect.DENIED: lambda: errors.denied(world.kernel.switches).response,
            Effect.GRAPHQL_ERRORS: errors.graphql_errors,
            Effect.BAD_TOKEN: lambda: errors.bad_token().response,
            Effect.LOGIN_PAGE: lambda: errors.login_redirect(call.base_url),
        }
        make = responses.get(Effect(fault.effect))
        return make() if make else None

    async def _finish(
        self, request: web.BaseRequest, call: Call, response: Response, sender: ResponseWriter, listener: str
    ) -> web.StreamResponse:
        record = RequestRecord(
            time=call.now,
            method=call.method,
            path=call.path,
            query=_without_credentials(call) if listener == "canvas" else "",
            status=0 if response.drop else response.status,
            bytes=0,
            user_agent=call.headers.get("User-Agent", ""),
            had_authorization="Authorization" in call.headers,
            listener=listener,
        )
        if not listener:
            return await sender.send(request, _render(call, response), record)
        with self.world.kernel.lock:
            number = self.add_record(record)
            self.world.kernel.log_event("request", **vars(record))
        try:
            return await sender.send(request, _render(call, response), record)
        finally:
            if record.bytes:
                with self.world.kernel.lock:
                    self.world.kernel.log_event("sent", request=number, bytes=record.bytes)


def _without_credentials(call: Call) -> str:
    """Return the query without credentials."""
    if not call.query:
        return ""
    return urlencode(to_query({key: value for key, value in call.query.items() if key not in _SECRETS}))


def _render(call: Call, response: Response) -> Response:
    """Return the response with its data as JSON."""
    if response.data is None:
        return response
    string_ids = STRING_IDS in call.headers.get("Accept", "")
    return replace(response, data=None, body=render_json(response.data, string_ids=string_ids))


def _apply_fault(response: Response, fault: RequestFault, slow_rate: float) -> Response:
    """Return a rendered response with the effect of a fault on its way out."""
    after = response.length // 2 if fault.after is None else fault.after
    changed: dict[Effect, Callable[[], Response]] = {
        Effect.LOST_ANSWER: lambda: replace(response, drop=True),
        Effect.HIDDEN_ANSWER: errors.firewall,
        Effect.WRONG_SHAPE: lambda: replace(response, body=_other_shape(response.body)),
        Effect.CUT: lambda: replace(response, cut_after=after),
        Effect.SLOW: lambda: replace(response, rate=slow_rate),
        Effect.TRUNCATED: lambda: _truncated(response, after),
        Effect.GARBLED: lambda: _truncated(response, after),
    }
    change = changed.get(Effect(fault.effect))
    return change() if change else response


def _truncated(response: Response, length: int) -> Response:
    return replace(
        response, package=response.package and response.package.part(0, length), body=response.body[:length]
    )


def _other_shape(body: bytes) -> bytes:
    """Return JSON with the same names, in which lists are objects, objects are lists, and values have other types."""

    def other(value: object) -> object:
        if isinstance(value, dict):
            return {
                name: _OTHERS[type(each)] if type(each) in _OTHERS else other(each)
                for name, each in value.items()
            }
        return (
            {str(number): other(each) for number, each in enumerate(value)}
            if isinstance(value, list)
            else value
        )

    return json.dumps(other(json.loads(body))).encode()


_OTHERS: dict[type, object] = {str: 7, int: "seven", float: "seven", bool: [], type(None): "nothing"}
