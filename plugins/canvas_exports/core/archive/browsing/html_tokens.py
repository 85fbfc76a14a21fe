"""Split HTML into tags and text, as a browser does, in time that grows with its length only.

Nothing here decides what is safe: see ``clean_html``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from canvas_exports.core.text.html_entities import unescape

_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
_ATTRIBUTE = re.compile(r"[\s/]*([^\s/>][^\s/>=]*)(\s*=\s*)?")
_UNQUOTED = re.compile(r"[^\s>]*")
_COMMENT_END = re.compile(r"--!?>")

#: Elements whose content is text, whatever it looks like.
_RAW = frozenset({"script", "style", "xmp", "iframe", "noembed", "noframes", "textarea", "title"})


@dataclass(frozen=True)
class Text:
    """Text between tags, without entities."""

    text: str


@dataclass(frozen=True)
class StartTag:
    """``<name attribute="value">``. Names are in lower case; of an attribute given twice, the first counts."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EndTag:
    """``</name>``."""

    name: str


def tokens(html: str) -> Iterator[Text | StartTag | EndTag]:
    """Yield the tags and texts of a fragment. Comments and declarations are left out, and a tag that never ends with its rest.

    The content of ``script``, ``iframe`` and their kin is one text.
    """
    at = 0
    while at < len(html):
        bracket = html.find("<", at)
        if bracket < 0:
            bracket = len(html)
        if bracket > at:
            yield Text(unescape(html[at:bracket]))
        at = bracket
        found = _TAG.match(html, at)
        if found is None:
            at, text = _no_tag(html, at)
            if text:
                yield Text(text)
            continue
        name = found[2].lower()
        ended = _attributes(html, found.end())
        if ended is None:
            return
        at, attributes = ended
        if found[1]:
            yield EndTag(name)
            continue
        yield StartTag(name, attributes)
        if name in _RAW:
            end = re.compile(f"</{name}(?=[\\s/>])", re.IGNORECASE).search(html, at)
            until = end.start() if end else len(html)
            if until > at:
                yield Text(unescape(html[at:until]))
            at = until


def _no_tag(html: str, at: int) -> tuple[int, str]:
    """Return where what begins with ``<`` and is no tag ends, and its text if it is text."""
    if html.startswith(("<!-->", "<!--->"), at):
        return html.index(">", at) + 1, ""
    if html.startswith("<!--", at):
        end = _COMMENT_END.search(html, at + 4)
        return (end.end() if end else len(html)), ""
    if html.startswith(("<!", "<?", "</"), at):
        closed = html.find(">", at)
        return (closed + 1 if closed >= 0 else len(html)), ""
    return at + 1, html[at : at + 1]


def _attributes(html: str, at: int) -> tuple[int, dict[str, str]] | None:
    """Return where a tag ends, and its attributes; ``None`` if it does not end."""
    attributes: dict[str, str] = {}
    while found := _ATTRIBUTE.match(html, at):
        at = found.end()
        value = ""
        if found[2]:
            quote = html[at : at + 1]
            if quote in ("'", '"') and quote:
                end = html.find(quote, at + 1)
                if end < 0:
                    return None
                value, at = html[at + 1 : end], end + 1
            else:
                bare = _UNQUOTED.match(html, at)
                value, at = (bare[0], bare.end()) if bare else ("", at)
        attributes.setdefault(found[1].lower(), unescape(value))
    end = html.find(">", at)
    return None if end < 0 else (end + 1, attributes)
