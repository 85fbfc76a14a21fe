"""Read untrusted XML within bounds, as tolerantly as Canvas's importer: no document types, hence no entities.

Documents are read in pieces and never kept whole: a reader keeps only the values it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from canvas_exports.core.packages.cartridge.xml_recovering import recover
from canvas_exports.core.packages.cartridge.xml_strict import (
    MAX_ATTRIBUTES,
    MAX_NAME,
    NotWellFormedError,
    StrictParser,
)
from canvas_exports.core.packages.work_limits import (
    ATTRIBUTE,
    ELEMENT,
    RECOVERED_BYTE,
    REFERENCE,
    WorkLimit,
)
from canvas_exports.errors import CorruptPackageError, HostileXmlError
from canvas_exports.foreign_text import harmless

MAX_DEPTH = 100
MAX_ELEMENTS = 500_000
MAX_SPACE = 2_000
_MAX_TEXT = 2_000

#: Longest document that is read in recovery mode. So much of a streamed document is kept, for a second read.
MAX_RECOVERED = 4 * 1024 * 1024


class XmlReader:
    """Keeps the root element and the texts of chosen elements, the first of each name.

    Args:
        name: of the document, for messages.
        texts_of: local names of the elements whose text is kept, cut to 2,000 characters.
        work: the work limit of the package.

    Attributes:
        root: local name of the root element; ``None`` before it is read.
        texts: stripped texts of the chosen elements, by name.
        open: local names of the open elements, outermost first.
        elements: number of elements so far.
        space: namespace of the newest element.
        defect: why the document is not well-formed, although it could be read; ``None`` if it is well-formed.
    """

    def __init__(self, name: str, texts_of: Iterable[str] = (), work: WorkLimit | None = None) -> None:
        self.name = name
        self.texts: dict[str, str] = {}
        self.root: str | None = None
        self.open: list[str] = []
        self.space = ""
        self.defect: str | None = None
        self.work = work or WorkLimit()
        self._wanted = set(texts_of)
        self.elements = 0

    def on_start(self, name: str, attributes: dict[str, str]) -> None:
        """Handle an element that begins: the last of ``open``."""

    def on_end(self, name: str) -> None:
        """Handle an element that ends: still the last of ``open``."""

    def characters(self, text: str) -> None:
        """Handle text of the innermost element, perhaps only a part of it."""
        name = self.open[-1]
        if name in self._wanted:
            self.texts[name] = (self.texts.get(name, "") + text)[:_MAX_TEXT].lstrip()

    def comment(self, text: str) -> None:
        """Handle a comment."""

    def namespace(self, prefix: str, space: str) -> None:  # noqa: ARG002 - for overriding methods
        """Handle a namespace declaration of the element that begins next."""
        if len(space) > MAX_SPACE:
            raise HostileXmlError(
                f"{self.name} has a namespace of {len(space):,} characters; no course has more than {MAX_SPACE:,}"
            )

    def start_element(self, space: str, local: str, attributes: dict[str, str]) -> None:
        """Handle an event, see ``XmlEvents``."""
        self.elements += 1
        self.work.spend(ELEMENT + ATTRIBUTE * len(attributes), self.name)
        if len(self.open) >= MAX_DEPTH or self.elements > MAX_ELEMENTS:
            raise HostileXmlError(f"{self.name} is deeper or longer than any course makes it")
        if len(local) > MAX_NAME or len(attributes) > MAX_ATTRIBUTES:
            raise HostileXmlError(f"{self.name} has longer names, or more attributes, than any course")
        self.open.append(local)
        self.space = space
        if self.root is None:
            self.root = local
        self.on_start(local, attributes)

    def end_element(self) -> None:
        """Handle an event, see ``XmlEvents``."""
        name = self.open[-1]
        self.on_end(name)
        if name in self._wanted:
            self._wanted.discard(name)
            if name in self.texts:
                self.texts[name] = self.texts[name].strip()
        self.open.pop()


Reader = TypeVar("Reader", bound=XmlReader)


def read_xml(make: Callable[[], Reader], pieces: Iterable[bytes]) -> Reader:
    """Read a document that can be read twice: the second time in recovery mode, with a new reader.

    Raises:
        CorruptPackageError: not XML, or not readable to its end.
        HostileXmlError: a document type, or beyond a bound.
    """
    reader = make()
    strict = StrictParser(reader)
    try:
        for piece in pieces:
            reader.work.spend(len(piece), reader.name)
            strict.feed(piece)
        strict.end()
    except NotWellFormedError:
        return _recovered(make(), pieces)
    reader.defect = _undeclared(strict)
    return reader


class StreamedXml:
    """Reads a document that streams by once. Up to 4 MiB are kept, for a second read in recovery mode."""

    def __init__(self, make: Callable[[], XmlReader]) -> None:
        self._make = make
        self._reader = make()
        self._strict: StrictParser | None = StrictParser(self._reader)
        self._kept: list[bytes] | None = []
        self._size = 0

    def feed(self, piece: bytes | memoryview) -> None:
        """Read the next piece. Raises ``HostileXmlError`` as ``read_xml`` does."""
        self._reader.work.spend(len(piece), self._reader.name)
        self._size += len(piece)
        if self._size > MAX_RECOVERED:
            self._kept = None
        if self._kept is not None:
            self._kept.append(bytes(piece))
        if self._strict is not None:
            try:
                self._strict.feed(piece)
            except NotWellFormedError:
                self._strict = None

    def end(self) -> XmlReader:
        """Return the reader of the whole document. Raises the errors of ``read_xml``."""
        if self._strict is not None:
            try:
                self._strict.end()
            except NotWellFormedError:
                self._strict = None
            else:
                self._reader.defect = _undeclared(self._strict)
                return self._reader
        if self._kept is None:
            raise CorruptPackageError(
                f"{self._reader.name} is not well-formed XML, and too long to be recovered"
            )
        return _recovered(self._make(), self._kept)


def _recovered(reader: Reader, pieces: Iterable[bytes]) -> Reader:
    try:
        reader.defect = recover(reader, _limited(reader, pieces))
    except NotWellFormedError:
        raise CorruptPackageError(
            f"{reader.name} is not well-formed XML, and cannot be recovered to its end"
        ) from None
    return reader


def _limited(reader: XmlReader, pieces: Iterable[bytes]) -> Iterable[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > MAX_RECOVERED:
            raise CorruptPackageError(f"{reader.name} is not well-formed XML, and too long to be recovered")
        reader.work.spend(RECOVERED_BYTE * len(piece) + REFERENCE * piece.count(b"&"), reader.name)
        yield piece


def _undeclared(strict: StrictParser) -> str | None:
    if strict.undeclared is None:
        return None
    return f"the namespace prefix {harmless(strict.undeclared, most=50)!r} is not declared"
