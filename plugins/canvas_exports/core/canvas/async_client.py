"""Call the Canvas API from triggers: asynchronous, over ``aiohttp``, on an event loop shared with other triggers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from types import TracebackType
from typing import Any, TypeVar

from canvas_exports.core.canvas.api import endpoints
from canvas_exports.core.canvas.api.course_filters import CourseFilters
from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.api.migrations import ContentMigration, MigrationIssue
from canvas_exports.core.canvas.api.models import ContentExport, ContentListItem, Course, Progress, User
from canvas_exports.core.canvas.http.async_rate_limiter import AsyncRateLimiter, shared_async_rate_limiter
from canvas_exports.core.canvas.http.flow import AcquireSlot, Flow, Send, Step, StepResult, Wait, call_flow
from canvas_exports.core.canvas.http.pagination import Pagination
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter
from canvas_exports.core.canvas.http.session import open_session
from canvas_exports.core.canvas.http.token_source import TokenSource
from canvas_exports.core.canvas.http.transports.async_transport import AsyncTransport
from canvas_exports.core.canvas.http.transports.timeouts import Timeouts
from canvas_exports.core.model.contexts import Context
from canvas_exports.errors import CanvasError

T = TypeVar("T")


class AsyncCanvasClient:
    """One Canvas, as one token sees it: the calls of ``CanvasClient`` that move no packages, with the same contracts.

    Every method raises ``CredentialError``, ``PermissionDeniedError``, ``NotFoundError`` or ``BadRequestError`` at once, and the
    retryable ``CanvasUnavailableError``, ``UnexpectedResponseError`` and ``ThrottledError`` only after bounded retries. Refusals
    for the rate limit are waited out for up to a quarter of an hour.

    Workers download and upload packages, so that the event loop of all triggers is not blocked. Connections are opened at the
    first request, and a client belongs to the loop of that request.

    Args:
        host: as for ``CanvasClient``.
        token: as for ``CanvasClient``.
        rate_limiter: as for ``CanvasClient``; both clients of a process share one.
        verify: as for ``CanvasClient``.
        connect_timeout: seconds until a connection must stand.
        read_timeout: seconds without a byte after which a connection counts as broken; a response may take twice as long.
        attempts: how often a request that may be repeated is sent at most.
        clock: seconds from any start, never going back.
        sleep: waits so many seconds.

    Raises:
        InputError: the host or the token is malformed, or ``verify`` names no file.
    """

    def __init__(
        self,
        host: str,
        token: str | TokenSource,
        *,
        rate_limiter: RateLimiter | None = None,
        verify: bool | str = True,
        connect_timeout: float = Timeouts.connect,
        read_timeout: float = Timeouts.read,
        attempts: int = 5,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
    ) -> None:
        self._session = open_session(host, token, rate_limiter=rate_limiter, attempts=attempts, clock=clock)
        self._transport = AsyncTransport(verify=verify, timeouts=Timeouts(connect_timeout, read_timeout))
        self._sleep = sleep
        self._turns: AsyncRateLimiter | None = None

    @property
    def host(self) -> str:
        """Return ``https://canvas.example.edu``, without a trailing slash; safe to log."""
        return str(self._session.origin)

    @property
    def rate_limiter(self) -> RateLimiter:
        """Return the rate limiter of all requests of this client."""
        return self._session.rate_limiter

    def server_now(self) -> datetime:
        """Return Canvas's time in UTC: our clock, corrected by the last ``Date`` header."""
        return self._session.now()

    async def whoami(self) -> User:
        """Return the token's user. ``GET /api/v1/users/self``."""
        return await self._run(call_flow(endpoints.whoami(), self._session))

    async def course(self, context: Context) -> Course:
        """Return a course, with its term. ``GET /api/v1/courses/:id``."""
        return await self._run(call_flow(endpoints.course(context), self._session))

    async def resolve(self, context: Context) -> int:
        """Return the numeric id of a context. ``GET /api/v1/{courses,groups,users}/:id``."""
        return await self._run(call_flow(endpoints.resolve(context), self._session))

    def account_courses(self, account: str, filters: CourseFilters | None = None) -> AsyncIterator[Course]:
        """Yield the courses of an account and its sub-accounts. ``GET /api/v1/accounts/:id/courses``."""
        return self._paginate(
            endpoints.account_courses(self._session.origin, account, filters or CourseFilters())
        )

    async def content_list(self, course: Context, type: str | None = None) -> list[ContentListItem]:  # noqa: A002 -- Canvas's word
        """Return the objects that can be selected in a course. ``GET /api/v1/courses/:course_id/content_list``."""
        return [
            item async for item in self._paginate(endpoints.content_list(self._session.origin, course, type))
        ]

    def list_exports(self, context: Context, *, per_page: int = 100) -> AsyncIterator[ContentExport]:
        """Yield exports, newest first. ``GET /api/v1/{courses,groups,users}/:id/content_exports``."""
        return self._paginate(endpoints.list_exports(self._session.origin, context, per_page))

    async def show_export(self, context: Context, export_id: int) -> ContentExport:
        """Return one export. ``GET /api/v1/{courses,groups,users}/:id/content_exports/:id``."""
        return await self._run(call_flow(endpoints.show_export(context, export_id), self._session))

    async def create_export(self, context: Context, request: ExportRequest) -> ContentExport:
        """Create an export. ``POST /api/v1/{courses,groups,users}/:id/content_exports``.

        Raises:
            InputError: a combination that Canvas refuses; nothing was sent.
            ResponseLostError: sent, but it is not known whether it took effect. Look in ``list_exports``.
        """
        return await self._run(call_flow(endpoints.create_export(context, request), self._session))

    async def show_migration(self, course: Context, migration_id: int) -> ContentMigration:
        """Return one import. ``GET /api/v1/courses/:course_id/content_migrations/:id``."""
        return await self._run(call_flow(endpoints.show_migration(course, migration_id), self._session))

    def migration_issues(self, course: Context, migration_id: int) -> AsyncIterator[MigrationIssue]:
        """Yield the issues that Canvas noted during an import.

        ``GET /api/v1/courses/:course_id/content_migrations/:content_migration_id/migration_issues``.
        """
        return self._paginate(endpoints.migration_issues(self._session.origin, course, migration_id))

    async def progress(self, progress_id: int) -> Progress:
        """Return the progress of a job. It is ``completed`` before the package is available. ``GET /api/v1/progress/:id``."""
        return await self._run(call_flow(endpoints.progress(progress_id), self._session))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.close()

    async def __aenter__(self) -> AsyncCanvasClient:  # noqa: PYI034 -- typing.Self needs Python 3.11
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"AsyncCanvasClient({self.host!r})"

    async def _paginate(self, pagination: Pagination[T]) -> AsyncIterator[T]:
        while pagination.next_page is not None:
            for row in pagination.new_rows(await self._run(call_flow(pagination.next_page, self._session))):
                yield row

    async def _run(self, flow: Flow[T]) -> T:
        result: StepResult = None
        try:
            while True:
                result = await self._perform(flow.send(result))
        except StopIteration as end:
            value: T = end.value
            return value
        finally:
            flow.close()

    async def _perform(self, step: Step) -> StepResult:
        if isinstance(step, Send):
            return await self._transport.send(step.prepared)
        if isinstance(step, AcquireSlot):
            if self._turns is None:
                self._turns = shared_async_rate_limiter(self._session.rate_limiter)
            await self._turns.acquire(self._session.rate_limiter, self._sleep)
            return None
        if isinstance(step, Wait):
            await self._sleep(step.seconds)
            return None
        try:
            await self._session.tokens.arenew(step.rejected)
        except CanvasError as error:
            return error
        return None
