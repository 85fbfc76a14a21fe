"""What a restore refuses: a target that is not there, that is the source itself, or that holds something already."""

from __future__ import annotations

from datetime import datetime, timedelta

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.canvas.api.migrations import ContentMigration, MigrationState
from canvas_exports.core.canvas.api.models import Course
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.core.restore.form_labels import LABELS, refused
from canvas_exports.core.restore.request import RestoreRequest
from canvas_exports.errors import CanvasError, InputError, NotFoundError, PermissionDeniedError

#: What Canvas lists of a course in which nobody has done anything yet.
_ALWAYS = frozenset({"course_settings", "syllabus_body", "assignment_groups"})

_BUSY = (
    MigrationState.PRE_PROCESSED,
    MigrationState.QUEUED,
    MigrationState.RUNNING,
    MigrationState.UNKNOWN,
)

_LONGEST = timedelta(days=2)  # after which Canvas drops the job of an import; its state may stay as it was


def check_target(client: CanvasClient, request: RestoreRequest, copy: Copy) -> Course:
    """The course to restore into, if it may be restored into. Changes nothing.

    Raises:
        InputError: it is not there, not reachable with this token, the one the copy came from and not confirmed, or
            not empty and not allowed, or busy (permanent).
        CanvasError: Canvas could not be asked (retryable).
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
    """Refuse to overwrite the course that the copy was made of, unless its number was repeated.

    Two Canvases may number courses alike; one of the same number is refused on each of them.

    Raises:
        InputError: it is that course.
    """
    source = copy.context
    same = source.kind == "course" and (
        course.id == source.id or (source.uuid is not None and course.uuid == source.uuid)
    )
    if same and request.confirmed != str(course.id):
        raise refused(
            "into",
            f"course {course.id} is the one this copy was made of; restoring would overwrite it",
            accepted=f"another course, or {course.id} under {LABELS['confirm_same_course']!r}",
        )
    if not same and request.confirmed is not None:
        raise refused(
            "confirm_same_course",
            f"course {course.id} is not the one this copy was made of",
            accepted="nothing, as long as the copy goes into another course",
        )


def check_unpublished(course: Course) -> None:
    """Refuse a course that is, or was, open to students: it is no place to try things out.

    Raises:
        InputError: it is.
    """
    if course.workflow_state != "unpublished":
        raise refused(
            "into",
            f"course {course.id} is {course.workflow_state or 'in an unknown state'}",
            accepted="a course that was never published",
        )


def check_empty(client: CanvasClient, course_id: int) -> None:
    """Refuse a course that holds anything a person made.

    Raises:
        InputError: it does; says what.
    """
    held = contents(client, course_id)
    if held:
        listed = ", ".join(f"{name} ({count})" if count else name for name, count in held.items())
        raise refused(
            "into",
            f"course {course_id} is not empty: it holds {listed}",
            accepted=f"an empty course, or the box {LABELS['allow_content']!r}",
        )


def check_idle(client: CanvasClient, course_id: int) -> None:
    """Refuse a course into which something is being imported: Canvas would make the next import wait, or fail it.

    An import that still waits for its file is none: its upload may never come. Nor is one that has been stuck for days.

    Raises:
        InputError: it is busy.
    """
    for migration in client.list_migrations(Context(ContextKind.COURSE, str(course_id))):
        if _is_busy(client, migration):
            raise _busy(course_id, migration)


def check_free(
    client: CanvasClient, course: Context, own: int, *, created_after: datetime, empty: bool
) -> None:
    """See once more, before an import begins, that no other one has the course: of two, exactly one must go on.

    Another import that still waits for its file counts if it is older than ours, and young enough to be under way.

    Args:
        client: the Canvas.
        course: restored into.
        own: our migration.
        created_after: by Canvas's clock; an older one that still has no file is taken for dead.
        empty: whether the course has to be empty.

    Raises:
        InputError: another one has it, or had.
    """
    number = course.canvas_id or 0
    for other in client.list_migrations(course):
        waits = other.workflow_state is MigrationState.PRE_PROCESSING
        first = other.id < own and other.created_at is not None and other.created_at > created_after
        if other.id != own and (_is_busy(client, other) or (waits and first)):
            raise _busy(number, other)
    if empty:
        check_empty(client, number)


def contents(client: CanvasClient, course_id: int) -> dict[str, int]:
    """What a course holds, by Canvas's names for it, with how many where Canvas says.

    ``GET /api/v1/courses/:course_id/content_list`` counts everything that can be exported; the syllabus is in it always,
    so its text is asked for by ``GET /api/v1/courses/:id?include[]=syllabus_body``. Neither tells of enrolments, grades or
    settings.
    """
    where = Context(ContextKind.COURSE, str(course_id))
    held = {
        row.type: row.count or 0
        for row in client.content_list(where)
        if row.type not in _ALWAYS and row.count != 0
    }
    if client.syllabus(where).strip():
        held["syllabus"] = 0
    return held


def _is_busy(client: CanvasClient, migration: ContentMigration) -> bool:
    created = migration.created_at
    dead = created is not None and client.server_now() - created > _LONGEST
    return migration.workflow_state in _BUSY and not dead


def _busy(course_id: int, migration: ContentMigration) -> InputError:
    return refused(
        "into",
        f"course {course_id} is busy with another import (migration {migration.id})",
        accepted="a course into which nothing is being imported",
    )


def _unreachable(request: RestoreRequest, error: CanvasError) -> InputError:
    why = (
        "does not exist, or the token's user may not see it"
        if isinstance(error, NotFoundError)
        else "may not be changed by the token's user"
    )
    return refused("into", f"{request.into} {why}", accepted="a course the token's user may import into")
