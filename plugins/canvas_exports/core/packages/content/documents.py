"""Read the document of an item."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from canvas_exports.core.packages.content.fields import fields_of
from canvas_exports.core.packages.content.heads import is_published
from canvas_exports.core.packages.content.html_text import body_of, decode, links_of, read_head
from canvas_exports.core.packages.content.model import Document, Item, ItemKind
from canvas_exports.core.packages.content.package_members import PackageMembers
from canvas_exports.core.packages.content.xml_tree import Element, XmlTree, read_tree
from canvas_exports.core.packages.random_access import RandomAccess
from canvas_exports.core.packages.work_limits import WorkLimit
from canvas_exports.core.storage.buffers import MiB
from canvas_exports.errors import CorruptPackageError
from canvas_exports.foreign_text import harmless

MAX_HTML = 8 * MiB
_WORK = 100_000_000
_WORK_PER_BYTE = 20
_XML = (".xml", ".qti")


class DocumentSource:
    """The members that the documents of a package are read from.

    Args:
        members: of the package.
        group_names: titles of the assignment groups, by identifier.
        source: bytes that were read before; by default each member is read when it is needed.
    """

    def __init__(
        self, members: PackageMembers, group_names: Mapping[str, str], source: RandomAccess | None = None
    ) -> None:
        self.members = members
        self.group_names = group_names
        self._source = source

    def tree(self, name: str) -> XmlTree[None]:
        """Return an XML document as far as it can be read."""
        try:
            pieces = self.members.content(name, source=self._source)
        except CorruptPackageError as error:
            return XmlTree(Element("", {}), (), error.message)
        return read_tree(name, pieces, work_for(pieces.member.size))

    def text(self, name: str) -> str:
        """Return a text. Raises ``CorruptPackageError``."""
        return decode(self.members.content(name, source=self._source, limit=MAX_HTML).whole())


def work_for(size: int) -> WorkLimit:
    """Return the work limit of one document of a size in bytes."""
    return WorkLimit(units=_WORK + _WORK_PER_BYTE * size, seconds=60)


def read_document(item: Item, source: DocumentSource) -> Document:
    """Read the document of an item. What cannot be read is a ``problem``; only errors of the store are raised."""
    try:
        return _READERS[item.kind](item, source)
    except CorruptPackageError as error:
        return Document(item, problem=error.message)


def _page(item: Item, source: DocumentSource) -> Document:
    if item.member is None:
        return _missing(item)
    text = source.text(item.member)
    head = read_head(text[:20_000])
    state = is_published(head.meta.get("workflow_state", ""))
    found = replace(
        item,
        title=harmless(head.title) or item.title,
        is_published=item.is_published if state is None else state,
        is_front_page=item.is_front_page or head.meta.get("front_page") == "true",
    )
    return _with_html(found, body_of(text))


def _file(item: Item, source: DocumentSource) -> Document:  # noqa: ARG001 - as all readers
    return Document(item) if item.member is not None else _missing(item)


def _assignment(item: Item, source: DocumentSource) -> Document:
    settings = source.tree(item.settings) if item.settings else None
    root = settings.root if settings else Element("", {})
    problem = settings.problem if settings else ""
    html = ""
    if item.member is not None and not item.member.lower().endswith(_XML):
        html = body_of(source.text(item.member))
    elif item.member is not None:
        standard = source.tree(item.member)
        html = standard.root.value("text") or standard.root.value("instructor_text")
        problem = problem or standard.problem
    group = source.group_names.get(root.value("assignment_group_identifierref"), "")
    fields = fields_of(root, without=("text", "description"), more={"assignment_group": group})
    found = _described(item, root)
    return replace(_with_html(found, html, problem), fields=fields)


def _topic(item: Item, source: DocumentSource) -> Document:
    if item.member is None:
        return _missing(item)
    topic = source.tree(item.member)
    settings = source.tree(item.settings) if item.settings else None
    meta = settings.root if settings else Element("", {})
    fields = fields_of(meta, meta.first("assignment"), without=("type", "text"))
    found = _described(_described(item, meta), topic.root)
    problem = topic.problem or (settings.problem if settings else "")
    return replace(_with_html(found, _html_of(topic.root.first("text")), problem), fields=fields)


def _settings_only(item: Item, source: DocumentSource) -> Document:
    name = item.settings or item.member
    if name is None:
        return _missing(item)
    tree = source.tree(name)
    found = _described(item, tree.root)
    return replace(
        _with_html(found, tree.root.value("description"), tree.problem),
        fields=fields_of(tree.root, without=("description",)),
    )


def _web_link(item: Item, source: DocumentSource) -> Document:
    if item.member is None:
        return _missing(item)
    tree = source.tree(item.member)
    url = tree.root.first("url")
    address = url.attributes.get("href", "") if url else ""
    found = _described(item, tree.root)
    links = (address,) if address else ()
    return Document(found, fields=fields_of(more={"url": address}), links=links, problem=tree.problem)


_READERS: Mapping[ItemKind, Callable[[Item, DocumentSource], Document]] = {
    ItemKind.PAGE: _page,
    ItemKind.SYLLABUS: _page,
    ItemKind.ASSIGNMENT: _assignment,
    ItemKind.DISCUSSION: _topic,
    ItemKind.ANNOUNCEMENT: _topic,
    ItemKind.QUIZ: _settings_only,
    ItemKind.QUESTION_BANK: _settings_only,
    ItemKind.FILE: _file,
    ItemKind.WEB_LINK: _web_link,
    ItemKind.EXTERNAL_TOOL: _settings_only,
    ItemKind.RUBRIC: _settings_only,
    ItemKind.OUTCOME: _settings_only,
    ItemKind.EVENT: _settings_only,
    ItemKind.SETTINGS: _settings_only,
}


def _missing(item: Item) -> Document:
    return Document(item, problem="the package does not hold it")


def _described(item: Item, root: Element) -> Item:
    """Return the item with title and state of its settings."""
    state = is_published(root.value("workflow_state") or root.value("available"))
    return replace(
        item,
        title=harmless(root.value("title")) or item.title,
        is_published=item.is_published if state is None else state,
    )


def _html_of(text: Element | None) -> str:
    """Return what an element says as HTML: of plain text, or of elements within it, the markup."""
    if text is None:
        return ""
    is_html = text.attributes.get("texttype", "text/html").lower() != "text/plain"
    return text.text.strip() if is_html and not text.children else text.markup


def _with_html(item: Item, html: str, problem: str = "") -> Document:
    return Document(item, html=html, links=links_of(html), problem=problem)
