"""Changes to single items of a course."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from canvas_sandbox.content import edits
from canvas_sandbox.content.edit_kinds import (
    EditKind,
    kind_of_adding,
    kind_of_changing,
    kind_of_moving,
    kind_of_removing,
)
from canvas_sandbox.content.make_edit import plan_edit
from canvas_sandbox.content.model import Item, Kind
from canvas_sandbox.world import World


def add_item(world: World, course_id: int, kind: str, fields: Mapping[str, Any]) -> int:
    """Add an item to a course and return its id; ``kind`` is the value of a `Kind`, see `edits.change` for ``fields``."""
    number = world.contents.upcoming_item_id
    edit = partial(edits.add, number=number, kind=kind, fields=fields)
    world.contents.edit_items(world.courses[course_id], edit, kind_of_adding(Kind(kind)), number)
    return world.contents.next_item_id()


def edit_item(world: World, course_id: int, item_id: int, fields: Mapping[str, Any]) -> None:
    """Change an item of a course, see `edits.change`. A quiz is saved."""
    item = _item(world, course_id, item_id)
    kind = kind_of_changing(item.kind, frozenset(fields), new_quiz=item.is_new_quiz)
    edit = partial(edits.change, number=item_id, fields=fields)
    world.contents.edit_items(world.courses[course_id], edit, kind, item_id)


def remove_item(world: World, course_id: int, item_id: int) -> None:
    """Remove an item from a course, see `edits.remove`."""
    kind = kind_of_removing(_item(world, course_id, item_id).kind)
    world.contents.edit_items(world.courses[course_id], partial(edits.remove, number=item_id), kind, item_id)


def move_item(world: World, course_id: int, item_id: int, place: int, parent: int | None = None) -> None:
    """Move a module, a line of a module, an assignment or a discussion, see `edits.move`."""
    item = _item(world, course_id, item_id)
    kind = kind_of_moving(item.kind, elsewhere=parent not in (None, item.parent))
    edit = partial(edits.move, number=item_id, place=place, parent=parent)
    world.contents.edit_items(world.courses[course_id], edit, kind, item_id)


def set_course(world: World, course_id: int, settings: Mapping[str, str]) -> None:
    """Change settings of a course, see `edits.set_course`."""
    only_late_policy = settings.keys() == {"late_policy"}
    kind = EditKind.LATE_POLICY_SET if only_late_policy else EditKind.SETTINGS_SAVED
    world.contents.edit_items(world.courses[course_id], partial(edits.set_course, settings=settings), kind, 0)


def make_edit(world: World, course_id: int, kind: str, seed: int) -> None:
    """Make an edit of a kind, the value of an `EditKind`, to an item that follows from the seed; see `plan_edit`."""
    course, wanted = world.courses[course_id], EditKind(kind)
    new_item = world.contents.upcoming_item_id
    planned = plan_edit(wanted, world.contents.of(course), seed, new_item)
    if planned is None:
        world.contents.timestamps.touch(course, world.kernel.now)
        return
    edit, number = planned
    world.contents.edit_items(course, edit, wanted, number)
    if number == new_item:
        world.contents.next_item_id()


def import_enrolments(world: World) -> None:
    """Import enrolments from the SIS: every active course is touched, and none gets other content."""
    for course in world.courses.values():
        if course.exists and course.state == "available":
            world.contents.timestamps.touch(course, world.kernel.now)


def _item(world: World, course_id: int, item_id: int) -> Item:
    item = world.contents.of(world.courses[course_id]).items.get(item_id)
    if item is None:
        raise ValueError(f"the course holds no item {item_id}")
    return item


CONTENT_CHANGES: dict[str, Callable[..., Any]] = {
    change.__name__: change
    for change in (add_item, edit_item, remove_item, move_item, set_course, make_edit, import_enrolments)
}
"""Changes by name; each takes the world and plain values."""
