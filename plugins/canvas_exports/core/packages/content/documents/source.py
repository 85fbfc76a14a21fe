"""The members that the documents of a package are read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from canvas_exports.core.packages.content.heads import is_published
from canvas_exports.core.packages.content.html_text import decode, links_of
from canvas_exports.core.packages.content.model import Document, Item
from canvas_exports.core.packages.content.package_members import MemberPieces, PackageMembers
from canvas_exports.core.packages.content.xml_tree import Element, XmlTree, read_tree
from canvas_exports.core.packages.random_access import RandomAccess
from canvas_exports.core.packages.work_limits import WorkLimit
from canvas_exports.core.storage.buffers import MiB
from canvas_exports.errors import CorruptPackageError
from canvas_exports.foreign_text import harmless

MAX_HTML = 8 * MiB

_WORK = 100_000_000
_WORK_PER_BYTE = 20
_SECONDS = 60


@dataclass(frozen=True)
class CourseNames:
    """What documents refer to by identifier.

    Attributes:
        groups: titles of the assignment groups.
        rubrics: titles of the rubrics.
        questions: the documents of the quizzes and question banks.
        addresses: of the web links and tools that are no document, but an address in the manifest.
    """

    groups: Mapping[str, str] = field(default_factory=dict)
    rubrics: Mapping[str, str] = field(default_factory=dict)
    questions: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)


class DocumentSource:
    """The members of a package, by name.

    Args:
        members: of the package.
        names: what documents refer to.
        source: bytes that were read before; by default each member is read when it is needed.

    Attributes:
        further: unpacked bytes of the members that were read because a document leads to them.
    """

    def __init__(
        self, members: PackageMembers, names: CourseNames, source: RandomAccess | None = None
    ) -> None:
        self.names = names
        self._members = members
        self._source = source
        self.further = 0

    def note(self, name: str) -> None:
        """Note that a document leads to a member, which is read with it."""
        self.further += self.size(name)

    def holds(self, name: str) -> bool:
        """Return whether the package has a member."""
        return name in self._members.by_name

    def size(self, name: str) -> int:
        """Return the unpacked bytes of a member; 0 if there is none."""
        return self._members.by_name[name].size if self.holds(name) else 0

    def pieces(self, name: str) -> MemberPieces:
        """Return the content of a document. Raises ``CorruptPackageError``."""
        return self._members.content(name, source=self._source)

    def tree(self, name: str) -> XmlTree[None]:
        """Return an XML document as far as it can be read."""
        try:
            pieces = self.pieces(name)
        except CorruptPackageError as error:
            return XmlTree(Element("", {}), (), error.message)
        return read_tree(name, pieces, work_for(pieces.member.size))

    def text(self, name: str) -> str:
        """Return a text of at most 8 MiB. Raises ``CorruptPackageError``."""
        return decode(self._members.content(name, source=self._source, limit=MAX_HTML).whole())


def work_for(size: int) -> WorkLimit:
    """Return the work limit of one document of a size in bytes."""
    return WorkLimit(units=_WORK + _WORK_PER_BYTE * size, seconds=_SECONDS)


def missing(item: Item) -> Document:
    """Return the document of an item that the package names, but does not hold."""
    return Document(item, problem="the package does not hold it")


def described(item: Item, root: Element) -> Item:
    """Return the item with title and state of its settings."""
    state = is_published(root.value("workflow_state") or root.value("available"))
    return replace(
        item,
        title=harmless(root.value("title")) or item.title,
        is_published=item.is_published if state is None else state,
    )


def with_html(item: Item, html: str, problem: str = "") -> Document:
    """Return a document of HTML, with its links."""
    return Document(item, html=html, links=links_of(html), problem=problem)
