"""Define every REST call: its request, and the function that reads its response. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from urllib.parse import urlencode

from canvas_exports.core.canvas.api.course_filters import CourseFilters
from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.api.migrations import (
    ContentMigration,
    MigrationIssue,
    MigrationRequest,
    PackageFile,
)
from canvas_exports.core.canvas.api.models import ContentExport, ContentListItem, Course, Progress, User
from canvas_exports.core.canvas.api.parsing import (
    read_course,
    read_export,
    read_id,
    read_issue,
    read_list_item,
    read_migration,
    read_permissions,
    read_progress,
    read_syllabus,
    read_user,
)
from canvas_exports.core.canvas.api.url_paths import account_path, context_path
from canvas_exports.core.canvas.http.messages import Endpoint, Request, Response
from canvas_exports.core.canvas.http.origin import Origin
from canvas_exports.core.canvas.http.pagination import SHORT_LINK, Pagination
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.errors import InputError, UnexpectedResponseError

T = TypeVar("T")

LARGEST_PAGE = 100
# Headers that only Canvas sends.
_CANVAS_HEADERS = frozenset({"x-canvas-meta", "x-request-context-id", "x-canvas-user-id"})
_USER_FIELDS = frozenset({"id", "name", "sortable_name", "short_name"})
# Characters; the links to pages of a list are longer by the page, a bookmark at worst.
_SHORT_URL = SHORT_LINK - 400
_LONGEST_URL = 6000  # characters; servers and proxies begin to refuse at 8,000


def whoami() -> Endpoint[User]:
    """``GET /api/v1/users/self``."""
    return _show(Request("GET", "/api/v1/users/self"), read_user)


def identify() -> Endpoint[User]:
    """``GET /api/v1/users/self``, of a server that is a Canvas by its headers or the fields of the user.

    Reading the response of any other server raises ``UnexpectedResponseError``.
    """

    def read(document: Any, response: Response) -> User:
        is_user = isinstance(document, dict) and document.keys() >= _USER_FIELDS
        if not is_user and not _CANVAS_HEADERS & response.headers.keys():
            raise UnexpectedResponseError("the response has none of Canvas's headers and fields")
        return read_user(document)

    return Endpoint(Request("GET", "/api/v1/users/self"), read)


def account_permissions(account: str | int, permissions: Iterable[str]) -> Endpoint[dict[str, bool]]:
    """``GET /api/v1/accounts/:account_id/permissions``."""
    names = tuple(permissions)
    query = urlencode([("permissions[]", name) for name in names])
    path = f"{account_path(account)}/permissions"
    return _show(Request("GET", path, query), lambda document: read_permissions(document, names))


def course(context: Context) -> Endpoint[Course]:
    """``GET /api/v1/courses/:id?include[]=term``."""
    _must_be_course(context)
    query = urlencode([("include[]", "term")])
    return _show(Request("GET", context_path(context), query, context=str(context)), read_course)


def resolve(context: Context) -> Endpoint[int]:
    """``GET /api/v1/{courses,groups,users}/:id``, for the number behind a SIS id or ``self``."""
    return _show(Request("GET", context_path(context), context=str(context)), read_id)


def account_courses(
    origin: Origin, account: str | int, filters: CourseFilters, *, updated_at: bool = False
) -> Pagination[Course]:
    """``GET /api/v1/accounts/:account_id/courses``, with the term of each course.

    With ``updated_at``, its value is asked for as well. That is not documented, and not every Canvas returns the key.

    Long lists of teachers and sub-accounts are split over several requests, and the results joined: Canvas repeats the filters
    in every link to a page, and leaves out links that grow too long.

    Raises:
        InputError: the filters that cannot be split are longer than a server accepts.
    """
    path = f"{account_path(account)}/courses"
    included = [("include[]", name) for name in ("term", *(["updated_at"] if updated_at else []))]

    def request(part: CourseFilters) -> Request:
        return Request(
            "GET",
            path,
            urlencode([*part.pairs(), *included, ("per_page", str(LARGEST_PAGE))]),
        )

    bare = len(f"{origin}{request(filters.without_lists()).target}")
    if bare > _LONGEST_URL:
        raise InputError(
            "filters",
            f"together they make an address of {bare} characters",
            accepted="fewer, or shorter ones",
        )
    firsts = [request(part) for part in filters.split_to_fit(max(_SHORT_URL - bare, 0))]
    return Pagination(firsts, read_course, lambda row: row.id, origin)


def content_list(origin: Origin, context: Context, type_: str | None) -> Pagination[ContentListItem]:
    """``GET /api/v1/courses/:course_id/content_list``."""
    _must_be_course(context)
    query = urlencode([("type", type_)]) if type_ else ""
    request = Request("GET", f"{context_path(context)}/content_list", query, context=str(context))
    return Pagination(request, read_list_item, lambda row: row, origin)


def list_exports(origin: Origin, context: Context, per_page: int) -> Pagination[ContentExport]:
    """``GET /api/v1/{courses,groups,users}/:id/content_exports``."""
    if not 1 <= per_page <= LARGEST_PAGE:
        raise InputError("per_page", f"{per_page} rows cannot be asked for", accepted=f"1 to {LARGEST_PAGE}")
    return Pagination(
        _exports("GET", context, query=[("per_page", str(per_page))]), read_export, lambda row: row.id, origin
    )


def show_export(context: Context, export_id: int) -> Endpoint[ContentExport]:
    """``GET /api/v1/{courses,groups,users}/:id/content_exports/:id``."""
    path = f"{context_path(context)}/content_exports/{_number('export_id', export_id)}"
    return _show(Request("GET", path, context=str(context), export_id=export_id), read_export)


def create_export(context: Context, request: ExportRequest) -> Endpoint[ContentExport]:
    """``POST /api/v1/{courses,groups,users}/:id/content_exports``."""
    request.check(context.kind)
    return _show(_exports("POST", context, form=request.pairs()), read_export)


def create_migration(context: Context, request: MigrationRequest) -> Endpoint[ContentMigration]:
    """``POST /api/v1/courses/:course_id/content_migrations``."""
    return _show(_migrations("POST", context, form=request.pairs()), read_migration)


def upload_again(context: Context, migration_id: int, file: PackageFile) -> Endpoint[ContentMigration]:
    """``PUT /api/v1/courses/:course_id/content_migrations/:id`` with a new ``pre_attachment``."""
    return _show(_migrations("PUT", context, migration_id, form=file.pairs()), read_migration)


def list_migrations(origin: Origin, context: Context) -> Pagination[ContentMigration]:
    """``GET /api/v1/courses/:course_id/content_migrations``."""
    request = _migrations("GET", context, query=[("per_page", str(LARGEST_PAGE))])
    return Pagination(request, read_migration, lambda row: row.id, origin)


def show_migration(context: Context, migration_id: int) -> Endpoint[ContentMigration]:
    """``GET /api/v1/courses/:course_id/content_migrations/:id``."""
    return _show(_migrations("GET", context, migration_id), read_migration)


def migration_issues(origin: Origin, context: Context, migration_id: int) -> Pagination[MigrationIssue]:
    """``GET /api/v1/courses/:course_id/content_migrations/:content_migration_id/migration_issues``."""
    query = [("per_page", str(LARGEST_PAGE))]
    request = _migrations("GET", context, migration_id, query=query, below="/migration_issues")
    return Pagination(request, read_issue, lambda row: row.id, origin)


def root_folder(context: Context) -> Endpoint[int]:
    """``GET /api/v1/courses/:course_id/folders/root``, for its id."""
    _must_be_course(context)
    return _show(Request("GET", f"{context_path(context)}/folders/root", context=str(context)), read_id)


def syllabus(context: Context) -> Endpoint[str]:
    """``GET /api/v1/courses/:id?include[]=syllabus_body``."""
    _must_be_course(context)
    query = urlencode([("include[]", "syllabus_body")])
    return _show(Request("GET", context_path(context), query, context=str(context)), read_syllabus)


def progress(progress_id: int) -> Endpoint[Progress]:
    """``GET /api/v1/progress/:id``."""
    return _show(Request("GET", f"/api/v1/progress/{_number('progress_id', progress_id)}"), read_progress)


def _show(request: Request, read: Callable[[Any], T]) -> Endpoint[T]:
    def read_response(document: Any, _response: Response) -> T:
        return read(document)

    return Endpoint(request, read_response)


def _exports(
    method: str,
    context: Context,
    *,
    query: Iterable[tuple[str, str]] = (),
    form: Iterable[tuple[str, str]] = (),
) -> Request:
    path = f"{context_path(context)}/content_exports"
    return Request(method, path, urlencode(list(query)), urlencode(list(form)), context=str(context))


def _migrations(
    method: str,
    context: Context,
    migration_id: int | None = None,
    *,
    query: Iterable[tuple[str, str]] = (),
    form: Iterable[tuple[str, str]] = (),
    below: str = "",
) -> Request:
    _must_be_course(context)
    one = "" if migration_id is None else f"/{_number('migration_id', migration_id)}"
    path = f"{context_path(context)}/content_migrations{one}{below}"
    return Request(method, path, urlencode(list(query)), urlencode(list(form)), context=str(context))


def _must_be_course(context: Context) -> None:
    if context.kind is not ContextKind.COURSE:
        raise InputError("course", f"{context} is not a course", accepted="101, sis_course_id:BIO-101")


def _number(field: str, value: int) -> int:
    if isinstance(value, bool) or value <= 0:
        raise InputError(field, f"{value!r} is not an id", accepted="a positive number")
    return value
