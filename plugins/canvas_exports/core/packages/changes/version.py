"""One side of a comparison: an open package, what its directory states, and its documents."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from canvas_exports.core.packages.content.documents.course_settings import DOCUMENTS as SETTINGS_DOCUMENTS
from canvas_exports.core.packages.content.model import CourseContent, Document, Item, ItemKind

# Documents that are read with those that an item names.
_OF_QUIZ = ("non_cc_assessments/{}.xml.qti", "{}/assessment_qti.xml")

Pair = tuple[Item, Item]
Key = tuple[str, str]


@dataclass(frozen=True)
class Version:
    """One side of a comparison.

    Attributes:
        content: the open package.
        checksums: size and CRC of its members by name, as its directory states them. Without them all documents are read, and
            files are compared by their size.
    """

    content: CourseContent
    checksums: Mapping[str, Hashable] = field(default_factory=dict)

    def checksum(self, item: Item) -> Hashable | None:
        """Return a value that is equal for an equal item; ``None`` if only its document can tell."""
        names = [name for name in (item.member, item.settings) if name]
        if not names or not all(name in self.checksums for name in names):
            return None
        further = (
            SETTINGS_DOCUMENTS
            if item.kind is ItemKind.SETTINGS
            else tuple(name.format(item.identifier) for name in _OF_QUIZ)
        )
        return (
            *(self.checksums[name] for name in names),
            *(self.checksums.get(name) for name in further),
        )


def documents_of(content: CourseContent, items: Iterable[Item]) -> Iterator[tuple[Item, Document]]:
    """Yield the documents of items, in any order."""
    wanted = {key_of(item): item for item in items}
    for document in content.read_all(wanted.values()):
        item = wanted.get(key_of(document.item))
        if item is not None:
            yield item, document


def affordable_pairs(pairs: Sequence[Pair], left: int) -> list[Pair]:
    """Return the first pairs, whose documents are together no larger than what is left, in bytes."""
    sizes = accumulate(map(size_of, pairs))
    return [pair for pair, size in zip(pairs, sizes, strict=True) if size <= left]


def affordable(items: Sequence[Item], left: int) -> list[Item]:
    """Return the first items, whose documents are together no larger than what is left, in bytes."""
    sizes = accumulate(item.size for item in items)
    return [item for item, size in zip(items, sizes, strict=True) if size <= left]


def size_of(pair: Pair) -> int:
    """Return the bytes of the documents of a pair."""
    return sum(item.size for item in pair)


def key_of(item: Item) -> Key:
    """Return what identifies an item in its package."""
    return item.kind.value, item.identifier


def is_file(item: Item) -> bool:
    """Return whether an item is a file, which is not read."""
    return item.kind is ItemKind.FILE
