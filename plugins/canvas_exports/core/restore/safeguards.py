"""Refuse unsuitable target courses: missing, the source itself, not empty, published, or busy with an import."""

from __future__ import annotations

from datetime import datetime, timedelta

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.canvas.api.migrations import ContentMigration, MigrationState
from canvas_exports.core.canvas.api.models import Course
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.core.restore.form_labels import box, form_error, under
from canvas_exports.core.restore.request import RestoreRequest
from canvas_exports.errors import CanvasError, InputError, NotFoundError, PermissionDeniedError

#: Rows that Canvas lists for every course, also for an empty one.
_ALWAYS_LISTED = frozenset({"course_settings", "syllabus_body", "assignment_groups"})

_BUSY = (
    MigrationState.PRE_PROCESSED,
    MigrationState.QUEUED,
    MigrationState.RUNNING,
    MigrationState.UNKNOWN,
)

# After this time Canvas drops the job of an import; its state may not change any more.
_LONGEST = timedelta(days=2)


def check_target(client: CanvasClient, request: RestoreRequest, copy: Copy) -> Course:
    """Return the target course if a restore into it is allowed. Changes nothing.

    Raises:
        InputError: the course is missing, not accessible with this token, the unconfirmed source of the copy, not empty
            without permission, or busy (permanent).
        CanvasError: Canvas could not be reached (retryable).
    """
    try:
        course = client.course(request.into)
        check_not_source(request, copy, course)
        if request.only_unpublished:
            check_unpublished(course)
        if not request.allow_content:
            check_empty(client, course.id)
        check_idle(client, course.id)
    except (NotFoundError, PermissionDeniedError) as error:
        raise _unreachable(request, error) from error
    return course


def check_not_source(request: RestoreRequest, copy: Copy, course: Course) -> None:
    """Refuse the source course of the copy as target, unless its id was confirmed.

    Refuses a course with the same id also on another Canvas.

    Raises:
        InputError: it is that course; or another course was confirmed.
    """
    source = copy.context
    same = source.kind == "course" and (
        course.id == source.id or (source.uuid is not None and course.uuid == source.uuid)
    )
    if same and request.confirmed != str(course.id):
        raise form_error(
            "into",
            f"this copy was made from course {course.id} itself; the restore would overwrite it",
            accepted=f"another course, or {course.id} {under('confirm_same_course')}",
        )
    if not same and request.confirmed is not None:
        raise form_error(
            "confirm_same_course",
            f"this copy was not made from course {course.id}",
            accepted="nothing, if the copy is restored into another course",
        )


def check_unpublished(course: Course) -> None:
    """Refuse a course that is or was published.

    Raises:
        InputError: it is or was.
    """
    if course.workflow_state != "unpublished":
        raise form_error(
            "into",
            f"course {course.id} is {course.workflow_state or 'in an unknown state'}",
            accepted="a course that was never published",
        )


def check_empty(client: CanvasClient, course_id: int) -> None:
    """Refuse a course that is not empty.

    Raises:
        InputError: the course is not empty; lists its content.
    """
    found = count_contents(client, course_id)
    if found:
        listed = ", ".join(f"{name} ({count})" if count else name for name, count in found.items())
        raise form_error(
            "into",
            f"course {course_id} is not empty: it holds {listed}",
            accepted=f"an empty course, or {box('allow_content')}",
        )


def check_idle(client: CanvasClient, course_id: int) -> None:
    """Refuse a course with a running import: Canvas would delay the next import, or fail it.

    Ignores an import that still waits for its file, because the upload may never happen, and one that is older than two days.

    Raises:
        InputError: the course is busy.
    """
    for migration in client.list_migrations(Context(ContextKind.COURSE, str(course_id))):
        if _is_busy(client, migration):
            raise _busy(course_id, migration)


def check_free(
    client: CanvasClient, course: Context, own: int, *, created_after: datetime, empty: bool
) -> None:
    """Check again, just before an import begins, that no other import uses the course: of two, exactly one may go on.

    Another import that still waits for its file counts if it is older than ours and was created after ``created_after``.

    Args:
        client: the Canvas.
        course: the target course.
        own: id of our migration.
        created_after: by Canvas's clock; an older migration without a file counts as abandoned.
        empty: whether the course has to be empty.

    Raises:
        InputError: another import uses or used the course.
    """
    number = course.canvas_id or 0
    for other in client.list_migrations(course):
        waits = other.workflow_state is MigrationState.PRE_PROCESSING
        first = other.id < own and other.created_at is not None and other.created_at > created_after
        if other.id != own and (_is_busy(client, other) or (waits and first)):
            raise _busy(number, other)
    if empty:
        check_empty(client, number)


def count_contents(client: CanvasClient, course_id: int) -> dict[str, int]:
    """Return the content of a course: count by Canvas's type, 0 where Canvas gives no count.

    ``GET /api/v1/courses/:course_id/content_list`` counts everything that can be exported. It always lists the syllabus, so
    ``GET /api/v1/courses/:id?include[]=syllabus_body`` reads its text. Neither includes enrolments, grades or settings.
    """
    where = Context(ContextKind.COURSE, str(course_id))
    found = {
        row.type: row.count or 0
        for row in client.content_list(where)
        if row.type not in _ALWAYS_LISTED and row.count != 0
    }
    if client.syllabus(where).strip():
        found["syllabus"] = 0
    return found


def _is_busy(client: CanvasClient, migration: ContentMigration) -> bool:
    created = migration.created_at
    dead = created is not None and client.server_now() - created > _LONGEST
    return migration.workflow_state in _BUSY and not dead


def _busy(course_id: int, migration: ContentMigration) -> InputError:
    return form_error(
        "into",
        f"course {course_id} is busy with another import (migration {migration.id})",
        accepted="a course into which nothing is being imported",
    )


def _unreachable(request: RestoreRequest, error: CanvasError) -> InputError:
    why = (
        "does not exist, or the user of the token may not see it"
        if isinstance(error, NotFoundError)
        else "may not be changed by the user of the token"
    )
    return form_error(
        "into", f"{request.into} {why}", accepted="a course into which the user of the token may import"
    )
