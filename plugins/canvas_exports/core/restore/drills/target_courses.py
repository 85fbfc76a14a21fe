"""Courses that are kept for drills, and which of them can be used now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.core.restore.form_labels import DRILLS
from canvas_exports.core.restore.safeguards import check_empty, check_idle, check_unpublished
from canvas_exports.errors import InputError, NotFoundError, PermissionDeniedError


@dataclass
class Rooms:
    """What was found.

    Attributes:
        empty: numbers of the courses that can be restored into, in the order in which they were named.
        refused: the others, as they were named, and why.
        ids: numbers of all of them, as far as Canvas knows them.
    """

    empty: list[int] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    ids: set[int] = field(default_factory=set)


def empty_rooms(client: CanvasClient, named: Iterable[str | int]) -> Rooms:
    """Look at each course that was named, once. Changes nothing.

    Raises:
        InputError: a name that no course can have.
        CanvasError: Canvas could not be asked (retryable), or refuses the token (permanent).
    """
    rooms = Rooms()
    contexts = [context for text in named for context in Context.parse_all(text, field=DRILLS["into"])]
    for context in contexts:
        context.check_host(client.host, field=DRILLS["into"])
        if context.kind is not ContextKind.COURSE:
            raise InputError(
                DRILLS["into"], f"{context} is not a course", accepted="numbers or SIS ids of courses"
            )
        try:
            course = client.course(context)
            if course.id in rooms.ids:
                continue
            rooms.ids.add(course.id)
            check_unpublished(course)
            check_empty(client, course.id)
            check_idle(client, course.id)
        except (InputError, NotFoundError, PermissionDeniedError) as error:
            rooms.refused[str(context)] = error.message
        else:
            rooms.empty.append(course.id)
    return rooms
