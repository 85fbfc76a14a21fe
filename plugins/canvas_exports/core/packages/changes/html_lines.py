"""The HTML of a teacher as lines of text, to be compared: each paragraph, heading, list item and row is a line.

One pass from left to right in linear time, whatever the HTML is: a parser that builds a tree takes quadratic time on deep nests.
The lines are compared and shown as text; nothing here makes HTML safe.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from canvas_exports.core.text.html_entities import unescape

#: Characters of HTML, or lines, of one text that are compared; what follows is left out.
MAX_HTML, MAX_LINES = 1_000_000, 20_000

_BREAKING = frozenset(
    (
        *(
            "address",
            "article",
            "aside",
            "blockquote",
            "br",
            "caption",
            "dd",
            "details",
            "div",
            "dl",
            "dt",
            "fieldset",
        ),
        *(
            "figcaption",
            "figure",
            "footer",
            "form",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "header",
            "hr",
            "iframe",
            "li",
        ),
        *(
            "main",
            "nav",
            "ol",
            "option",
            "p",
            "pre",
            "section",
            "summary",
            "table",
            "tbody",
            "tfoot",
            "thead",
            "title",
        ),
        *("tr", "ul"),
    )
)
_CELLS = frozenset(("td", "th"))
_UNSHOWN = frozenset(("script", "style", "head"))
_MAX_TAG = 20_000
_NAME = re.compile("/?([a-zA-Z][a-zA-Z0-9]{0,20})")
_ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
# An address names identifiers of its own course; links are compared apart. Names are bounded: a name may begin at each hyphen.
_ADDRESS = re.compile(
    r"""\b(?:href|src|srcset|id|data|data-[a-z-]{1,50}|poster|cite|longdesc|action|background)\s*=\s*(?:"[^"]*"|'[^']*')""",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class HtmlLines:
    """A text to compare.

    Attributes:
        lines: with single blanks, without markup; none is empty.
        format: a digest of its tags and their attributes without addresses.
        is_cut: whether the text is longer than what is compared.
    """

    lines: tuple[str, ...]
    format: bytes
    is_cut: bool = False


def html_lines(html: str) -> HtmlLines:
    """Return the lines of a text in HTML; an image is its alternative text in brackets."""
    lines: list[str] = []
    line: list[str] = []
    tags = hashlib.sha256()
    for text, tag in _scan(html[:MAX_HTML]):
        line.append(unescape(text))
        name = _NAME.match(tag)
        word = name[1].lower() if name else ""
        if word in _BREAKING:
            lines.append(" ".join("".join(line).split()))
            line = []
        elif word in _CELLS:
            line.append(" \N{EM SPACE} " if not tag.startswith("/") else "")
        elif word == "img":
            found = _ALT.search(tag)
            shown = unescape(found[1] or found[2] or "") if found else ""
            line.append(f" [{shown or 'image'}] ")
        if word:
            tags.update(" ".join(_ADDRESS.sub("", tag).lower().split()).encode(errors="replace") + b"\n")
    lines.append(" ".join("".join(line).split()))
    kept = [each for each in lines if each]
    is_cut = len(html) > MAX_HTML or len(kept) > MAX_LINES
    return HtmlLines(tuple(kept[:MAX_LINES]), tags.digest(), is_cut)


def _scan(html: str) -> Iterator[tuple[str, str]]:
    """Yield each text with the tag after it, without its brackets; the tag of the last is empty."""
    at = begin = 0
    last = html.rfind(">")
    while (start := html.find("<", at)) >= 0:
        if start > last:
            break
        if html.startswith("<!--", start):
            end = html.find("-->", start)
            end = len(html) if end < 0 else end + 2
        elif not _NAME.match(html, start + 1) and not html.startswith(("<!", "<?"), start):
            at = start + 1
            continue
        else:
            end = html.find(">", start)
        tag = html[start + 1 : min(end, start + _MAX_TAG)]
        yield html[begin:start], tag
        at = begin = end + 1
        name = _NAME.match(tag)
        if name and name[1].lower() in _UNSHOWN and not tag.startswith("/"):
            at = begin = _end_of(html, name[1].lower(), begin)
    yield html[begin:], ""


def _end_of(html: str, name: str, begin: int) -> int:
    """Return where an element that is not shown ends."""
    found = re.compile(f"</{name}", re.IGNORECASE).search(html, begin)
    return found.start() if found else len(html)
