"""Read a bounded XML document as a tree, or the elements of one name in it as trees, one after the other.

Names are local: the documents of different releases and systems differ in their namespaces, not in their names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Generic, TypeVar

from canvas_exports.core.packages.cartridge.xml_reader import XmlReader, read_xml
from canvas_exports.core.packages.work_limits import WorkLimit
from canvas_exports.errors import CorruptPackageError, HostileXmlError

MAX_KEPT_ELEMENTS = 100_000
MAX_KEPT_TEXT = 16 * 1024 * 1024

Taken = TypeVar("Taken")


@dataclass(slots=True)
class Element:
    """One element: ``text`` before its first child, ``tail`` after its own end."""

    name: str
    attributes: dict[str, str]
    text: str = ""
    tail: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, name: str) -> Iterator[Element]:
        """Yield the elements of a name below this one, at any depth, in order."""
        for child in self.children:
            if child.name == name:
                yield child
            yield from child.all(name)

    def first(self, *path: str) -> Element | None:
        """Return the first child of a name, its first child of the next, and so on; ``None`` if there is none."""
        found: Element | None = self
        for name in path:
            found = next((child for child in found.children if child.name == name), None) if found else None
        return found

    def value(self, *path: str) -> str:
        """Return the stripped text of an element found as ``first`` does; ``""`` if there is none."""
        found = self.first(*path)
        return found.content.strip() if found else ""

    @property
    def content(self) -> str:
        """The text in it and in all elements below it."""
        return self.text + "".join(child.content + child.tail for child in self.children)

    @property
    def markup(self) -> str:
        """What is in it, as HTML; text is escaped."""
        return escape(self.text, quote=False) + "".join(
            f"<{child.name}{''.join(child.markup_attributes())}>{child.markup}</{child.name}>{escape(child.tail, quote=False)}"
            for child in self.children
        )

    def markup_attributes(self) -> Iterator[str]:
        """Yield the attributes as HTML."""
        return (f' {name}="{escape(value)}"' for name, value in self.attributes.items() if " " not in name)


class TreeReader(XmlReader, Generic[Taken]):
    """Builds the tree of a document.

    Args:
        name: of the document.
        work: the work limit of the package.
        take: makes a result of an element that has ended, with its open ancestors (outermost first), or ``None`` to keep it in
            the tree. An element with a result is forgotten.

    Attributes:
        tree: the root element; ``None`` before it began.
        results: of ``take``, in order.
    """

    def __init__(
        self,
        name: str,
        work: WorkLimit | None = None,
        take: Callable[[Element, list[Element]], Taken | None] | None = None,
    ) -> None:
        super().__init__(name, work=work)
        self.tree: Element | None = None
        self.results: list[Taken] = []
        self._take = take
        self._stack: list[Element] = []
        self._texts: list[
            list[str]
        ] = []  # of each open element: the text since its start or its newest child
        self._kept = 0
        self._length = 0

    def on_start(self, name: str, attributes: dict[str, str]) -> None:
        """Note an element that begins."""
        element = Element(name, attributes)
        self._flush()
        if self._stack:
            self._stack[-1].children.append(element)
        else:
            self.tree = self.tree or element
        self._stack.append(element)
        self._texts.append([])
        self._count(1, sum(map(len, attributes.values())))

    def characters(self, text: str) -> None:
        """Keep text."""
        self._texts[-1].append(text)
        self._count(0, len(text))

    def on_end(self, name: str) -> None:  # noqa: ARG002 - the base's signature
        """Note an element that has ended."""
        self._flush()
        self._texts.pop()
        element = self._stack.pop()
        if self._take is None or not self._stack:
            return
        result = self._take(element, self._stack)
        if result is not None:
            self.results.append(result)
            self._stack[-1].children.pop()
            self._count(-_elements(element), -_length(element))

    def _flush(self) -> None:
        if not self._stack or not self._texts[-1]:
            return
        text, element = "".join(self._texts[-1]), self._stack[-1]
        self._texts[-1].clear()
        if element.children:
            element.children[-1].tail += text
        else:
            element.text += text

    def _count(self, elements: int, length: int) -> None:
        self._kept += elements
        self._length += length
        if self._kept > MAX_KEPT_ELEMENTS or self._length > MAX_KEPT_TEXT:
            raise HostileXmlError(f"{self.name} has more to show than any course")


def _elements(element: Element) -> int:
    return 1 + sum(map(_elements, element.children))


def _length(element: Element) -> int:
    return (
        len(element.text)
        + sum(map(len, element.attributes.values()))
        + sum(_length(child) + len(child.tail) for child in element.children)
    )


@dataclass(frozen=True)
class XmlTree(Generic[Taken]):
    """What could be read of a document.

    Attributes:
        root: without what was taken; empty if not even the root element could be read.
        results: what was taken, in order.
        problem: why the rest could not be read; ``""`` if all was.
    """

    root: Element
    results: tuple[Taken, ...]
    problem: str = ""


def read_tree(
    name: str,
    pieces: Iterable[bytes],
    work: WorkLimit,
    take: Callable[[Element, list[Element]], Taken | None] | None = None,
) -> XmlTree[Taken]:
    """Read a document as far as it goes: one that is damaged, hostile or beyond a bound has a ``problem``.

    Args:
        name: of the document.
        pieces: its content, an iterable that may be read twice.
        work: the work limit of the package.
        take: see ``TreeReader``.
    """
    readers: list[TreeReader[Taken]] = []

    def make() -> TreeReader[Taken]:
        readers.append(TreeReader(name, work, take))
        return readers[-1]

    problem = ""
    try:
        read_xml(make, pieces)
    except CorruptPackageError as error:
        problem = error.message
    reader = max(reversed(readers), key=lambda each: (len(each.results), each.elements))
    return XmlTree(reader.tree or Element("", {}), tuple(reader.results), problem)
