"""Courses made of objects instead of a package: for many items, and for properties over random ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from canvas_exports.core.packages.content.model import Document, Item, ItemKind, Module


@dataclass
class MadeContent:
    """A ``CourseContent`` of documents; counts which are read."""

    documents: tuple[Document, ...] = ()
    modules: tuple[Module, ...] = ()
    title: str = "Biology"
    links: Mapping[str, Item] = field(default_factory=dict)
    was_read: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.items = tuple(document.item for document in self.documents)
        self._by_key: dict[tuple[ItemKind, str], Document] = {}
        for document in self.documents:
            self._by_key.setdefault((document.item.kind, document.item.identifier), document)

    def find(self, kind: ItemKind, identifier: str) -> Item | None:
        found = self._by_key.get((kind, identifier))
        return found.item if found else None

    def home(self) -> Item | None:
        return next(iter(self.items), None)

    def read(self, item: Item) -> Document:
        self.was_read.append(item.identifier)
        return self._by_key[item.kind, item.identifier]

    def read_all(self, items: Iterable[Item]) -> Iterator[Document]:
        return map(self.read, items)

    def file_blocks(self, member: str, window: range | None = None) -> Iterator[bytes]:
        raise AssertionError(f"{window or 'all'} of {member} is read")

    def resolve(self, address: str, *, base: Item | None = None) -> Item | str | None:  # noqa: ARG002 - the contract's
        return self.links.get(address, address)
