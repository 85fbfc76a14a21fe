"""Parse HTML of strangers with lxml: nothing is loaded, no tree is built, in time that grows with its length only."""

from __future__ import annotations

from typing import Protocol

from lxml import etree  # type: ignore[import-untyped]  # it has none of its own

#: Elements that may be open; a browser allows as many. For each end tag, the parser looks at all that are open.
MAX_DEPTH = 512

_PIECE = 8_192  # bytes between two looks at the depth


class HtmlTarget(Protocol):
    """Takes what the parser finds. It may find a start tag or an end tag that a browser would find elsewhere."""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take a start tag."""

    def end(self, tag: str) -> None:
        """Take an end tag; one comes for each start tag."""

    def data(self, text: str) -> None:
        """Take text."""

    @property
    def is_full(self) -> bool:
        """Return whether nothing more is wanted."""
        ...


def parse_html(text: str, target: HtmlTarget) -> None:
    """Parse HTML as far as it goes: beyond a bound of the parser, what came before it counts.

    Where too many elements are open, all of them end, and the parser begins anew.
    """
    data = text.replace("\0", "").encode("utf-8", "replace")
    start = 0
    while start < len(data) and not target.is_full:
        start = _parse_until_deep(data, start, target)


def _parse_until_deep(data: bytes, start: int, target: HtmlTarget) -> int:
    """Parse until too many elements are open, and return where that was."""
    counted = _Counted(target)
    parser = etree.HTMLParser(target=counted, encoding="utf-8", no_network=True, huge_tree=False)
    try:
        while start < len(data) and not target.is_full and counted.depth < MAX_DEPTH:
            stop = start + _PIECE
            if stop < len(data):  # between two tags, if there are any
                tag = data.rfind(b"<", start + 1, stop)
                stop = stop if tag < 0 else tag
            parser.feed(data[start:stop])
            start = stop
        parser.close()
    except etree.LxmlError:
        return len(data)
    return start


class _Counted:
    """Counts the elements that are open."""

    def __init__(self, target: HtmlTarget) -> None:
        self.depth = 0
        self._target = target
        self.data = target.data

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self._target.start(tag, attributes)

    def end(self, tag: str) -> None:
        self.depth -= 1
        self._target.end(tag)

    def close(self) -> None:
        """Return no result: the target has it."""
