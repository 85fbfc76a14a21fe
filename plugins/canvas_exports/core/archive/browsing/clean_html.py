"""Make the HTML of teachers harmless: no script, no form, no request to anywhere but the package, no way out of its place.

It is read once, written again well-formed and with bounded depth, its addresses resolved, and what would load something replaced
by a link. Then nh3 (ammonia) cleans it, with a short list of tags and attributes, as the last step: whatever the first step let
through is judged by a parser of its own, and nothing is changed after it.

The first step is not only for addresses: parsing takes quadratic time for HTML that is nested a hundred thousand times, and
quadratic memory for formatting that is never closed; after it there is neither.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import nh3

from canvas_exports.core.archive.browsing.balance import BalancedHtml
from canvas_exports.core.archive.browsing.clean_attributes import (
    ATTRIBUTES,
    harmless_style,
    html_id,
    is_html_id,
    kept_attributes,
)
from canvas_exports.core.archive.browsing.file_types import is_audio, is_picture, is_video
from canvas_exports.core.archive.browsing.html_tokens import EndTag, StartTag, Text, tokens
from canvas_exports.core.packages.content.model import Item, ItemKind

#: Characters of one text that are shown, without those of pictures within it. The rest is in the package.
MAX_SHOWN = 1 << 20

_MAX_READ = 8 << 20  # characters of HTML that are looked at
_MAX_DATA_PICTURE = 4 << 20  # characters
_MAX_ADDRESS = 2000  # characters of an address that is shown

_OUTSIDE_SCHEMES = frozenset({"http", "https", "mailto", "tel"})
_DATA_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*", re.IGNORECASE)

_PLAIN_TAGS = frozenset({
    "a", "abbr", "b", "bdi", "bdo", "blockquote", "br", "caption", "cite", "code", "col", "colgroup",
    "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "h2", "h3", "h4",
    "h5", "h6", "hr", "i", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "rp", "rt", "ruby", "s",
    "samp", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th",
    "thead", "time", "tr", "u", "ul", "var", "wbr",
})  # fmt: skip
_TAGS = _PLAIN_TAGS | {"img", "audio", "video"}
_RENAMED = {
    "h1": "h2",  # the page has a heading of its own
    "strike": "s",
    "tt": "code",
    "big": "span",
    "font": "span",
    "acronym": "abbr",
    "dir": "ul",
    "menu": "ul",
    "xmp": "pre",
    "listing": "pre",
    **dict.fromkeys(
        (
            "address",
            "article",
            "aside",
            "center",
            "fieldset",
            "footer",
            "header",
            "hgroup",
            "main",
            "nav",
            "section",
        ),
        "div",
    ),
    "legend": "p",
}
#: Elements whose content is no text for a reader.
_LEFT_OUT = frozenset({
    "annotation", "annotation-xml", "applet", "noembed", "noframes", "script", "select", "style", "svg",
    "template", "title",
})  # fmt: skip
_EMBEDDED = {
    "iframe": "src",
    "embed": "src",
    "object": "data",
    "frame": "src",
    "portal": "src",
    "bgsound": "src",
}


@dataclass(frozen=True)
class Links:
    """Where the addresses of a text lead to.

    Attributes:
        resolve: see ``CourseContent.resolve``.
        page: returns the address of an item's page.
        file: returns the address of a file's bytes, for a picture; ``None`` if the bytes are not at hand.
        course: returns the address of the course, its modules or one of its lists, if an address leads there; else ``None``.
        target: frame in which the page of an item opens, such as ``_top``; ``""`` for the same.
    """

    resolve: Callable[[str], Item | str | None]
    page: Callable[[Item], str]
    file: Callable[[Item], str | None]
    course: Callable[[str], str | None] = lambda _: None
    target: str = ""


def clean_html(html: str, links: Links) -> str:
    """Return a fragment that a page may hold. Safe for any input, in time and memory that grow with its length.

    At most ``MAX_SHOWN`` characters are shown; then a sentence says so.
    """
    writer = _Writer(links)
    writer.write(html[:_MAX_READ])
    if len(html) > _MAX_READ:
        writer.is_cut = True
    cleaned = nh3.clean(
        writer.html(),
        tags=set(_TAGS),
        clean_content_tags={"script", "style"},
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        attribute_filter=writer.permit,
        url_schemes={*_OUTSIDE_SCHEMES, "data"},
        link_rel=None,
    )
    if writer.is_cut:
        cleaned += (
            '<p class="ca-note">The rest of this text is too long to be shown. It is in the package.</p>'
        )
    return cleaned


class _Writer:
    """Writes HTML again: well-formed, of bounded depth, with addresses of ours."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._out = BalancedHtml(limit=MAX_SHOWN)
        self._granted: set[str] = set()
        self._left_out: str | None = None  # the element whose content is left out
        self._depth = 0  # of elements of this name within it
        self._media: str | None = None  # a film or sound whose source is still to come
        self.is_cut = False

    def html(self) -> str:
        self.is_cut = self.is_cut or self._out.is_full
        return self._out.closed()

    def write(self, html: str) -> None:
        for token in tokens(html):
            if self._out.is_full:
                return
            if self._left_out is not None:
                self._pass_over(token)
            elif isinstance(token, Text):
                self._out.text(token.text)
            elif isinstance(token, StartTag):
                self._start(token)
            else:
                self._end(token.name)

    def permit(self, _tag: str, name: str, value: str) -> str | None:
        """Return what nh3 shall write for an attribute; ``None`` for nothing."""
        if name in ("href", "src"):
            return value if value in self._granted else None
        if name == "class":
            return value if re.fullmatch(r"ca-[a-z]+", value) else None
        if name == "style":
            return value if value == harmless_style(value) else None
        if name == "id":
            return value if is_html_id(value) else None
        return value

    def _pass_over(self, token: Text | StartTag | EndTag) -> None:
        if isinstance(token, StartTag) and token.name == self._left_out:
            self._depth += 1
        elif isinstance(token, EndTag) and token.name == self._left_out:
            self._depth -= 1
            if self._depth <= 0:
                self._left_out = None

    def _start(self, tag: StartTag) -> None:
        name = _RENAMED.get(tag.name, tag.name)
        if name in _LEFT_OUT:
            self._leave_out(name)
            if name == "svg":
                self._missing("A drawing (SVG) that is not shown")
        elif name in _EMBEDDED:
            self._embedded(tag.attributes.get(_EMBEDDED[name], ""), tag.attributes.get("title", ""))
            if name == "iframe":
                self._leave_out(name)
        elif name in _PLAIN_TAGS - {"a"}:
            self._out.start(name, kept_attributes(name, tag.attributes))
        else:
            self._special(name, tag.attributes)

    def _special(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "a":
            self._link(attributes)
        elif name in {"img", "image"}:
            self._image(attributes)
        elif name == "math":
            self._math(attributes.get("alttext", "").strip())
        elif name in ("audio", "video"):
            self._media = name
            if attributes.get("src"):
                self._play(attributes["src"])
        elif name == "source" and self._media:
            self._play(attributes.get("src", ""))

    def _leave_out(self, name: str) -> None:
        self._left_out, self._depth = name, 1

    def _end(self, written: str) -> None:
        name = _RENAMED.get(written, written)
        if name in ("audio", "video"):
            self._media = None
        elif name == "a":
            self._out.end("a")
            self._out.end("span")
        elif name in _PLAIN_TAGS:
            self._out.end(name)

    def _math(self, spoken: str) -> None:
        if spoken:
            self._out.element("code", {"class": "ca-equation"}, spoken)
            self._leave_out("math")

    def _image(self, attributes: Mapping[str, str]) -> None:
        source = attributes.get("src", "").strip()
        spoken = attributes.get("alt", "").strip()
        equation = attributes.get("data-equation-content", "").strip()
        is_equation = equation or "equation_image" in attributes.get("class", "").split()
        if is_equation and (equation or spoken):
            self._out.element("code", {"class": "ca-equation"}, equation or spoken)
            return
        if source[:5].lower() == "data:":
            self._data_picture(source, spoken, attributes)
            return
        target = self._links.resolve(source) if source else None
        if isinstance(target, Item):
            address = self._links.file(target)
            if address is not None and target.kind is ItemKind.FILE and is_picture(target.member or ""):
                self._picture(self._grant(address), attributes.get("alt", target.title), attributes)
            else:
                self._item_link(target, f"Picture: {spoken or target.title}")
        elif target is None or not self._outside_link(target, f"Picture: {spoken}" if spoken else "Picture"):
            named = spoken or source.rpartition("/")[2][:200]
            self._missing(
                f"Picture that the package does not hold: {named}" if named else "Picture without an address"
            )

    def _data_picture(self, source: str, spoken: str, attributes: Mapping[str, str]) -> None:
        if len(source) <= _MAX_DATA_PICTURE and _DATA_PICTURE.fullmatch(source):
            self._picture(self._grant("".join(source.split())), spoken, attributes)
        else:
            self._missing(f"Picture that is not shown: {spoken}" if spoken else "Picture that is not shown")

    def _picture(self, address: str, spoken: str, attributes: Mapping[str, str]) -> None:
        kept = {name: value for name, value in kept_attributes("img", attributes).items() if name != "title"}
        self._out.void("img", {**kept, "src": address, "alt": spoken}, free=address.startswith("data:"))

    def _embedded(self, address: str, title: str) -> None:
        address = address.strip()
        if not address:
            return
        target = self._links.resolve(address)
        if isinstance(target, Item):
            if not self._player(target):
                self._item_link(target, title or target.title)
        elif target is None or not self._outside_link(target, title or "Embedded content"):
            self._missing(f"Embedded content that the package does not hold: {title or address[:200]}")

    def _play(self, address: str) -> None:
        self._media = None
        self._embedded(address, "")

    def _player(self, item: Item) -> bool:
        name = item.member or ""
        address = self._links.file(item)
        if address is None or not (is_audio(name) or is_video(name)):
            return False
        tag = "audio" if is_audio(name) else "video"
        self._out.element(
            tag, {"src": self._grant(address), "controls": "", "preload": "none", "title": item.title}, ""
        )
        return True

    def _link(self, attributes: Mapping[str, str]) -> None:
        kept = kept_attributes("a", attributes)
        if "name" in attributes and "id" not in kept and "id" not in attributes:
            kept["id"] = html_id(attributes["name"])
        address = attributes.get("href", "").strip()
        if not address:
            self._out.start("span", kept)
            return
        if address.startswith("#"):
            own = "#" + html_id(address[1:])
            self._out.start("a", {**kept, "href": self._grant(own)})
            return
        target = self._links.resolve(address)
        if isinstance(target, Item):
            self._out.start("a", {**kept, **self._to_item(target)})
        elif target is not None and (outside := self._to_outside(target)):
            self._out.start("a", {**kept, **outside})
        elif target is None and (course := self._links.course(address)):
            self._out.start("a", {**kept, **self._to_page(course)})
        else:
            self._out.start(
                "span", {**kept, "class": "ca-missing", "title": "The package does not hold what this led to"}
            )

    def _item_link(self, item: Item, text: str) -> None:
        self._out.element("a", self._to_item(item), text)

    def _outside_link(self, address: str, text: str) -> bool:
        outside = self._to_outside(address)
        if not outside:
            return False
        self._out.element("a", outside, f"{text} ({_shown(address)})")
        return True

    def _to_item(self, item: Item) -> dict[str, str]:
        return self._to_page(self._links.page(item))

    def _to_page(self, address: str) -> dict[str, str]:
        target = {"target": self._links.target} if self._links.target else {}
        return {"href": self._grant(address), **target}

    def _to_outside(self, address: str) -> dict[str, str]:
        safe = outside_address(address)
        if safe is None:
            return {}
        return {
            "href": self._grant(safe),
            "class": "ca-outside",
            "target": "_blank",
            "rel": "noreferrer noopener",
            "title": _shown(safe),
        }

    def _missing(self, text: str) -> None:
        self._out.element("span", {"class": "ca-missing"}, f"[{text}]")

    def _grant(self, address: str) -> str:
        self._granted.add(address)
        return address


def outside_address(address: str) -> str | None:
    """Return an address outside as a link may hold it; ``None`` if a browser must not follow it, such as ``javascript:``."""
    clean = "".join(each for each in address.strip() if each.isprintable())
    if clean.startswith("//"):
        clean = f"https:{clean}"
    try:
        parts = urlsplit(clean)
    except ValueError:
        return None
    if parts.scheme not in _OUTSIDE_SCHEMES or len(clean) > 8 * _MAX_ADDRESS:
        return None
    if parts.scheme in ("http", "https") and not parts.netloc:
        return None
    return clean.replace("\\", "/")


def _shown(address: str) -> str:
    return address if len(address) <= _MAX_ADDRESS else address[:_MAX_ADDRESS] + "\N{HORIZONTAL ELLIPSIS}"
