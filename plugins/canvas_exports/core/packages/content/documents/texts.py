"""Read pages, the syllabus, assignments, discussions and announcements: a text, with its settings."""

from __future__ import annotations

from dataclasses import replace

from canvas_exports.core.packages.content.documents.block_pages import read_block_page
from canvas_exports.core.packages.content.documents.fields import fields_of
from canvas_exports.core.packages.content.documents.material import text_as_html
from canvas_exports.core.packages.content.documents.source import (
    DocumentSource,
    described,
    missing,
    with_html,
)
from canvas_exports.core.packages.content.heads import is_published
from canvas_exports.core.packages.content.html_text import body_of, link_to, read_head
from canvas_exports.core.packages.content.model import Document, Field, Item
from canvas_exports.core.packages.content.xml_tree import Element
from canvas_exports.foreign_text import harmless

_HTML = (".html", ".htm", ".xhtml", ".txt")
_XML = (".xml", ".qti")
_HEAD = 20_000
_META = ("editing_roles", "todo_date", "publish_at", "unlock_at", "lock_at")


def read_page(item: Item, source: DocumentSource) -> Document:
    """Read a page: HTML, or the blocks of the block editor."""
    if item.member is None:
        return missing(item)
    if item.member.lower().endswith(".json"):
        return read_block_page(item, source)
    text = source.text(item.member)
    head = read_head(text[:_HEAD])
    state = is_published(head.meta.get("workflow_state", ""))
    found = replace(
        item,
        title=harmless(head.title) or item.title,
        is_published=item.is_published if state is None else state,
        is_front_page=item.is_front_page or head.meta.get("front_page") == "true",
    )
    fields = fields_of(more={name: head.meta.get(name, "") for name in _META})
    return replace(with_html(found, body_of(text)), fields=fields)


def read_syllabus(item: Item, source: DocumentSource) -> Document:
    """Read the syllabus. In other systems it may be a file of any type: then it is a link to that."""
    if item.member is None or item.member.lower().endswith(_HTML):
        return read_page(item, source)
    return with_html(item, link_to(item.member, item.title))


def read_assignment(item: Item, source: DocumentSource) -> Document:
    """Read an assignment of Canvas, or of Common Cartridge 1.3."""
    settings = source.tree(item.settings) if item.settings else None
    root = settings.root if settings else Element("", {})
    problem = settings.problem if settings else ""
    html = ""
    if item.member is not None and not item.member.lower().endswith(_XML):
        html = body_of(source.text(item.member))
    elif item.member is not None:
        standard = settings if settings and item.member == item.settings else source.tree(item.member)
        html = text_as_html(standard.root.first("text")) or text_as_html(
            standard.root.first("instructor_text")
        )
        problem = problem or standard.problem
    elif settings is None:
        return missing(item)
    html = html or root.value("description")
    return replace(with_html(described(item, root), html, problem), fields=_of_assignment(root, source))


def read_topic(item: Item, source: DocumentSource) -> Document:
    """Read a discussion or an announcement: the topic, not the replies."""
    if item.member is None:
        return missing(item)
    topic = source.tree(item.member)
    settings = source.tree(item.settings) if item.settings else None
    meta = settings.root if settings else Element("", {})
    attached = [each.attributes.get("href", "") for each in topic.root.all("attachment")]
    html = text_as_html(topic.root.first("text")) + "".join(
        f"<p>{link_to(address)}</p>" for address in attached if address
    )
    found = described(described(item, meta), topic.root)
    problem = topic.problem or (settings.problem if settings else "")
    assignment = meta.first("assignment")
    fields = fields_of(meta, assignment, without=("type", "text"), more=_names(assignment, source))
    return replace(with_html(found, html, problem), fields=fields)


def _of_assignment(root: Element, source: DocumentSource) -> tuple[Field, ...]:
    more = _names(root, source)
    gradable = root.first("gradable")
    if gradable is not None:
        more["points_possible"] = gradable.attributes.get("points_possible", "")
    formats = root.first("submission_formats")
    more |= (
        {"submission_types": ", ".join(each.attributes.get("type", "") for each in formats.children)}
        if formats
        else {}
    )
    return fields_of(root, without=("text", "description", "instructor_text", "gradable"), more=more)


def _names(root: Element | None, source: DocumentSource) -> dict[str, str]:
    """Return the titles of the assignment group and the rubric that an assignment names."""
    group, rubric = (
        root.value(name) if root else ""
        for name in ("assignment_group_identifierref", "rubric_identifierref")
    )
    return {
        "assignment_group": source.names.groups.get(group, ""),
        "rubric": source.names.rubrics.get(rubric, ""),
    }
