"""Call the Canvas API from workers: blocking, over ``urllib3``, safe between threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Any, TypeVar

from canvas_exports.core.canvas.api import endpoints
from canvas_exports.core.canvas.api.course_filters import CourseFilters
from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.api.graphql import GraphQLQuery, GraphQLResult, graphql
from canvas_exports.core.canvas.api.migrations import (
    ContentMigration,
    MigrationIssue,
    MigrationRequest,
    PackageFile,
    UploadTicket,
)
from canvas_exports.core.canvas.api.models import (
    Attachment,
    ContentExport,
    ContentListItem,
    Course,
    Progress,
    User,
)
from canvas_exports.core.canvas.files.download import Download
from canvas_exports.core.canvas.files.parallel_ranges import BlockMemory
from canvas_exports.core.canvas.files.remote_package import RemotePackage, open_package
from canvas_exports.core.canvas.files.upload import Block, upload_flow
from canvas_exports.core.canvas.http.blocking_calls import FlowRunner, StopSignal
from canvas_exports.core.canvas.http.flow import call_flow
from canvas_exports.core.canvas.http.pagination import Pagination
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter
from canvas_exports.core.canvas.http.session import open_session
from canvas_exports.core.canvas.http.token_source import TokenSource
from canvas_exports.core.canvas.http.transports.timeouts import Timeouts
from canvas_exports.core.canvas.http.transports.transport import Transport
from canvas_exports.core.model.contexts import Context
from canvas_exports.errors import DownloadError

T = TypeVar("T")


class CanvasClient:
    """One Canvas, as one token sees it.

    Every method raises ``CredentialError``, ``PermissionDeniedError``, ``NotFoundError`` or ``BadRequestError`` at
    once, and the retryable ``CanvasUnavailableError``, ``UnexpectedResponseError`` and ``ThrottledError`` only after bounded
    retries. Refusals for the rate limit are waited out for up to a quarter of an hour.

    The token is sent to the host only. Proxies and certificate authorities are read from the environment (``HTTPS_PROXY``,
    ``NO_PROXY``, ``REQUESTS_CA_BUNDLE``); ``.netrc`` and cookies never are.

    Args:
        host: ``canvas.example.edu`` or with scheme and port; ``http`` only where it is spelt out.
        token: an access token of Canvas, or a source of them.
        rate_limiter: paces the requests; by default the one this process shares for the host and token.
        verify: ``True``, ``False`` (never in production), or the file of a certificate authority.
        connect_timeout: seconds until a connection must stand.
        read_timeout: seconds without a byte after which a connection counts as broken. A response may take twice as long in
            all, a package as long as bytes arrive.
        attempts: how often a request that may be repeated is sent at most.
        clock: seconds from any start, never going back.
        sleep: waits so many seconds, instead of a wait that ``stop`` can end.

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
        sleep: Callable[[float], Any] | None = None,
    ) -> None:
        self._session = open_session(host, token, rate_limiter=rate_limiter, attempts=attempts, clock=clock)
        self._transport = Transport(verify=verify, timeouts=Timeouts(connect_timeout, read_timeout))
        self._runner = FlowRunner(self._session, self._transport, StopSignal(sleep))

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

    def whoami(self) -> User:
        """Return the token's user. ``GET /api/v1/users/self``."""
        return self._runner.run(call_flow(endpoints.whoami(), self._session))

    def account_permissions(self, account: str | int, permissions: Iterable[str]) -> dict[str, bool]:
        """Return which permissions the token's user has in an account. ``GET /api/v1/accounts/:account_id/permissions``.

        Permissions about which Canvas returns nothing are left out.

        Raises:
            PermissionDeniedError: the user has no role in the account, and teaches in no course of it (permanent).
        """
        endpoint = endpoints.account_permissions(account, permissions)
        return self._runner.run(call_flow(endpoint, self._session))

    def identify(self) -> User:
        """Return the token's user, and check that the host is a Canvas. ``GET /api/v1/users/self``.

        Raises:
            UnexpectedResponseError: another server answers there.
        """
        return self._runner.run(call_flow(endpoints.identify(), self._session))

    def course(self, context: Context) -> Course:
        """Return a course, with its term. ``GET /api/v1/courses/:id``.

        A deleted course raises ``NotFoundError``.
        """
        return self._runner.run(call_flow(endpoints.course(context), self._session))

    def resolve(self, context: Context) -> int:
        """Return the numeric id of a context given by a SIS id or ``self``. ``GET /api/v1/{courses,groups,users}/:id``."""
        return self._runner.run(call_flow(endpoints.resolve(context), self._session))

    def account_courses(
        self, account: str, filters: CourseFilters | None = None, *, updated_at: bool = False
    ) -> Iterator[Course]:
        """Yield the courses of an account and its sub-accounts, page by page. ``GET /api/v1/accounts/:id/courses``.

        Args:
            account: a number, ``self``, ``default``, ``site_admin`` or ``sis_account_id:...``.
            filters: which courses; by default all that are not deleted.
            updated_at: ask for ``updated_at`` of the courses as well, which not every Canvas returns.
        """
        return self._paginate(
            endpoints.account_courses(
                self._session.origin, account, filters or CourseFilters(), updated_at=updated_at
            )
        )

    def graphql(self, query: GraphQLQuery) -> GraphQLResult:
        """Send a GraphQL query, which must not change anything. ``POST /api/graphql``.

        Errors that Canvas returns with status 200 are in the result: beside the data, or in its place.

        Raises:
            UnexpectedResponseError: the response is not one of GraphQL.
        """
        return self._runner.run(call_flow(graphql(query), self._session))

    def content_list(self, course: Context, type: str | None = None) -> list[ContentListItem]:  # noqa: A002 -- Canvas's word
        """Return the objects that can be selected in a course. ``GET /api/v1/courses/:course_id/content_list``.

        Args:
            course: the course.
            type: return the objects of this type; without it, the types.
        """
        return list(self._paginate(endpoints.content_list(self._session.origin, course, type)))

    def list_exports(self, context: Context, *, per_page: int = 100) -> Iterator[ContentExport]:
        """Yield the past and pending exports that this token may list, newest first, page by page.

        ``GET /api/v1/{courses,groups,users}/:id/content_exports``. An export in the list may still be denied to ``show_export``.

        Args:
            context: the course, group or user.
            per_page: rows per request, 1 to 100.
        """
        return self._paginate(endpoints.list_exports(self._session.origin, context, per_page))

    def show_export(self, context: Context, export_id: int) -> ContentExport:
        """Return one export. ``GET /api/v1/{courses,groups,users}/:id/content_exports/:id``."""
        return self._runner.run(call_flow(endpoints.show_export(context, export_id), self._session))

    def create_export(self, context: Context, request: ExportRequest) -> ContentExport:
        """Create an export. ``POST /api/v1/{courses,groups,users}/:id/content_exports``.

        Canvas starts a new job for every POST, also while another one runs. So the POST is repeated only where Canvas certainly
        did nothing: it refused for its rate limit, or there was no connection.

        Raises:
            InputError: a combination that Canvas refuses; nothing was sent.
            ResponseLostError: sent, but it is not known whether it took effect. Look in ``list_exports``.
        """
        return self._runner.run(call_flow(endpoints.create_export(context, request), self._session))

    def syllabus(self, course: Context) -> str:
        """Return the text of a course's syllabus; empty where it has none. ``GET /api/v1/courses/:id``."""
        return self._runner.run(call_flow(endpoints.syllabus(course), self._session))

    def root_folder(self, course: Context) -> int:
        """Return the id of the folder that holds all files of a course. ``GET /api/v1/courses/:course_id/folders/root``."""
        return self._runner.run(call_flow(endpoints.root_folder(course), self._session))

    def create_migration(self, course: Context, request: MigrationRequest) -> ContentMigration:
        """Create the import of a package. ``POST /api/v1/courses/:course_id/content_migrations``.

        With a file, Canvas waits for its upload; with a URL, it begins at once. Canvas may refuse with status 200, such as for a
        quota; ``refusal`` then holds the reason. As with exports, the POST is repeated only where Canvas certainly did nothing.

        Raises:
            ResponseLostError: sent, but it is not known whether it took effect. Look in ``list_migrations``.
        """
        return self._runner.run(call_flow(endpoints.create_migration(course, request), self._session))

    def upload_again(self, course: Context, migration_id: int, file: PackageFile) -> ContentMigration:
        """Get a new ticket for the upload of a migration. ``PUT /api/v1/courses/:course_id/content_migrations/:id``.

        Only for a migration that still waits for its file. Canvas deletes the issues of the first try.
        """
        return self._runner.run(call_flow(endpoints.upload_again(course, migration_id, file), self._session))

    def upload(self, ticket: UploadTicket, file: PackageFile, blocks: Iterable[Block]) -> None:
        """Upload a file to the storage that Canvas names, in the memory of one block. ``POST`` of the ticket's URL, once.

        An error of the blocks reaches the caller unchanged, and the upload is left without its end, so storage never has a whole
        file.

        Args:
            ticket: from ``create_migration`` or ``upload_again``; it is valid for half an hour.
            file: the name and size that were announced to Canvas.
            blocks: the bytes.

        Raises:
            UploadError: the upload failed; ask ``show_migration`` before trying again.
            BadRequestError: Canvas gives a reason why it does not take the file (permanent).
        """
        self._runner.run(upload_flow(self._session, ticket, file, blocks))

    def list_migrations(self, course: Context) -> Iterator[ContentMigration]:
        """Yield the past and pending imports of a course. ``GET /api/v1/courses/:course_id/content_migrations``."""
        return self._paginate(endpoints.list_migrations(self._session.origin, course))

    def show_migration(self, course: Context, migration_id: int) -> ContentMigration:
        """Return one import. ``GET /api/v1/courses/:course_id/content_migrations/:id``.

        Canvas fails an import on this request if its upload began more than an hour ago.
        """
        return self._runner.run(call_flow(endpoints.show_migration(course, migration_id), self._session))

    def migration_issues(self, course: Context, migration_id: int) -> Iterator[MigrationIssue]:
        """Yield the issues that Canvas noted during an import, page by page.

        ``GET /api/v1/courses/:course_id/content_migrations/:content_migration_id/migration_issues``.
        """
        return self._paginate(endpoints.migration_issues(self._session.origin, course, migration_id))

    def progress(self, progress_id: int) -> Progress:
        """Return the progress of a job. ``GET /api/v1/progress/:id``. It is ``completed`` before the package is available."""
        return self._runner.run(call_flow(endpoints.progress(progress_id), self._session))

    def download(
        self, context: Context, export: ContentExport, memory: BlockMemory | None = None, connections: int = 1
    ) -> Iterator[memoryview]:
        """Yield the package of an export in blocks of at most 1 MiB. ``GET`` of the attachment's URL.

        A block is valid until the next one is asked for. Broken connections are resumed where storage supports it, expired
        links are replaced. The length is checked against Canvas and storage, the content is not: that is for the proof. Closing
        the iterator closes the connection.

        Args:
            context: the context of the export.
            export: the export, as Canvas shows it.
            memory: memory for the blocks. Without it, one buffer is filled again and again.
            connections: to storage at once, for a package of more than 256 MiB whose storage serves ranges of the same ETag.
                Only with a memory that has several blocks; the blocks that are yielded are then as large as these.

        Raises:
            DownloadError: no package, a login page, or bounded attempts failed. With ``restart`` set, the blocks so far are
                useless, and a new download may begin at once.
            CanvasError: asking Canvas for a new link failed.
        """
        with _with_export(context, export):
            yield from self._download(context, export).blocks(memory, connections)

    def open_package(self, context: Context, export: ContentExport) -> RemotePackage | None:
        """Open a package for random access, and read its end. ``GET`` of the attachment's URL, then of a range.

        Returns:
            The package; ``None`` where its storage does not serve ranges with a strong ``ETag``.

        Raises:
            DownloadError: as ``download``.
            CanvasError: asking Canvas for a new link failed.
        """
        with _with_export(context, export):
            download = self._download(context, export)
            return open_package(download, download.size)

    def _download(self, context: Context, export: ContentExport) -> Download:
        def refresh(runner: FlowRunner) -> Attachment:
            attachment = runner.run(
                call_flow(endpoints.show_export(context, export.id), self._session)
            ).attachment
            if attachment is None or not attachment.url:
                raise DownloadError(
                    "Canvas offers no package: it has expired, is locked, or was never saved; export again"
                )
            return attachment

        attachment = (
            export.attachment if export.attachment and export.attachment.url else refresh(self._runner)
        )
        return Download(self._session, attachment, runner=self._runner, refresh=refresh)

    def stop(self) -> None:
        """Stop all waits and downloads of this client, in all threads, for good.

        They raise ``Stopped``, and so does every later call. Requests that were sent are not taken back. May be called from a
        signal handler.
        """
        self._runner.stop_signal.stop()

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()

    def __enter__(self) -> CanvasClient:  # noqa: PYI034 -- typing.Self needs Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"CanvasClient({self.host!r})"

    def _paginate(self, pagination: Pagination[T]) -> Iterator[T]:
        while pagination.next_page is not None:
            yield from pagination.new_rows(self._runner.run(call_flow(pagination.next_page, self._session)))


@contextmanager
def _with_export(context: Context, export: ContentExport) -> Iterator[None]:
    """Note the context and the export on an error of a download."""
    try:
        yield
    except DownloadError as error:
        error.context, error.export_id = str(context), export.id
        raise
