"""Read web links and external tools: where they lead to."""

from __future__ import annotations

from dataclasses import replace

from canvas_exports.core.packages.content.documents.fields import fields_of
from canvas_exports.core.packages.content.documents.source import DocumentSource, described, missing
from canvas_exports.core.packages.content.html_text import links_of, plain_as_html
from canvas_exports.core.packages.content.model import Document, Item
from canvas_exports.core.packages.content.xml_tree import Element

_LAUNCH = ("secure_launch_url", "launch_url", "target_link_uri", "url")
_MOST_PROPERTIES = 100


def read_web_link(item: Item, source: DocumentSource) -> Document:
    """Read a link to a page elsewhere."""
    if item.member is None:
        return _written(item, source, "url")
    tree = source.tree(item.member)
    url = tree.root.first("url")
    address = (url.attributes.get("href", "") or url.content).strip() if url else ""
    return replace(
        _to(described(item, tree.root), "url", address),
        html=plain_as_html(tree.root.value("description")),
        problem=tree.problem,
    )


def _written(item: Item, source: DocumentSource, name: str) -> Document:
    """Return the document of a link or tool that is no document, but an address in the manifest."""
    address = source.names.addresses.get(item.identifier)
    return _to(item, name, address) if address else missing(item)


def _to(item: Item, name: str, address: str) -> Document:
    return Document(item, fields=fields_of(more={name: address}), links=(address,) if address else ())


def read_tool(item: Item, source: DocumentSource) -> Document:
    """Read an external tool: its addresses and settings. A package never has its secrets."""
    if item.member is None:
        return _written(item, source, "launch_url")
    tree = source.tree(item.member)
    html = tree.root.value("description")
    addresses = filter(None, map(tree.root.value, _LAUNCH))
    return replace(
        Document(described(item, tree.root), html=html, problem=tree.problem),
        fields=fields_of(tree.root, without=("description",), more=_properties(tree.root)),
        links=tuple(dict.fromkeys((*addresses, *links_of(html)))),
    )


def _properties(root: Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in root.all("property"):
        if len(found) < _MOST_PROPERTIES:
            found.setdefault(each.attributes.get("name", ""), each.content.strip())
    vendor = root.first("vendor")
    name = vendor.value("name") if vendor else ""
    return found | ({"vendor": name} if name else {})
