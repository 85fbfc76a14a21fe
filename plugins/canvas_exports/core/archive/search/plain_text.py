"""The plain text of HTML from a package, for the search index. Linear time and bounded memory, whatever the HTML is."""

from __future__ import annotations

import re

from canvas_exports.core.text.html_parser import parse_html

#: Characters of HTML that are read, and of text that are kept, of one document.
MOST_HTML = 2_000_000
MOST_TEXT = 100_000

#: Elements within a line; any other element separates words.
_INLINE = frozenset(
    (
        "a",
        "abbr",
        "acronym",
        "b",
        "bdi",
        "bdo",
        "big",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "ins",
        "kbd",
        "mark",
        "q",
        "rp",
        "rt",
        "ruby",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "time",
        "tt",
        "u",
        "var",
        "wbr",
    )
)
_UNSEEN = frozenset(("script", "style", "template", "noscript", "iframe", "object", "svg", "head"))
_DESCRIBED = ("alt", "aria-label", "title")
_MOST_UNSEEN = 65_536  # elements within each other
_CONTROLS = re.compile("[\\x00-\\x1f\\x7f-\\x9f\ud800-\udfff\\s]+")


def plain_text(html: str, *, most: int = MOST_TEXT) -> str:
    """Return the text of HTML as one line: what a reader sees, and what images are described with.

    Nothing of scripts, styles and embedded documents. Beyond ``MOST_HTML`` characters nothing is read.
    """
    if "<" not in html and "&" not in html:
        return one_line(html[:MOST_HTML], most=most)
    target = _Text(most)
    parse_html(html[:MOST_HTML], target)
    return one_line("".join(target.pieces), most=most)


def one_line(text: str, *, most: int) -> str:
    """Return text without control characters and half surrogate pairs, with single blanks, cut at a number of characters."""
    return _CONTROLS.sub(" ", text[: 4 * most]).strip()[:most].rstrip()


class _Text:
    """Collects text until it has enough."""

    def __init__(self, most: int) -> None:
        self.pieces: list[str] = []
        self._left = 2 * most
        self._unseen: list[str] = []

    @property
    def is_full(self) -> bool:
        return self._left <= 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._unseen:
            if tag == self._unseen[-1] and len(self._unseen) < _MOST_UNSEEN:
                self._unseen.append(tag)
        elif tag in _UNSEEN:
            self._unseen.append(tag)
        else:
            if tag == "img":
                self._add(" " + next((attributes[name] for name in _DESCRIBED if attributes.get(name)), ""))
            if tag not in _INLINE:
                self._add(" ")

    def end(self, tag: str) -> None:
        if self._unseen:
            if tag == self._unseen[-1]:
                self._unseen.pop()
        elif tag not in _INLINE:
            self._add(" ")

    def data(self, text: str) -> None:
        if not self._unseen:
            self._add(text)

    def _add(self, text: str) -> None:
        if self._left > 0:
            self.pieces.append(text[: self._left])
            self._left -= len(text)
