"""A bounded reader of a stranger's XML, as tolerant as Canvas's importer: no document types, hence no entities.

The text of a document is never held: it is read in pieces, and a reader keeps what it came for.
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
    MENDED_BYTE,
    REFERENCE,
    Work,
)
from canvas_exports.errors import CorruptPackageError, HostileXmlError
from canvas_exports.foreign_text import harmless

MAX_DEPTH = 100
MAX_ELEMENTS = 500_000
MAX_SPACE = 2_000
_MAX_TEXT = 2_000

#: A longer document is not mended. Of one that passes so much is kept, to be read once more.
MAX_MENDED = 4 * 1024 * 1024


class XmlReader:
    """Remembers the root element, and the text of a few elements, the first of each name.

    Args:
        name: of the document, for messages.
        texts_of: local names of the elements whose text is remembered, shortened to 2,000 characters.
        work: what may still be done for the package.

    Attributes:
        root: local name of the root element; ``None`` before it was read.
        texts: what the elements said, by name, stripped.
        open: local names of the elements that are open, outermost first.
        elements: how many have begun.
        space: the namespace of the element that begins.
        oddity: what is not well-formed in it, in a sentence, though it could be read to its end; ``None``: nothing.
    """

    def __init__(self, name: str, texts_of: Iterable[str] = (), work: Work | None = None) -> None:
        self.name = name
        self.texts: dict[str, str] = {}
        self.root: str | None = None
        self.open: list[str] = []
        self.space = ""
        self.oddity: str | None = None
        self.work = work or Work()
        self._wanted = set(texts_of)
        self.elements = 0

    def started(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins; it is the last of ``open``."""

    def ended(self, name: str) -> None:
        """An element ends; it is still the last of ``open``."""

    def said(self, text: str) -> None:
        """Text of the innermost element, perhaps not all of it."""
        name = self.open[-1]
        if name in self._wanted:
            self.texts[name] = (self.texts.get(name, "") + text)[:_MAX_TEXT].lstrip()

    def commented(self, text: str) -> None:
        """A comment."""

    def declared(self, prefix: str, space: str) -> None:  # noqa: ARG002 - for those who override it
        """A namespace is declared by the element that begins next."""
        if len(space) > MAX_SPACE:
            raise HostileXmlError(
                f"{self.name} has a namespace of {len(space):,} characters; no course has more than {MAX_SPACE:,}"
            )

    def begin(self, space: str, local: str, attributes: dict[str, str]) -> None:
        """See ``Events``."""
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
        self.started(local, attributes)

    def finish(self) -> None:
        """See ``Events``."""
        name = self.open[-1]
        self.ended(name)
        if name in self._wanted:
            self._wanted.discard(name)
            if name in self.texts:
                self.texts[name] = self.texts[name].strip()
        self.open.pop()


Reader = TypeVar("Reader", bound=XmlReader)


def read(make: Callable[[], Reader], pieces: Iterable[bytes]) -> Reader:
    """Read a document that can be read twice: the second time if it has to be mended, with a new reader.

    Raises:
        CorruptPackageError: it is not XML, or the rest of it is lost.
        HostileXmlError: a document type, or more of anything than any course has.
    """
    reader = make()
    strict = StrictParser(reader)
    try:
        for piece in pieces:
            reader.work.spend(len(piece), reader.name)
            strict.feed(piece)
        strict.end()
    except NotWellFormedError:
        return _mended(make(), pieces)
    reader.oddity = _undeclared(strict)
    return reader


class Passing:
    """Reads a document that passes once. What it may have to be read again for is kept until it has ended."""

    def __init__(self, make: Callable[[], XmlReader]) -> None:
        self._make = make
        self._reader = make()
        self._strict: StrictParser | None = StrictParser(self._reader)
        self._kept: list[bytes] | None = []
        self._size = 0

    def feed(self, piece: bytes | memoryview) -> None:
        """The next piece. Raises ``HostileXmlError`` as ``read`` does."""
        self._reader.work.spend(len(piece), self._reader.name)
        self._size += len(piece)
        if self._size > MAX_MENDED:
            self._kept = None
        if self._kept is not None:
            self._kept.append(bytes(piece))
        if self._strict is not None:
            try:
                self._strict.feed(piece)
            except NotWellFormedError:
                self._strict = None

    def end(self) -> XmlReader:
        """The reader that has seen all of it. Raises what ``read`` does."""
        if self._strict is not None:
            try:
                self._strict.end()
            except NotWellFormedError:
                self._strict = None
            else:
                self._reader.oddity = _undeclared(self._strict)
                return self._reader
        if self._kept is None:
            raise CorruptPackageError(
                f"{self._reader.name} is not well-formed XML, and too long to be mended"
            )
        return _mended(self._make(), self._kept)


def _mended(reader: Reader, pieces: Iterable[bytes]) -> Reader:
    try:
        reader.oddity = recover(reader, _counted(reader, pieces))
    except NotWellFormedError:
        raise CorruptPackageError(
            f"{reader.name} is not well-formed XML, and what is lost of it cannot be mended"
        ) from None
    return reader


def _counted(reader: XmlReader, pieces: Iterable[bytes]) -> Iterable[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > MAX_MENDED:
            raise CorruptPackageError(f"{reader.name} is not well-formed XML, and too long to be mended")
        reader.work.spend(MENDED_BYTE * len(piece) + REFERENCE * piece.count(b"&"), reader.name)
        yield piece


def _undeclared(strict: StrictParser) -> str | None:
    if strict.undeclared is None:
        return None
    return f"the namespace prefix {harmless(strict.undeclared, most=50)!r} is not declared"
