"""The lists among the settings of a course whose entries are items: rubrics, learning outcomes, calendar events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from canvas_exports.core.packages.content.model import Item, ItemKind
from canvas_exports.core.packages.content.xml_tree import Element, read_tree
from canvas_exports.core.packages.work_limits import WorkLimit
from canvas_exports.foreign_text import harmless

#: The document of each kind, and the element of one entry.
LISTS: Mapping[ItemKind, tuple[str, str]] = {
    ItemKind.RUBRIC: ("course_settings/rubrics.xml", "rubric"),
    ItemKind.OUTCOME: ("course_settings/learning_outcomes.xml", "learningOutcome"),
    ItemKind.EVENT: ("course_settings/events.xml", "event"),
}

Made = TypeVar("Made")


def read_list(
    kind: ItemKind,
    pieces: Iterable[bytes],
    work: WorkLimit,
    make: Callable[[Element, list[Element]], Made],
) -> tuple[tuple[Made, ...], str]:
    """Return what is made of each entry of a list, in order, and why the rest cannot be read, or ``""``."""
    document, element = LISTS[kind]

    def take(found: Element, parents: list[Element]) -> Made | None:
        return make(found, parents) if found.name == element else None

    tree = read_tree(document, pieces, work, take)
    return tree.results, tree.problem


def entry_item(kind: ItemKind, entry: Element) -> Item:
    """Return the item of an entry, without an identifier if the entry has none."""
    document, element = LISTS[kind]
    title = entry.value("title") or entry.value("short_description") or entry.value("description")
    return Item(kind, entry.attributes.get("identifier", ""), harmless(title or element), document)


def list_entries(kind: ItemKind, pieces: Iterable[bytes], work: WorkLimit) -> list[Item]:
    """Return an item of each entry of a list; two may have one identifier, or none."""
    return list(read_list(kind, pieces, work, lambda entry, _: entry_item(kind, entry))[0])
