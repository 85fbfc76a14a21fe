"""A bounded reader of a stranger's XML: no document type, hence no entities; limits on depth and elements.

The text of a document is never held: it is fed in pieces, and a reader keeps what it came for.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.parsers import expat

from canvas_exports.errors import CorruptPackageError

_MAX_DEPTH = 100
_MAX_ELEMENTS = 500_000
_MAX_TEXT = 2_000


class HostileXmlError(CorruptPackageError):
    """XML that Canvas never writes: with a document type, or deeper or longer than any course makes it."""


class XmlReader:
    """Remembers the root element, and the text of a few elements, the first of each name.

    Args:
        name: of the document, for messages.
        texts_of: local names of the elements whose text is remembered, shortened to 2,000 characters.

    Attributes:
        root: local name of the root element; ``None`` before it was read.
        texts: what the elements said, by name; stripped once the document has ended.
        open: local names of the elements that are open, outermost first.
    """

    def __init__(self, name: str, texts_of: Iterable[str] = ()) -> None:
        self.texts: dict[str, str] = {}
        self.root: str | None = None
        self.open: list[str] = []
        self._name = name
        self._wanted = set(texts_of)
        self._elements = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self.said
        self._parser.CommentHandler = self.commented

    def read(self, pieces: Iterable[bytes]) -> None:
        """The whole document.

        Raises:
            CorruptPackageError: not well-formed.
            HostileXmlError: a document type, or too deep or long.
        """
        for piece in pieces:
            self.feed(piece)
        self.end()

    def feed(self, piece: bytes | memoryview) -> None:
        """The next piece. Raises what ``read`` does."""
        self._parse(piece, last=False)

    def end(self) -> None:
        """The document ends here. Raises what ``read`` does."""
        self._parse(b"", last=True)
        self.texts = {name: text.strip() for name, text in self.texts.items()}

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

    def _parse(self, piece: bytes | memoryview, *, last: bool) -> None:
        try:
            self._parser.Parse(bytes(piece) if isinstance(piece, memoryview) else piece, last)
        except (expat.ExpatError, LookupError, ValueError):  # the latter two of an unknown encoding
            raise CorruptPackageError(f"{self._name} is not well-formed XML") from None

    def _doctype(self, *_: object) -> None:
        raise HostileXmlError(f"{self._name} has a document type, which Canvas never writes")

    def _start(self, qualified: str, attributes: dict[str, str]) -> None:
        name = qualified.rpartition(" ")[2]
        self._elements += 1
        self.open.append(name)
        if len(self.open) > _MAX_DEPTH or self._elements > _MAX_ELEMENTS:
            raise HostileXmlError(f"{self._name} is deeper or longer than any course makes it")
        if self.root is None:
            self.root = name
        self.started(name, attributes)

    def _end(self, _: str) -> None:
        name = self.open[-1]
        self.ended(name)
        self._wanted.discard(name)
        self.open.pop()
