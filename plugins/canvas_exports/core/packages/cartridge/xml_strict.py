"""Well-formed XML as it passes, by expat: within bounds of names, attributes and tokens, and without document types.

Expat could resolve namespaces itself, but it would build the name of every element anew, however long the namespace's is,
and it takes a namespace that is not declared for an end. So it does not, and prefixes are looked up here.
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


class Events(Protocol):
    """Whoever is told what a document says. ``space`` is the name of a namespace, or empty."""

    name: str

    def begin(self, space: str, local: str, attributes: dict[str, str]) -> None:
        """An element begins. Names of attributes with a prefix are the namespace, a blank, and the local name."""

    def declared(self, prefix: str, space: str) -> None:
        """The next element declares a namespace."""

    def finish(self) -> None:
        """The innermost element ends."""

    def said(self, text: str) -> None:
        """Text of the innermost element, or outside of all."""

    def commented(self, text: str) -> None:
        """A comment."""


class NotWellFormedError(Exception):
    """It is not XML as the standard has it."""


class StrictParser:
    """Parses what is fed.

    Attributes:
        undeclared: a prefix that no namespace was declared for, if there was one.
    """

    def __init__(self, events: Events) -> None:
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
        self._parser.CharacterDataHandler = events.said
        self._parser.CommentHandler = events.commented

    def feed(self, piece: bytes | memoryview) -> None:
        """The next bytes.

        Raises:
            NotWellFormedError: it is not well-formed.
            HostileXmlError: it exceeds a bound.
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
        """The document ends here. Raises what ``feed`` does."""
        self._parse(b"", last=True)

    def _parse(self, piece: bytes, *, last: bool) -> None:
        try:
            self._parser.Parse(piece, last)
        except (
            expat.ExpatError,
            LookupError,
            ValueError,
            Warning,
        ):  # all but the first of an unknown encoding
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
            self._events.begin(self._spaces.get("", ""), name, attributes)
            return
        self._events.begin(self._space(prefix), local, attributes)

    def _end(self, _: str) -> None:
        self._events.finish()
        outer = self._outer.pop()
        if outer is not None:
            self._spaces = outer

    def _resolved(self, attributes: dict[str, str]) -> dict[str, str]:
        if len(attributes) > MAX_ATTRIBUTES:
            raise HostileXmlError(
                f"{self._events.name} has an element of {len(attributes):,} attributes; no course has more than {MAX_ATTRIBUTES}"
            )
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
                self._events.declared(prefix, space)
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
