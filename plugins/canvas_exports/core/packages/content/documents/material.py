"""The HTML of QTI's material: text, markup, pictures and sounds of a question, an answer or a feedback."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from canvas_exports.core.packages.content.xml_tree import Element

# What a question offers to answer: its texts are answers, not the question.
RESPONSES = (
    "response_lid",
    "response_str",
    "response_num",
    "response_grp",
    "response_xy",
    "response_extension",
)

_TAG = re.compile(r"</?[A-Za-z][^<>]{0,2000}>|&[#a-zA-Z0-9]{1,20};")


def html_of(element: Element | None, *, without: tuple[str, ...] = ()) -> str:
    """Return all material in an element as HTML, in order.

    Args:
        element: such as a ``presentation``; ``None`` has no material.
        without: names of elements whose material is left out.
    """
    return "".join(_pieces(element, without)) if element is not None else ""


def text_as_html(element: Element | None) -> str:
    """Return what an element says as HTML: it has HTML as text, markup, or plain text, as its ``texttype`` says."""
    if element is None:
        return ""
    if element.children:
        return element.markup.strip()
    text = element.text.strip()
    kind = (element.attributes.get("texttype") or element.attributes.get("type", "")).lower()
    is_html = kind in ("text/html", "text/xhtml", "html") or (not kind and _TAG.search(text) is not None)
    return text if is_html else escape(text, quote=False)


def _pieces(element: Element, without: tuple[str, ...]) -> Iterator[str]:
    for child in element.children:
        if child.name in ("mattext", "matemtext", "mat_formattedtext"):
            yield text_as_html(child)
        elif child.name == "matimage":
            yield _picture(child)
        elif child.name in ("mataudio", "matvideo", "matapplication"):
            yield _attachment(child)
        elif child.name == "matbreak":
            yield "<br>"
        elif child.name not in without:
            yield from _pieces(child, without)


def _picture(image: Element) -> str:
    address = image.attributes.get("uri", "")
    label = image.attributes.get("label", "")
    return f'<img src="{escape(address)}" alt="{escape(label)}">' if address else ""


def _attachment(media: Element) -> str:
    address = media.attributes.get("uri", "")
    label = media.attributes.get("label", "") or address.rpartition("/")[2]
    return f'<a href="{escape(address)}">{escape(label)}</a>' if address else ""
