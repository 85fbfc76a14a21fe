"""Edits of a course, as people make them in Canvas: one item is added, changed, moved or removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from canvas_sandbox.content.model import Content, Criterion, Item, Kind, Question

Edit = Callable[[Content], Content]
"""Returns the content after an edit. Raises `ValueError` if there is nothing to edit."""

_PLAIN = frozenset({"title", "body", "html", "parent", "target", "size", "locked", "version", "usage_rights"})
_TUPLES = ("links", "overrides", "captions")
_POSITIONED = (Kind.ASSIGNMENT, Kind.DISCUSSION)


def add(content: Content, number: int, kind: str, fields: Mapping[str, Any]) -> Content:
    """Add an item after all others; see `change` for its fields."""
    item = _with_fields(Item(Kind(kind), number, ""), fields)
    return replace(content, items={**content.items, number: item})


def change(content: Content, number: int, fields: Mapping[str, Any]) -> Content:
    """Change an item.

    ``fields`` are those of `Item` in plain values: ``settings`` is a mapping of what to set, ``questions`` lists mappings, all
    questions of the quiz; ``criteria`` lists pairs of a text and its ratings. Lines of modules with the item's title are
    renamed with it.
    """
    old = _editable(content, number)
    new = _with_fields(old, fields)
    items = {
        key: replace(item, title=new.title) if item.target == number and item.title == old.title else item
        for key, item in content.items.items()
    }
    return replace(content, items=items | {number: new})


def remove(content: Content, number: int) -> Content:
    """Remove an item, the lines of modules that lead to it, and the lines of a module with the module."""
    item = _editable(content, number)
    gone = {number}
    for other in content.items.values():
        if other.target == number or (other.parent == number and item.kind is Kind.MODULE):
            gone.add(other.id)
        elif other.parent == number:
            raise ValueError(f"{item.title!r} is not empty")
    kept = {key: other for key, other in content.items.items() if key not in gone}
    return replace(content, items=kept)


def move(content: Content, number: int, place: int, parent: int | None = None) -> Content:
    """Move a module, a line of a module, an assignment or a discussion to a place among its kind; 0 is the first.

    Assignments and discussions have their position in their settings, from the first time that one of them is moved.
    """
    item = _editable(content, number)
    moved = replace(item, parent=item.parent if parent is None else parent)
    others = [other for other in content.items.values() if other.id != number]
    siblings = [other.id for other in others if (other.kind, other.parent) == (moved.kind, moved.parent)]
    before = siblings[place] if place < len(siblings) else None
    items = {each.id: each for each in _inserted(others, moved, before)}
    if item.kind in _POSITIONED:
        order = [each for each in items.values() if (each.kind, each.parent) == (moved.kind, moved.parent)]
        items |= {
            each.id: _with_fields(each, {"settings": {"position": str(position)}})
            for position, each in enumerate(order, start=1)
        }
    return replace(content, items=items)


def set_course(content: Content, settings: Mapping[str, str]) -> Content:
    """Change settings of the course; ``syllabus_body`` is its syllabus, as HTML."""
    return replace(content, settings=tuple({**dict(content.settings), **settings}.items()))


def _editable(content: Content, number: int) -> Item:
    item = content.items.get(number)
    if item is None or number == content.root:
        raise ValueError(f"the course holds no item {number}")
    if item.migration_id:
        raise ValueError(f"item {number} was imported: its document is exported as it came")
    return item


def _with_fields(item: Item, fields: Mapping[str, Any]) -> Item:
    values = {name: value for name, value in fields.items() if name in _PLAIN}
    values |= {name: tuple(fields[name]) for name in _TUPLES if name in fields}
    if "criteria" in fields:
        values["criteria"] = tuple(
            Criterion(text, tuple((rating, float(points)) for rating, points in ratings))
            for text, ratings in fields["criteria"]
        )
    if "settings" in fields:
        values["settings"] = tuple({**dict(item.settings), **fields["settings"]}.items())
    if "questions" in fields:
        values["questions"] = tuple(
            Question(**{**question, "answers": tuple(question["answers"])})
            for question in fields["questions"]
        )
    return replace(item, **values)


def _inserted(items: list[Item], item: Item, before: int | None) -> Iterator[Item]:
    for other in items:
        if other.id == before:
            yield item
        yield other
    if before is None:
        yield item
