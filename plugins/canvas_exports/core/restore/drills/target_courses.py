"""Find the empty courses among the target courses of drills."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.core.restore.form_labels import DRILL_LABELS
from canvas_exports.core.restore.safeguards import check_empty, check_idle, check_unpublished
from canvas_exports.errors import InputError, NotFoundError, PermissionDeniedError


@dataclass
class TargetCourses:
    """The target courses of drills, checked.

    Attributes:
        empty: ids of the courses that can be restored into, in the order of the input.
        refused: the other courses, as they were named, with the reason.
        ids: of all of them, as far as Canvas knows them.
    """

    empty: list[int] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    ids: set[int] = field(default_factory=set)


def find_empty_courses(client: CanvasClient, named: Iterable[str | int]) -> TargetCourses:
    """Check each named course once. Changes nothing.

    Raises:
        InputError: malformed id of a course.
        CanvasError: Canvas could not be reached (retryable), or refuses the token (permanent).
    """
    targets = TargetCourses()
    contexts = [context for text in named for context in Context.parse_all(text, field=DRILL_LABELS["into"])]
    for context in contexts:
        context.check_host(client.host, field=DRILL_LABELS["into"])
        if context.kind is not ContextKind.COURSE:
            raise InputError(
                DRILL_LABELS["into"], f"{context} is not a course", accepted="numbers or SIS ids of courses"
            )
        try:
            course = client.course(context)
            if course.id in targets.ids:
                continue
            targets.ids.add(course.id)
            check_unpublished(course)
            check_empty(client, course.id)
            check_idle(client, course.id)
        except (InputError, NotFoundError, PermissionDeniedError) as error:
            targets.refused[str(context)] = error.message
        else:
            targets.empty.append(course.id)
    return targets
