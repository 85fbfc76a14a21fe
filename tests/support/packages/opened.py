"""Packages that are open for reading, from memory."""

from __future__ import annotations

from collections.abc import Iterable

from tests.support.packages.build import zipped
from tests.support.packages.courses import Course
from tests.support.packages.stored import KEY, InMemory

from canvas_exports.core.packages.content.model import CourseContent, Document, Item, ItemKind
from canvas_exports.core.packages.content.open import open_content
from canvas_exports.core.packages.random_access import StoredPackage


def opened(package: bytes | Course, export_type: str = "common_cartridge") -> CourseContent:
    """A package that is open."""
    data = package if isinstance(package, bytes) else zipped(package.members())
    return open_content(StoredPackage(InMemory(data), KEY, len(data)), export_type=export_type)


def titles(content: CourseContent, kind: ItemKind) -> list[str]:
    """The titles of its items of a kind, in order."""
    return [item.title for item in content.items if item.kind is kind]


def the(content: CourseContent, kind: ItemKind) -> Item:
    """Its only item of a kind."""
    (item,) = (item for item in content.items if item.kind is kind)
    return item


def document(content: CourseContent, kind: ItemKind) -> Document:
    """The document of its only item of a kind."""
    return content.read(the(content, kind))


def values(found: Document) -> dict[str, str]:
    """The fields of a document by name."""
    return {field.name: field.value for field in found.fields}


def kinds(items: Iterable[Item]) -> list[str]:
    """The kinds of items, in order."""
    return [item.kind.value for item in items]
