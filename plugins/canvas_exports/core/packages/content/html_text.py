"""Read the HTML of a page or an assignment: its title, what Canvas noted in its head, its body, and where it leads."""

from __future__ import annotations

import codecs
import html
import re
from dataclasses import dataclass, field

from canvas_exports.core.text.html_parser import parse_html

_BODY = re.compile(r"<body\b", re.IGNORECASE)
_BODY_ENDS = re.compile(r"</body\b", re.IGNORECASE)
_HEAD = re.compile(r"\A.{0,20000}?</head\s{0,100}>", re.IGNORECASE | re.DOTALL)
_CHARSET = re.compile(rb"""charset\s{0,10}=\s{0,10}["']?\s{0,10}([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_ENCODINGS = re.compile(
    r"(utf-?(8|16|16le|16be)|iso-?8859-\d{1,2}|latin-?1|windows-\d{3,4}|cp\d{3,4}|shift_?jis|gb\w+|big5|euc-\w+|koi8-\w)\Z"
)
_LINKS = ("href", "src", "data", "poster", "cite", "longdesc")
_MOST_LINKS = 10_000
_LONGEST_LINK = 2_000
_MOST_META = 100
_LONGEST_TITLE = 2_000


def decode(data: bytes) -> str:
    """Decode text of unknown encoding: by its mark, as UTF-8, as it declares itself, else as Windows-1252.

    Nothing is refused: a byte without meaning becomes U+FFFD.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if data.startswith((b"<\0", b"\0<")):
        return data.decode("utf-16-le" if data[1:2] == b"\0" else "utf-16-be", "replace")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        if (
            error.start > len(data) - 4 and error.reason == "unexpected end of data"
        ):  # only the beginning was read
            return data[: error.start].decode()
    declared = _CHARSET.search(data[:4096])
    name = declared[1].decode().lower() if declared else ""
    encoding = name if _ENCODINGS.match(name) and not name.startswith("utf") else "cp1252"
    try:
        return data.decode(encoding, "replace")
    except LookupError:
        return data.decode("cp1252", "replace")


@dataclass
class HtmlHead:
    """The head of a page.

    Attributes:
        title: of the page; ``""`` if it has none.
        meta: what its ``meta`` elements say by name, such as ``workflow_state``.
    """

    title: str = ""
    meta: dict[str, str] = field(default_factory=dict)


def read_head(text: str) -> HtmlHead:
    """Read the head of a page, from its text or the beginning of it."""
    found = _HEAD.match(text)
    target = _Target()
    parse_html(found[0] if found else text[:20_000], target)
    return HtmlHead(" ".join(target.title.split())[:_LONGEST_TITLE], target.meta)


def body_of(text: str) -> str:
    """Return the body of a page as it is written; all of a text that is no whole page."""
    found = _BODY.search(text)
    begin = text.find(">", found.end()) + 1 if found else 0
    if not begin:
        return text
    stop = len(text)
    for end in _BODY_ENDS.finditer(text, begin):
        stop = end.start()
    return text[begin:stop].strip()


def links_of(*texts: str) -> tuple[str, ...]:
    """Return where texts in HTML lead to, each address once, as it is written: at most 10,000, each of 2,000 characters."""
    target = _Target()
    for text in texts:
        if "=" in text:
            parse_html(text, target)
    return tuple(target.links)


def plain_as_html(text: str) -> str:
    """Return plain text as HTML."""
    return html.escape(text, quote=False)


def link_to(address: str, text: str = "") -> str:
    """Return a link in HTML, by default with the last part of the address as its text."""
    shown = text or address.partition("?")[0].rstrip("/").rpartition("/")[2] or address
    return f'<a href="{html.escape(address)}">{html.escape(shown)}</a>'


class _Target:
    """Collects what the parser finds."""

    def __init__(self) -> None:
        self.title = ""
        self.meta: dict[str, str] = {}
        self.links: dict[str, None] = {}
        self._in_title = False

    @property
    def is_full(self) -> bool:
        return False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "title":
            self._in_title = not self.title
        elif tag == "meta" and "name" in attributes and len(self.meta) < _MOST_META:
            self.meta.setdefault(attributes["name"][:100], attributes.get("content", "")[:_LONGEST_TITLE])
        for name in _LINKS:
            address = attributes.get(name)
            if address and len(address) <= _LONGEST_LINK and len(self.links) < _MOST_LINKS:
                self.links.setdefault(address.strip())

    def end(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False

    def data(self, text: str) -> None:
        if self._in_title:
            self.title = (self.title + text)[:_LONGEST_TITLE]
