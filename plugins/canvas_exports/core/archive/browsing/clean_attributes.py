"""The attributes and styles of a teacher's HTML that are kept: none that loads, runs, names things of ours, or leaves its place."""

from __future__ import annotations

import re
from collections.abc import Mapping

#: Attributes that may stand in cleaned HTML, by tag. Some of them only we write.
ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "*": frozenset({"id", "title", "lang", "dir", "style"}),
    "a": frozenset({"href", "target", "rel", "class"}),
    "span": frozenset({"class"}),
    "code": frozenset({"class"}),
    "img": frozenset({"src", "alt", "width", "height"}),
    "audio": frozenset({"src", "controls", "preload"}),
    "video": frozenset({"src", "controls", "preload"}),
    "td": frozenset({"colspan", "rowspan", "headers"}),
    "th": frozenset({"colspan", "rowspan", "headers", "scope", "abbr"}),
    "col": frozenset({"span"}),
    "colgroup": frozenset({"span"}),
    "ol": frozenset({"start", "reversed", "type"}),
    "li": frozenset({"value"}),
    "details": frozenset({"open"}),
    "time": frozenset({"datetime"}),
}

_OURS = frozenset({"class", "target", "rel", "href", "src", "controls", "preload"})
_LARGEST = {
    "colspan": 100, "rowspan": 1000, "span": 100, "width": 4000, "height": 4000, "start": 99_999, "value": 99_999,
}  # fmt: skip
_DIRECTIONS = ("ltr", "rtl", "auto")
_MAX_VALUE = 2000  # characters
_MAX_CELLS = 20  # that a cell names as its headers

_ID_PREFIX = "content-"

_BOXES = ("border", "margin", "padding")
_STYLES = frozenset(
    {
        *(f"{box}-{side}" for box in _BOXES for side in ("top", "right", "bottom", "left")),
        *(
            "border",
            "border-collapse",
            "border-color",
            "border-spacing",
            "border-style",
            "border-width",
            "padding",
        ),
        *("background-color", "color", "caption-side", "list-style-type", "vertical-align", "white-space"),
        *(
            "font-family",
            "font-size",
            "font-style",
            "font-variant",
            "font-weight",
            "letter-spacing",
            "line-height",
        ),
        *("text-align", "text-decoration", "text-indent", "text-transform", "word-spacing"),
        *("height", "width", "max-width"),
    }
)
_STYLE_VALUE = re.compile(
    r"(?:[-#%.,!\s\w'\"]|\b(?:rgb|rgba|hsl|hsla)\([-\d.,%\s/]*\))*", re.ASCII | re.IGNORECASE
)
_NEGATIVE = re.compile(r"-\s*[\d.]")
_MAX_STYLE = 1000  # characters


def kept_attributes(tag: str, attributes: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes of a teacher's tag that are kept, made harmless; none that holds an address."""
    known = (ATTRIBUTES["*"] | ATTRIBUTES.get(tag, frozenset())) - _OURS
    kept = {name: _value(name, value) for name, value in attributes.items() if name in known}
    return {name: value for name, value in kept.items() if value is not None}


def html_id(value: str) -> str:
    """Return an ``id`` of a teacher's HTML, so that it is none of ours."""
    return _ID_PREFIX + re.sub(r"[^\w.:-]", "_", value[:200])


def is_html_id(value: str) -> bool:
    """Return whether ``html_id`` made a value."""
    return value.startswith(_ID_PREFIX)


def harmless_style(text: str) -> str:
    """Return the harmless declarations of a style; ``""`` if there is none."""
    kept: list[str] = []
    for declaration in text[: 10 * _MAX_STYLE].split(";"):
        name, _, value = declaration.partition(":")
        name, value = name.strip().lower(), value.strip()
        if name in _STYLES and value and _STYLE_VALUE.fullmatch(value) and not _moves(name, value):
            kept.append(f"{name}: {value}")
    style = "; ".join(kept)
    return style if len(style) <= _MAX_STYLE else ""


def _moves(name: str, value: str) -> bool:
    """Return whether a declaration could move a text out of its place."""
    return (
        name.startswith(("margin", "text-indent", "letter", "word")) and _NEGATIVE.search(value) is not None
    )


def _value(name: str, value: str) -> str | None:
    if name in _LARGEST:
        number = re.match(r"\s*(\d{1,5})", value, re.ASCII)
        return number[1] if number and int(number[1]) <= _LARGEST[name] else None
    if name == "style":
        return harmless_style(value) or None
    if name == "id":
        return html_id(value)
    if name == "headers":
        return " ".join(map(html_id, value[:_MAX_VALUE].split()[:_MAX_CELLS]))
    if name == "dir":
        return value.lower() if value.lower() in _DIRECTIONS else None
    return value[:_MAX_VALUE]
