"""Read a page of Canvas's block editor: a tree of blocks in JSON. Its texts are shown in their order, without its layout."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from typing import Any

from canvas_exports.core.packages.content.documents.source import DocumentSource, with_html
from canvas_exports.core.packages.content.heads import is_published
from canvas_exports.core.packages.content.model import Document, Item
from canvas_exports.foreign_text import harmless

_MOST_BLOCKS = 20_000
_DEEPEST = 50
_TEXTS = ("text", "content", "html", "body", "title", "caption")
_PICTURES = ("src", "backgroundImage")
_LINKS = ("href", "url")


def read_block_page(item: Item, source: DocumentSource) -> Document:
    """Read a page of blocks."""
    try:
        page = json.loads(source.text(item.member or ""))
    except (ValueError, RecursionError):
        return Document(item, problem="it is not the JSON of a page of blocks")
    if not isinstance(page, dict):
        return Document(item, problem="it is not the JSON of a page of blocks")
    state = is_published(str(page.get("workflow_state", "")))
    found = replace(
        item,
        title=harmless(str(page.get("title") or "")) or item.title,
        is_published=item.is_published if state is None else state,
        is_front_page=item.is_front_page or page.get("front_page") is True,
    )
    return with_html(found, "\n".join(_Walk().blocks(page)))


class _Walk:
    """Walks through the blocks in the order in which the page shows them; each is shown once."""

    def __init__(self) -> None:
        self._left = _MOST_BLOCKS
        self._seen: set[str] = set()

    def blocks(self, page: dict[str, Any]) -> Iterator[str]:
        """Yield the HTML of a page, block by block."""
        for value in page.values():
            nodes = _nodes(value)
            if nodes is not None:
                yield from self._node("ROOT", nodes, 0)
            elif isinstance(value, list):
                yield from self._values(value, 0)

    def _node(self, name: str, nodes: dict[str, Any], depth: int) -> Iterator[str]:
        node = nodes.get(name)
        if not isinstance(node, dict) or name in self._seen or depth > _DEEPEST:
            return
        self._seen.add(name)
        yield from self._values(node.get("props"), 0)
        children = node.get("nodes")
        linked = node.get("linkedNodes")
        for child in (
            *(children if isinstance(children, list) else ()),
            *(linked.values() if isinstance(linked, dict) else ()),
        ):
            if isinstance(child, str):
                yield from self._node(child, nodes, depth + 1)

    def _values(self, value: object, depth: int) -> Iterator[str]:
        self._left -= 1
        if depth > _DEEPEST or self._left < 0:
            return
        if isinstance(value, list):
            for each in value:
                yield from self._values(each, depth + 1)
        elif isinstance(value, dict):
            for key, each in value.items():
                yield from self._value(key, each, depth)

    def _value(self, key: str, value: object, depth: int) -> Iterator[str]:
        if not isinstance(value, str):
            yield from self._values(value, depth + 1)
        elif key in _TEXTS and value.strip():
            yield value if "<" in value else f"<p>{escape(value, quote=False)}</p>"
        elif key in _PICTURES and value.strip():
            yield f'<img src="{escape(value)}" alt="">'
        elif key in _LINKS and value.strip():
            yield f'<p><a href="{escape(value)}">{escape(value)}</a></p>'


def _nodes(value: object) -> dict[str, Any] | None:
    """Return the blocks by name, if a value is a page of them: as an object, or as JSON in a text."""
    if isinstance(value, str) and value.lstrip().startswith("{") and '"ROOT"' in value:
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("ROOT"), dict):
        return value
    inner = (each for each in value.values() if isinstance(each, dict | str) and each is not value)
    return next((found for each in inner if (found := _root_in(each)) is not None), None)


def _root_in(value: object) -> dict[str, Any] | None:
    if isinstance(value, str):
        return _nodes(value) if '"ROOT"' in value else None
    return value if isinstance(value, dict) and isinstance(value.get("ROOT"), dict) else None
