"""Read XML that is not well-formed as Canvas's importer does: with libxml2 in recovery mode.

The importer (Nokogiri) uses the same mode. A document that can be recovered to its end is worth a warning. It counts as
unreadable if it ends early, or goes on after its root element, where the importer stops reading.
"""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from lxml import etree  # type: ignore[import-untyped]  # it has none of its own

from canvas_exports.core.packages.cartridge.xml_strict import (
    MAX_ATTRIBUTES,
    MAX_TOKEN,
    NotWellFormedError,
    XmlEvents,
)
from canvas_exports.errors import CorruptPackageError, HostileXmlError
from canvas_exports.foreign_text import harmless

# Put around the document, so that content beside its root element is reported instead of dropped silently.
_AROUND = "canvas-exports"
_LEVELS = 20

_AT_ONCE = 32 * 1024
_TAIL = 4096
_LONGEST_REFERENCE = 16  # characters

_MISMATCH = etree.ErrorTypes.ERR_TAG_NAME_MISMATCH
_MANY_ERRORS = 90  # libxml2 reports at most a hundred

_DECLARATION = re.compile(rb"<\?xml\s[^>]{0,500}?\?>")
_ENCODING = re.compile(rb"""encoding\s{0,20}=\s{0,20}["']([A-Za-z0-9._-]{1,40})["']""")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BYTEWISE = ("iso8859", "cp125", "koi8", "gb", "big5", "euc", "shift_jis", "mac-", "tis-")

_STRAY = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|&#(?:[xX]([0-9a-fA-F]{1,8})|([0-9]{1,10}));")
# libxml2 repeats the name of a namespace for every element in it, so a long one must not reach it: at most 2,000 characters,
# and 100 of its prefix and of each white space around. Canvas does not write such text outside of tags either.
_LONG_SPACE = re.compile(
    r"""xmlns(?::[^\s"'<>=]{101}|(?::[^\s"'<>=]{1,100})?"""
    r"""(?:\s{101}|\s{0,100}=(?:\s{101}|\s{0,100}(?:"[^"<]{2001}|'[^'<]{2001}))))"""
)
_LONGEST_SPACE = 2_400
_BESIDE_ROOT = re.compile(r"(?:\s|<!--(?:[^-]|-(?!->))*-->)*\Z")


def recover(events: XmlEvents, pieces: Iterable[bytes]) -> str | None:
    """Read a document in recovery mode.

    Returns:
        The first defect, in a sentence; ``None`` if there is none and only expat does not know the encoding.

    Raises:
        NotWellFormedError: the importer would lose some or all of it.
        HostileXmlError: beyond a bound.
    """
    refusal = _Refusal()
    source = _Source(events.name, pieces, refusal)
    target = _Target(events, refusal)
    parser = etree.XMLParser(
        target=target,
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        encoding="utf-8",
    )
    etree.parse(source, parser)
    if refusal.error is not None:
        raise refusal.error
    errors = list(parser.error_log)
    if target.root is None or target.lost or not source.tail.rstrip().endswith(">"):
        raise NotWellFormedError
    if target.closed < _LEVELS:
        # Each unclosed element leaves one level open. Either the document was cut, or only an end tag is missing.
        mismatches = sum(error.type == _MISMATCH for error in errors)
        end_tag_missing = mismatches > 1 or len(errors) >= _MANY_ERRORS
        if not end_tag_missing or not _ends_with(source.tail, target.root):
            raise NotWellFormedError
    if source.defect:
        return source.defect
    return f"line {errors[0].line:,}: {harmless(errors[0].message, most=120)}" if errors else None


class _Refusal:
    """Keeps the error that ended the reading. It is raised after libxml2 has returned, which would ignore it or hang."""

    def __init__(self) -> None:
        self.error: CorruptPackageError | None = None

    def guard(self, action: Callable[..., object], *arguments: object) -> None:
        """Call the action, unless there was an error."""
        if self.error is None:
            try:
                action(*arguments)
            except CorruptPackageError as error:
                self.error = error


class _Target:
    """Passes the events of the document on, and detects content beside its root element."""

    def __init__(self, events: XmlEvents, refusal: _Refusal) -> None:
        self._guard = refusal.guard
        self.root: str | None = None
        self.lost = False
        self.closed = 0
        self._events = events
        self._around = 0
        self._open: list[str] = []

    def start_ns(self, prefix: str, space: str) -> None:
        self._guard(self._events.namespace, prefix or "", space or "")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._around < _LEVELS:
            self._around += 1
            return
        space, _, local = tag.rpartition("}")
        if not self._open:
            if self.root is not None:
                self.lost = True
            self.root = self.root or local
        self._open.append(tag)
        if len(attributes) > MAX_ATTRIBUTES or sum(map(len, attributes.values())) > MAX_TOKEN:
            self._guard(self._refuse, "a tag of more than Canvas ever writes")
            return
        named = {_name(key): value for key, value in attributes.items()}
        self._guard(self._events.start_element, space[1:], local, named)

    def end(self, tag: str) -> None:
        # libxml2 does not report the end of an element whose start tag is damaged.
        while self._open and self._open.pop() != tag:
            self._guard(self._events.end_element)
        if tag == _AROUND:
            self.closed += 1
        else:
            self._guard(self._events.end_element)

    def data(self, text: str) -> None:
        if self._open:
            self._guard(self._events.characters, text)
        elif self.root is None and text.strip():
            self.lost = True
            if "!DOCTYPE" in text:
                self._guard(self._refuse, "a document type, which Canvas never writes")

    def _refuse(self, what: str) -> None:
        raise HostileXmlError(f"{self._events.name} has {what}")

    def comment(self, text: str) -> None:
        if len(text) > MAX_TOKEN:
            self._guard(self._refuse, f"a comment of more than {MAX_TOKEN:,} characters")
        self._guard(self._events.comment, text)

    def pi(self, target: str, data: str | None = None) -> None:
        """Ignore a processing instruction."""

    def close(self) -> None:
        """Return no result: the events were passed on."""


