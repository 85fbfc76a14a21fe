"""Write well-formed HTML of bounded depth and length, so that every parser reads it alike and in linear time."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

#: Elements that may be open at once; deeper tags are left out, their text is not.
MAX_DEPTH = 100

_PIECE = 1 << 14  # characters of text between two looks at the limit

_VOID = frozenset({"br", "col", "hr", "img", "wbr"})
_HEADINGS = frozenset({"h2", "h3", "h4", "h5", "h6"})
_BLOCKS = _HEADINGS | {
    "blockquote", "details", "div", "dl", "figcaption", "figure", "hr", "ol", "p", "pre", "summary", "table", "ul",
}  # fmt: skip
_ROWS = frozenset({"thead", "tbody", "tfoot"})
_CELLS = frozenset({"td", "th"})
#: Elements that a start tag closes, up to the nearest of the elements in the second set.
_CLOSES: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "li": (frozenset({"li"}), frozenset({"ol", "ul"}) | _CELLS),
    **dict.fromkeys(("dt", "dd"), (frozenset({"dt", "dd"}), frozenset({"dl"}) | _CELLS)),
    **dict.fromkeys(_CELLS, (_CELLS, frozenset({"table"}))),
    "tr": (frozenset({"tr", "caption", "colgroup"}), frozenset({"table"})),
    **dict.fromkeys(_ROWS, (_ROWS | {"tr", "caption", "colgroup"}, frozenset({"table"}))),
    "colgroup": (frozenset({"caption", "colgroup"}), frozenset({"table"})),
    **dict.fromkeys(_HEADINGS, (_HEADINGS, _CELLS | {"div", "li", "table"})),
    **dict.fromkeys(("rt", "rp"), (frozenset({"rt", "rp"}), frozenset({"ruby"}))),
    "a": (frozenset({"a"}), frozenset({"table"})),
    "summary": (frozenset({"summary"}), frozenset({"details"})),
}
#: What an element has to be in, directly or not; else its tag is left out.
_WITHIN = {
    "caption": "table", "colgroup": "table", "col": "table", "tbody": "table", "thead": "table", "tfoot": "table",
    "tr": "table", "td": "tr", "th": "tr", "summary": "details", "figcaption": "figure", "rt": "ruby", "rp": "ruby",
}  # fmt: skip


class BalancedHtml:
    """HTML that is written tag by tag, in any order, and comes out well-formed.

    Args:
        limit: characters after which nothing more is written.
    """

    def __init__(self, *, limit: int) -> None:
        self._parts: list[str] = []
        self._open: list[str] = []
        self._left = limit

    @property
    def is_full(self) -> bool:
        """Return whether the limit is reached."""
        return self._left <= 0

    def text(self, text: str) -> None:
        """Write text; it is escaped."""
        for at in range(0, len(text), _PIECE):
            if self.is_full:
                return
            self._add(escape(text[at : at + _PIECE].replace("\0", ""), quote=False))

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Write a start tag, and before it the end tags that it implies."""
        if name in _VOID:
            self.void(name, attributes)
            return
        self._make_room(name)
        needed = _WITHIN.get(name)
        if needed == "tr" and "tr" not in self._since("table") and "table" in self._open:
            self.start("tr", {})
        if len(self._open) >= MAX_DEPTH or (needed and needed not in self._open):
            return
        self._open.append(name)
        self._add(_tag(name, attributes))

    def end(self, name: str) -> None:
        """Write an end tag, and those of what is open within; nothing, if no such element is open here."""
        within = self._open if name == "table" else self._since("table", *(() if name in _WITHIN else _CELLS))
        if name in within:
            self._close_until(len(self._open) - within[::-1].index(name) - 1)

    def element(self, name: str, attributes: Mapping[str, str], text: str) -> None:
        """Write an element of ours with text. It is written at any depth."""
        self._make_room(name)
        self._add(f"{_tag(name, attributes)}{escape(text, quote=False)}</{name}>")

    def void(self, name: str, attributes: Mapping[str, str], *, free: bool = False) -> None:
        """Write an element without content.

        Args:
            name: of the element.
            attributes: with their values.
            free: whether its length does not count.
        """
        self._make_room(name)
        if name == "col" and "table" not in self._open:
            return
        left = self._left
        self._add(_tag(name, attributes))
        if free:
            self._left = left - len(name)

    def closed(self) -> str:
        """Close what is open, and return all that was written."""
        self._close_until(0)
        return "".join(self._parts)

    def _make_room(self, name: str) -> None:
        if name in _BLOCKS:
            self._close_nearest(frozenset({"p"}), _CELLS | {"table"})
        if name in _CLOSES:
            self._close_nearest(*_CLOSES[name])

    def _close_nearest(self, names: frozenset[str], barrier: frozenset[str]) -> None:
        """Close the outermost of some elements that is open here, and what is within it."""
        outermost = None
        for at in range(len(self._open) - 1, -1, -1):
            if self._open[at] in barrier and self._open[at] not in names:
                break
            if self._open[at] in names:
                outermost = at
        if outermost is not None:
            self._close_until(outermost)

    def _since(self, *barriers: str) -> list[str]:
        """Return what is open within the nearest of some elements."""
        for at in range(len(self._open) - 1, -1, -1):
            if self._open[at] in barriers:
                return self._open[at + 1 :]
        return self._open

    def _close_until(self, depth: int) -> None:
        while len(self._open) > depth:
            self._add(f"</{self._open.pop()}>")

    def _add(self, text: str) -> None:
        self._parts.append(text)
        self._left -= len(text)


def _tag(name: str, attributes: Mapping[str, str]) -> str:
    written = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{written}>"
