"""Parse well-formed XML in pieces, with expat: bounded names, attributes and tokens, and no document types.

Prefixes are resolved here, because expat would build every element's name again, however long its namespace is, and
stops at a prefix that is not declared.
"""

from __future__ import annotations

from typing import Protocol
from xml.parsers import expat

from canvas_exports.errors import HostileXmlError

MAX_TOKEN = 256 * 1024
MAX_NAME = 1_000
MAX_NAMES = 10_000
MAX_ATTRIBUTES = 256
_MAX_PREFIXES = 64
_AT_ONCE = 64 * 1024
_XML = {"xml": "http://www.w3.org/XML/1998/namespace"}


class XmlEvents(Protocol):
    """Receives the events of a document. ``space`` is the name of a namespace, or empty."""

    name: str

    def start_element(self, space: str, local: str, attributes: dict[str, str]) -> None:
        """Begin an element. The name of an attribute with a prefix is its namespace, a blank, and the local name."""

    def namespace(self, prefix: str, space: str) -> None:
        """Handle a namespace that the next element declares."""

    def end_element(self) -> None:
        """End the innermost element."""

    def characters(self, text: str) -> None:
        """Handle text of the innermost element, or outside of all elements."""

    def comment(self, text: str) -> None:
        """Handle a comment."""


class NotWellFormedError(Exception):
    """The document is not well-formed XML."""


class StrictParser:
    """Parses a document piece by piece.

    Attributes:
        undeclared: the first prefix without a declared namespace, if there is one.
    """

    def __init__(self, events: XmlEvents) -> None:
        self.undeclared: str | None = None
        self._events = events
        self._fed = 0
        self._names: dict[str, str] = {}
        self._spaces: dict[str, str] = _XML
        self._outer: list[dict[str, str] | None] = []
        self._parser = expat.ParserCreate(None, None, self._names)
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = events.characters
        self._parser.CommentHandler = events.comment

    def feed(self, piece: bytes | memoryview) -> None:
        """Parse the next bytes.

        Raises:
            NotWellFormedError: not well-formed.
            HostileXmlError: beyond a bound.
        """
        for start in range(0, len(piece), _AT_ONCE):
            part = bytes(piece[start : start + _AT_ONCE])
            self._parse(part, last=False)
            self._fed += len(part)
            if self._fed - self._parser.CurrentByteIndex > MAX_TOKEN + _AT_ONCE:
                raise HostileXmlError(
                    f"{self._events.name} has a tag or comment of more than {MAX_TOKEN:,} bytes"
                )
            if len(self._names) > MAX_NAMES:
                raise HostileXmlError(f"{self._events.name} has more than {MAX_NAMES:,} different names")

    def end(self) -> None:
        """End the document. Raises the errors of ``feed``."""
        self._parse(b"", last=True)

    def _parse(self, piece: bytes, *, last: bool) -> None:
        try:
            self._parser.Parse(piece, last)
        except (expat.ExpatError, LookupError, ValueError, Warning):
            # All but the first: an unknown encoding.
            raise NotWellFormedError from None

    def _doctype(self, *_: object) -> None:
        raise HostileXmlError(f"{self._events.name} has a document type, which Canvas never writes")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if attributes:
            attributes = self._resolved(attributes)
        else:
            self._outer.append(None)
        prefix, colon, local = name.partition(":")
        if not colon:
            self._events.start_element(self._spaces.get("", ""), name, attributes)
            return
        self._events.start_element(self._space(prefix), local, attributes)

    def _end(self, _: str) -> None:
        self._events.end_element()
        outer = self._outer.pop()
        if outer is not None:
            self._spaces = outer

    def _resolved(self, attributes: dict[str, str]) -> dict[str, str]:
        if len(attributes) > MAX_ATTRIBUTES:
            raise HostileXmlError(
                f"{self._events.name} has an element of {len(attributes):,} attributes; no course has more than {MAX_ATTRIBUTES}"
            )
        names = " ".join(attributes)
        if ":" not in names and "xmlns" not in names:  # nearly all
            self._outer.append(None)
            return attributes
        plain = {}
        declared = {}
        for key, value in attributes.items():
            if key == "xmlns" or key.startswith("xmlns:"):
                declared[key[6:]] = value
            else:
                plain[key] = value
        self._outer.append(self._spaces if declared else None)
        if declared:
            self._spaces = {**self._spaces, **declared}
            if len(self._spaces) > _MAX_PREFIXES:
                raise HostileXmlError(f"{self._events.name} has more than {_MAX_PREFIXES} namespaces at once")
            for prefix, space in declared.items():
                self._events.namespace(prefix, space)
        for key in [key for key in plain if ":" in key]:
            value = plain.pop(key)
            prefix, _, local = key.partition(":")
            space = self._space(prefix)
            plain.setdefault(f"{space} {local}" if space else local, value)
        return plain

    def _space(self, prefix: str) -> str:
        space = self._spaces.get(prefix, "")
        if not space and self.undeclared is None:
            self.undeclared = prefix
        return space