def _name(key: str) -> str:
    space, brace, local = key.rpartition("}")
    return f"{space[1:]} {local}" if brace else key


class _Source:
    """A file object that gives the document in UTF-8, without characters that XML forbids.

    Args:
        name: of the document, for messages.

    Attributes:
        tail: its last characters.
        defect: which characters were left out or replaced.
    """

    def __init__(self, name: str, pieces: Iterable[bytes], refusal: _Refusal) -> None:
        self._name = name
        self._refusal = refusal
        self.tail = ""
        self.defect: str | None = None
        self._pieces = self._all(iter(pieces))

    def read(self, _: int = -1) -> bytes:
        """Return the next bytes; none after the end or an error."""
        if self._refusal.error is not None:
            return b""
        try:
            return next(self._pieces, b"")
        except CorruptPackageError as error:
            self._refusal.error = error
            return b""

    def _all(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        yield f"<{_AROUND}>".encode() * _LEVELS
        for text in self._texts(pieces):
            if _LONG_SPACE.search(self.tail[-_LONGEST_SPACE:] + text):
                raise HostileXmlError(f"{self._name} has a longer namespace than any course")
            self.tail = (self.tail + text)[-_TAIL:]
            for start in range(0, len(text), _AT_ONCE):
                yield text[start : start + _AT_ONCE].encode("utf-8", "replace")
        yield f"</{_AROUND}>".encode() * _LEVELS

    def _texts(self, pieces: Iterator[bytes]) -> Iterator[str]:
        head = b""
        for piece in pieces:
            head += piece
            if len(head) >= _TAIL:
                break
        encoding, head, is_as_declared = _encoding(head)
        if not is_as_declared:
            self.defect = "it is not in the encoding that it declares"
        decoder = codecs.getincrementaldecoder(encoding)("replace")
        waiting = ""
        for piece in chain([head], pieces):
            text = waiting + decoder.decode(piece)
            cut = text.rfind("&", max(0, len(text) - _LONGEST_REFERENCE))
            text, waiting = (text, "") if cut < 0 else (text[:cut], text[cut:])
            yield self._clean(text)
        yield self._clean(waiting + decoder.decode(b"", final=True))

    def _clean(self, text: str) -> str:
        if "\ufffd" in text:
            self.defect = self.defect or "some of its bytes are not valid in its encoding"
        return _STRAY.sub(self._without, text)

    def _without(self, stray: re.Match[str]) -> str:
        hexadecimal, decimal = stray.groups()
        number = int(hexadecimal, 16) if hexadecimal else int(decimal) if decimal else 0
        if stray[0][0] == "&" and _is_allowed(number):
            return stray[0]
        self.defect = self.defect or "it contains characters that XML forbids"
        return ""


def _is_allowed(number: int) -> bool:
    if number > sys.maxunicode:
        return False
    letter = chr(number)
    return not ("\ud800" <= letter <= "\udfff" or _STRAY.match(letter))


def _encoding(head: bytes) -> tuple[str, bytes, bool]:
    """Return the encoding, the beginning without mark and declaration, and whether the declaration states this encoding."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, head[len(mark) :], True
    if head.startswith((b"<\0", b"\0<")):
        return "utf-16-le" if head[1:2] == b"\0" else "utf-16-be", head, True
    declaration = _DECLARATION.match(head)
    stated = _ENCODING.search(declaration[0]) if declaration else None
    rest = head[declaration.end() :] if declaration else head
    if stated is None:
        return "utf-8", rest, True
    try:
        name = codecs.lookup(stated[1].decode()).name
    except LookupError:
        name = "unknown"
    if name.startswith(_BYTEWISE):
        return name, rest, True
    return "utf-8", rest, name == "utf-8"


def _ends_with(tail: str, root: str) -> bool:
    """Return whether the last tag closes the root element."""
    end = (
        re.match(rf"</(?:[^\s<>:]{{1,100}}:)?{re.escape(root)}\s{{0,100}}>", tail[(at := tail.rfind("</")) :])
        if "</" in tail
        else None
    )
    return end is not None and _BESIDE_ROOT.match(tail, at + end.end()) is not None
