"""The Canvas API for workers: blocking, on ``urllib3``, safe between threads."""

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
from canvas_exports.core.canvas.files.parallel_ranges import Space
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
    once, and the retryable ``CanvasUnavailableError``, ``UnexpectedAnswerError`` and ``ThrottledError`` only after
    bounded repetition. Throttle refusals are waited out for up to a quarter of an hour.

    The token goes to the host only. Proxies and certificate authorities are taken from the environment
    (``HTTPS_PROXY``, ``NO_PROXY``, ``REQUESTS_CA_BUNDLE``); ``.netrc`` and cookies never are.

    Args:
        host: ``canvas.example.edu`` or with scheme and port; ``http`` only where it is spelt out.
        token: an access token of Canvas, or where to get one.
        rate_limiter: paces the requests; by default the one this process shares for the host and token.
        verify: ``True``, ``False`` (never in production), or the file of a certificate authority.
        connect_timeout: seconds until a connection must stand.
        read_timeout: seconds without a byte after which a connection counts as broken; an answer may take twice as long
            in all, a package as long as something comes.
        attempts: how often a request that may be repeated is sent at most.
        clock: seconds from any start, never going back.
        sleep: waits so many seconds, in place of a wait that ``stop`` can end.

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
        """``https://canvas.example.edu``, without a trailing slash; safe to log."""
        return str(self._session.origin)

    @property
    def rate_limiter(self) -> RateLimiter:
        """The rate limiter of all requests of this client."""
        return self._session.rate_limiter

    def server_now(self) -> datetime:
        """Canvas's time (UTC): our clock, corrected by the last answer's ``Date``."""
        return self._session.now()

    def whoami(self) -> User:
        """The token's user. ``GET /api/v1/users/self``."""
        return self._runner.run(call_flow(endpoints.whoami(), self._session))

    def identify(self) -> User:
        """The token's user, of a host that is a Canvas. ``GET /api/v1/users/self``.

        Raises:
            UnexpectedAnswerError: some other server answers there.
        """
        return self._runner.run(call_flow(endpoints.identify(), self._session))

    def course(self, context: Context) -> Course:
        """Identity of a course, with its term. ``GET /api/v1/courses/:id``.

        A deleted course is ``NotFoundError``.
        """
        return self._runner.run(call_flow(endpoints.course(context), self._session))

    def resolve(self, context: Context) -> int:
        """The numeric id of a context named by a SIS id or ``self``. ``GET /api/v1/{courses,groups,users}/:id``."""
        return self._runner.run(call_flow(endpoints.resolve(context), self._session))

    def account_courses(self, account: str, filters: CourseFilters | None = None) -> Iterator[Course]:
        """Courses of an account and its sub-accounts, page by page. ``GET /api/v1/accounts/:id/courses``.

        Args:
            account: a number, ``self``, ``default``, ``site_admin`` or ``sis_account_id:...``.
            filters: which courses; by default all that are not deleted.
        """
        return self._paginate(
            endpoints.account_courses(self._session.origin, account, filters or CourseFilters())
        )

    def content_list(self, course: Context, type: str | None = None) -> list[ContentListItem]:  # noqa: A002 -- Canvas's word
        """What can be selected in a course. ``GET /api/v1/courses/:course_id/content_list``.

        Args:
            course: the course.
            type: list the items of this type; without it, the types.
        """
        return list(self._paginate(endpoints.content_list(self._session.origin, course, type)))

    def list_exports(self, context: Context, *, per_page: int = 100) -> Iterator[ContentExport]:
        """Past and pending exports this token may see, newest first, page by page as they are asked for.

        ``GET /api/v1/{courses,groups,users}/:id/content_exports``. Being listed does not mean that ``show_export``
        is allowed.

        Args:
            context: the course, group or user.
            per_page: rows per request, 1 to 100.
        """
        return self._paginate(endpoints.list_exports(self._session.origin, context, per_page))

    def show_export(self, context: Context, export_id: int) -> ContentExport:
        """One export. ``GET /api/v1/{courses,groups,users}/:id/content_exports/:id``."""
        return self._runner.run(call_flow(endpoints.show_export(context, export_id), self._session))

    def create_export(self, context: Context, request: ExportRequest) -> ContentExport:
        """Begin an export. ``POST /api/v1/{courses,groups,users}/:id/content_exports``.

        Canvas starts a new job at every POST, whatever runs already. So the POST is repeated only where Canvas
        certainly did nothing: it refused for its rate limit, or no connection came about.

        Raises:
            InputError: a combination Canvas refuses; nothing was sent.
            AnswerLostError: sent, but what came back does not say whether it took effect. Look in ``list_exports``.
        """
        return self._runner.run(call_flow(endpoints.create_export(context, request), self._session))

    def syllabus(self, course: Context) -> str:
        """The text of a course's syllabus; empty where it has none. ``GET /api/v1/courses/:id``."""
        return self._runner.run(call_flow(endpoints.syllabus(course), self._session))

    def root_folder(self, course: Context) -> int:
        """The id of the folder that holds all files of a course. ``GET /api/v1/courses/:course_id/folders/root``."""
        return self._runner.run(call_flow(endpoints.root_folder(course), self._session))

    def create_migration(self, course: Context, request: MigrationRequest) -> ContentMigration:
        """Begin to import a package. ``POST /api/v1/courses/:course_id/content_migrations``.

        With a file, Canvas waits for its upload; with a URL, it begins at once. An answer may be a refusal, such as for
        a quota: ``refusal`` says so. As with exports, the POST is repeated only where Canvas certainly did nothing.

        Raises:
            AnswerLostError: sent, but what came back does not say whether it took effect. Look in ``list_migrations``.
        """
        return self._runner.run(call_flow(endpoints.create_migration(course, request), self._session))

    def upload_again(self, course: Context, migration_id: int, file: PackageFile) -> ContentMigration:
        """Begin the upload of a migration anew. ``PUT /api/v1/courses/:course_id/content_migrations/:id``.

        Only for one that still waits for its file; Canvas gives a fresh ticket and forgets the issues of the first try.
        """
        return self._runner.run(call_flow(endpoints.upload_again(course, migration_id, file), self._session))

    def upload(self, ticket: UploadTicket, file: PackageFile, blocks: Iterable[Block]) -> None:
        """Send a file to where Canvas wants it, in the memory of one block. ``POST`` of the ticket's URL, once.

        What the blocks raise reaches the caller unchanged, and the upload is left without its end: storage never has a
        whole file of it.

        Args:
            ticket: from ``create_migration`` or ``upload_again``; Canvas lets it be used for half an hour.
            file: as it was announced.
            blocks: its bytes.

        Raises:
            UploadError: it could not be handed over; ask ``show_migration`` before trying again.
            BadRequestError: Canvas says why it does not take the file (permanent).
        """
        self._runner.run(upload_flow(self._session, ticket, file, blocks))

    def list_migrations(self, course: Context) -> Iterator[ContentMigration]:
        """Past and pending imports of a course. ``GET /api/v1/courses/:course_id/content_migrations``."""
        return self._paginate(endpoints.list_migrations(self._session.origin, course))

    def show_migration(self, course: Context, migration_id: int) -> ContentMigration:
        """One import. ``GET /api/v1/courses/:course_id/content_migrations/:id``.

        Canvas fails one whose upload began more than an hour ago, when it is looked at.
        """
        return self._runner.run(call_flow(endpoints.show_migration(course, migration_id), self._session))

    def migration_issues(self, course: Context, migration_id: int) -> Iterator[MigrationIssue]:
        """What Canvas noticed while it imported, page by page.

        ``GET /api/v1/courses/:course_id/content_migrations/:content_migration_id/migration_issues``.
        """
        return self._paginate(endpoints.migration_issues(self._session.origin, course, migration_id))

    def progress(self, progress_id: int) -> Progress:
        """How far a job is. ``GET /api/v1/progress/:id``. ``completed`` comes before the package is there."""
        return self._runner.run(call_flow(endpoints.progress(progress_id), self._session))

    def download(
        self, context: Context, export: ContentExport, space: Space | None = None, connections: int = 1
    ) -> Iterator[memoryview]:
        """The package of an export as a stream of blocks of at most 1 MiB. ``GET`` of the attachment's URL.

        A block is valid until the next one is asked for. Broken connections are resumed where storage can, expired
        links are replaced. The length is checked against what Canvas and storage announce; whether the bytes are a
        whole package is for the proof to say. Closing the iterator closes the connection.

        Args:
            context: of the export.
            export: the export, as it was shown.
            space: memory that the blocks are to lie in. Without it, one buffer is filled again and again.
            connections: to storage at once, for a package of more than 256 MiB whose storage serves ranges of the same
                ETag. Only with a space that has several blocks; what is yielded is then as large as they are.

        Raises:
            DownloadError: no package, a login page, or bounded attempts failed. With ``restart`` set, what was
                passed on so far is to be thrown away, and a new download may begin at once.
            CanvasError: asking Canvas for a fresh link failed.
        """
        with _about(context, export):
            yield from self._download(context, export).blocks(space, connections)

    def open_package(self, context: Context, export: ContentExport) -> RemotePackage | None:
        """Look at the end of a package without fetching the rest. ``GET`` of the attachment's URL, then of a range.

        Returns:
            What can be read in parts; ``None`` where its storage does not serve ranges, or no strong ``ETag`` with them.

        Raises:
            DownloadError: as ``download``.
            CanvasError: asking Canvas for a fresh link failed.
        """
        with _about(context, export):
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
        """Call off whatever this client waits for or fetches, in all threads, for good.

        They raise ``Stopped``, and so does every call from now on. What was sent already is not taken back. May be called
        from a signal handler.
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

    def _paginate(self, walk: Pagination[T]) -> Iterator[T]:
        while walk.call is not None:
            yield from walk.rows(self._runner.run(call_flow(walk.call, self._session)))


@contextmanager
def _about(context: Context, export: ContentExport) -> Iterator[None]:
    """Say which export a failed download was of."""
    try:
        yield
    except DownloadError as error:
        error.context, error.export_id = str(context), export.id
        raise
