"""HTTP in virtual time: the product's own requests, answered by the sandbox's own endpoints behind its own rate limit.

Only sockets are left out. A request takes the latency of the campus, and a GraphQL query as many seconds more as it costs. It
pays into the bucket of its token, and is carried out as the product's flow says: paced by its rate limiter, waited out and
repeated.
"""

from __future__ import annotations

import asyncio
import queue
import random
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime, timezone
from email.utils import format_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from benchmarks.campus_server import SECOND, SECOND_PER_SECOND
from benchmarks.virtual_canvas import VirtualCanvas
from canvas_exports.core.canvas.api import endpoints
from canvas_exports.core.canvas.api.course_filters import CourseFilters
from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.api.graphql import GraphQLQuery, GraphQLResult, graphql
from canvas_exports.core.canvas.api.models import ContentExport, Course, Progress, User
from canvas_exports.core.canvas.http.async_rate_limiter import AsyncRateLimiter
from canvas_exports.core.canvas.http.flow import (
    AcquireSlot,
    Flow,
    Send,
    Step,
    StepResult,
    Wait,
    call_flow,
    send_flow,
)
from canvas_exports.core.canvas.http.messages import PreparedRequest, Response, lower_case
from canvas_exports.core.canvas.http.origin import Origin
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter
from canvas_exports.core.canvas.http.session import CanvasSession
from canvas_exports.core.canvas.http.token_source import StaticToken
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.errors import CanvasError
from canvas_sandbox.web.http.messages import Call, render_json
from canvas_sandbox.web.http.messages import Response as Answer
from canvas_sandbox.web.http.params import from_body, from_query
from canvas_sandbox.web.middleware import Middleware
from canvas_sandbox.web.storage.signed_urls import UrlSigner

T = TypeVar("T")

BASE = "http://canvas.test"
GRAPHQL = "/api/graphql"
_REQUEST = ExportRequest(ExportType.COMMON_CARTRIDGE)


class VirtualHost:
    """Answers requests as the sandbox's server does, in virtual time.

    Attributes:
        requests: how many came for each method and path.
        refusals: how many were refused for the rate limit, of ours and of the second client.
    """

    def __init__(self, canvas: VirtualCanvas, latency: float) -> None:
        self._canvas = canvas
        self._latency = latency
        self._middleware = Middleware(canvas.world, UrlSigner(canvas.world.kernel.seed))
        self.token = canvas.world.token_of["admin"]
        self.requests: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()

    async def send(self, prepared: PreparedRequest) -> Response:
        """Answer one request."""
        parts = urlsplit(prepared.url)
        self.requests[f"{prepared.method} {parts.path}"] += 1
        answer = await self._answer(self._call(prepared.method, parts.path, parts.query, prepared))
        if answer.throttled:
            self.refusals["ours"] += 1
        body = answer.body if answer.data is None else render_json(answer.data)
        date = format_datetime(datetime.fromtimestamp(self._canvas.moment, timezone.utc), usegmt=True)
        headers = {**answer.headers, "Date": date, "Content-Type": answer.content_type}
        return Response(answer.status, lower_case(headers.items()), body)

    async def second_client(self) -> None:
        """Use half of the same token's budget, as ``benchmarks.second_client`` does, until cancelled."""
        headers = {"Authorization": f"Bearer {self.token}", "User-Agent": "second-client"}
        while True:
            await asyncio.sleep(1 / SECOND_PER_SECOND - self._latency)
            call = Call("GET", SECOND, headers, {}, {}, BASE, self._canvas.moment)
            refused = self._middleware.reserve(call)
            self.refusals["second"] += refused is not None
            await asyncio.sleep(self._latency)
            call.now = self._canvas.moment
            self._middleware.charge(call, refused or Answer())

    def _call(self, method: str, path: str, query: str, prepared: PreparedRequest) -> Call:
        nested, body = from_query(query), prepared.body or b""
        params = {**nested, **from_body(body, prepared.headers.get("Content-Type", ""))}
        self._canvas.settle()
        return Call(method, path, prepared.headers, nested, params, BASE, self._canvas.moment, body)

    async def _answer(self, call: Call) -> Answer:
        answer = self._middleware.reserve(call)
        await asyncio.sleep(self._latency)
        self._canvas.settle()
        call.now = self._canvas.moment
        if answer is None:
            answer = self._middleware.answer(call)
            if answer.cost is not None:  # of GraphQL: the seconds of processor and database
                await asyncio.sleep(answer.cost)
                call.now = self._canvas.moment
        self._middleware.charge(call, answer)
        return answer


