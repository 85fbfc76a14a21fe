"""An open package: its items and modules, listed; its documents and files, read when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from canvas_exports.core.packages.content.addresses import Addresses
from canvas_exports.core.packages.content.documents.read import DocumentReader, members_of
from canvas_exports.core.packages.content.documents.source import CourseNames, DocumentSource
from canvas_exports.core.packages.content.file_blocks import member_blocks
from canvas_exports.core.packages.content.model import Document, Item, ItemKind, Module
from canvas_exports.core.packages.content.package_members import PackageMembers
from canvas_exports.core.storage.buffers import MiB

# Documents whose members are read together. With the limit of ``read_together``, this bounds the memory.
_AT_ONCE = 200

# Unpacked bytes of the documents that are read in one go: at least, and for each byte of the package.
_MOST_READ = 512 * MiB
_MOST_RATIO = 100


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
        """Read many documents, see ``CourseContent``.

        At most 16 MiB of the package are kept, one document, and the lists of rubrics, outcomes and events.
        """
        waiting = iter(items)
        reader = DocumentReader(max(_MOST_READ, _MOST_RATIO * self._members.package.size))
        while batch := list(islice(waiting, _AT_ONCE)):
            members = (name for item in batch for name in members_of(item))
            source = DocumentSource(self._members, self._names, self._members.read_together(members))
            for item in batch:
                yield reader.read(item, source)

    def file_blocks(self, member: str, window: range | None = None) -> Iterator[bytes]:
        """Yield the unpacked bytes of a member, or a window of them, see ``CourseContent``."""
        return member_blocks(self._members, member, window)

    def resolve(self, address: str, *, base: Item | None = None) -> Item | str | None:
        """Resolve an address of a document, see ``CourseContent``."""
        return self._addresses.resolve(address, base=base)
