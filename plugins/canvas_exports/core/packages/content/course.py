"""An open package: its items and modules, listed; its documents and files, read when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from canvas_exports.core.packages.content.addresses import Addresses
from canvas_exports.core.packages.content.documents.read import members_of, read_documents
from canvas_exports.core.packages.content.documents.source import CourseNames, DocumentSource
from canvas_exports.core.packages.content.file_blocks import member_blocks
from canvas_exports.core.packages.content.model import Document, Item, ItemKind, Module
from canvas_exports.core.packages.content.package_members import PackageMembers

# Documents whose members are read together. With the limit of ``read_together``, this bounds the memory.
_AT_ONCE = 200


class Course:
    """The content of a package, see ``CourseContent``. Threads may share it.

    Args:
        members: of the package.
        title: of the course.
        items: every item.
        modules: in order.
        root: the folder that the paths of files begin in; ``""`` for that of the package.
        names: what its documents refer to.
    """

    def __init__(
        self,
        members: PackageMembers,
        *,
        title: str = "",
        items: Sequence[Item] = (),
        modules: Sequence[Module] = (),
        root: str = "",
        names: CourseNames | None = None,
    ) -> None:
        self.title = title
        self.items = tuple(items)
        self.modules = tuple(modules)
        self._members = members
        self._addresses = Addresses(self.items, self.modules, members.by_name, root=root)
        self._names = names or CourseNames()

    def find(self, kind: ItemKind, identifier: str) -> Item | None:
        """Return an item, see ``CourseContent``."""
        return self._addresses.find(kind, identifier)

    def home(self) -> Item | None:
        """Return the item that the course opens with, see ``CourseContent``."""
        front = next((item for item in self.items if item.is_front_page), None)
        return front or next((item for item in self.items if item.kind is ItemKind.SYLLABUS), None)

    def read(self, item: Item) -> Document:
        """Read one item's document, see ``CourseContent``."""
        return next(self.read_all([item]))

    def read_all(self, items: Iterable[Item]) -> Iterator[Document]:
        """Read many documents, see ``CourseContent``: at most 16 MiB of the package are kept, and one document."""
        waiting = iter(items)
        while batch := list(islice(waiting, _AT_ONCE)):
            members = (name for item in batch for name in members_of(item))
            source = DocumentSource(self._members, self._names, self._members.read_together(members))
            yield from read_documents(batch, source)

    def file_blocks(self, member: str, window: range | None = None) -> Iterator[bytes]:
        """Yield the unpacked bytes of a member, or a window of them, see ``CourseContent``."""
        return member_blocks(self._members, member, window)

    def resolve(self, address: str, *, base: Item | None = None) -> Item | str | None:
        """Resolve an address of a document, see ``CourseContent``."""
        return self._addresses.resolve(address, base=base)