class VirtualClient:
    """The calls of the product's asynchronous client, in virtual time. One stands for one process.

    Parameters:
        canvas: the Canvas, and the clock.
        host: answers the requests.
        seed: of what spreads the requests.
    """

    def __init__(self, canvas: VirtualCanvas, host: VirtualHost, seed: int) -> None:
        jitter = random.Random(seed).random  # noqa: S311 - nothing secret
        self._host = host
        self._turns = AsyncRateLimiter()
        limiter = RateLimiter(clock=canvas.now, jitter=jitter)
        self._session = CanvasSession(
            Origin.parse(BASE), StaticToken(host.token), limiter, clock=canvas.now, jitter=jitter
        )

    def server_now(self) -> datetime:
        """Canvas's time."""
        return self._session.now()

    async def whoami(self) -> User:
        """``GET /api/v1/users/self``."""
        return await self._run(call_flow(endpoints.whoami(), self._session))

    async def account_courses(self, account: str, *, updated_at: bool) -> AsyncIterator[Course]:
        """``GET /api/v1/accounts/:id/courses``."""
        pages = endpoints.account_courses(
            self._session.origin, account, CourseFilters(), updated_at=updated_at
        )
        while pages.next_page is not None:
            for row in pages.new_rows(await self._run(call_flow(pages.next_page, self._session))):
                yield row

    async def graphql(self, query: GraphQLQuery) -> GraphQLResult:
        """``POST /api/graphql``."""
        return await self._run(call_flow(graphql(query), self._session))

    async def create_export(self, context: Context) -> ContentExport:
        """``POST .../content_exports``."""
        return await self._run(call_flow(endpoints.create_export(context, _REQUEST), self._session))

    async def progress(self, progress_id: int) -> Progress:
        """``GET /api/v1/progress/:id``."""
        return await self._run(call_flow(endpoints.progress(progress_id), self._session))

    async def show_export(self, context: Context, export_id: int) -> ContentExport:
        """``GET .../content_exports/:id``."""
        return await self._run(call_flow(endpoints.show_export(context, export_id), self._session))

    async def download(self, url: str) -> None:
        """Ask for a package, and leave it where Canvas redirects to."""
        prepared = PreparedRequest("GET", url, self._session.headers(accept="*/*"))
        await self._run(send_flow(prepared, self._session))

    async def _run(self, flow: Flow[T]) -> T:
        result: StepResult = None
        try:
            while True:
                result = await self._perform(flow.send(result))
        except StopIteration as end:
            value: T = end.value
            return value

    async def _perform(self, step: Step) -> StepResult:
        if isinstance(step, Send):
            return await self._host.send(step.prepared)
        if isinstance(step, AcquireSlot):
            await self._turns.acquire(self._session.rate_limiter, asyncio.sleep)
        elif isinstance(step, Wait):
            await asyncio.sleep(step.seconds)
        else:
            raise CanvasError("the token of a virtual night is never renewed")
        return None


class Blocking:
    """Runs the product's blocking code in virtual time: in a thread, whose requests the loop carries out.

    The loop stands still while the thread works, and the thread while the loop carries out a request; so nothing depends on
    how busy the machine is.
    """

    def __init__(self, client: VirtualClient) -> None:
        self._client = client
        self._asked: queue.SimpleQueue[Callable[[], Awaitable[Any]] | None] = queue.SimpleQueue()
        self._answered: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()

    async def run(self, work: Callable[[], T]) -> T:
        """Run ``work``, which may use the methods below."""
        results: list[T] = []
        errors: list[BaseException] = []

        def worked() -> None:
            try:
                results.append(work())
            except BaseException as error:  # noqa: BLE001 - raised where the work was asked for
                errors.append(error)
            finally:
                self._asked.put(None)

        thread = threading.Thread(target=worked, daemon=True)
        thread.start()
        while (request := self._asked.get()) is not None:
            self._answered.put(await _outcome(request))
        thread.join()
        if errors:
            raise errors[0]
        return results[0]

    def server_now(self) -> datetime:
        """Canvas's time."""
        return self._client.server_now()

    def graphql(self, query: GraphQLQuery) -> GraphQLResult:
        """``POST /api/graphql``."""
        return self._ask(lambda: self._client.graphql(query))

    def account_courses(self, account: str, *, updated_at: bool) -> Iterator[Course]:
        """``GET /api/v1/accounts/:id/courses``, page by page."""
        rows = self._client.account_courses(account, updated_at=updated_at)
        while (row := self._ask(lambda: anext(rows, None))) is not None:
            yield row

    def _ask(self, request: Callable[[], Awaitable[T]]) -> T:
        self._asked.put(request)
        value, error = self._answered.get()
        if error is not None:
            raise error
        result: T = value
        return result


async def _outcome(request: Callable[[], Awaitable[Any]]) -> tuple[Any, BaseException | None]:
    try:
        return await request(), None
    except CanvasError as error:
        return None, error
