"""Changes to single items of a course."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from canvas_sandbox.content import edits
from canvas_sandbox.world import World


def add_item(world: World, course_id: int, kind: str, fields: Mapping[str, Any]) -> int:
    """Add an item to a course and return its id; ``kind`` is the value of a `Kind`, see `edits.change` for ``fields``."""
    number = world.contents.next_item_id()
    edit = partial(edits.add, number=number, kind=kind, fields=fields)
    world.contents.edit_items(world.courses[course_id], edit)
    return number


def edit_item(world: World, course_id: int, item_id: int, fields: Mapping[str, Any]) -> None:
    """Change an item of a course, see `edits.change`."""
    world.contents.edit_items(world.courses[course_id], partial(edits.change, number=item_id, fields=fields))


def remove_item(world: World, course_id: int, item_id: int) -> None:
    """Remove an item from a course, see `edits.remove`."""
    world.contents.edit_items(world.courses[course_id], partial(edits.remove, number=item_id))


def move_item(world: World, course_id: int, item_id: int, place: int, parent: int | None = None) -> None:
    """Move a module, or a line of a module, see `edits.move`."""
    edit = partial(edits.move, number=item_id, place=place, parent=parent)
    world.contents.edit_items(world.courses[course_id], edit)


def set_course(world: World, course_id: int, settings: Mapping[str, str]) -> None:
    """Change settings of a course, see `edits.set_course`."""
    world.contents.edit_items(world.courses[course_id], partial(edits.set_course, settings=settings))


CONTENT_CHANGES: dict[str, Callable[..., Any]] = {
    change.__name__: change for change in (add_item, edit_item, remove_item, move_item, set_course)
}
"""Changes by name; each takes the world and plain values."""
