"""Compare two documents: title, publication, settings, texts, tables and links."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from canvas_exports.core.packages.changes.html_lines import html_lines
from canvas_exports.core.packages.changes.model import HIDDEN, FieldChange, TextChange
from canvas_exports.core.packages.changes.text_diff import Budget, diff_text
from canvas_exports.core.packages.content.html_text import links_of
from canvas_exports.core.packages.content.model import Document, Field, Item, ItemKind, Table

#: Finds out what an address of a document leads to, alike on both sides for one thing; and how to show it.
Resolve = Callable[[str, Item], tuple[object, str]]

_MAX_FIELDS, _MAX_LINKS, _MAX_TABLES, _MAX_VALUE = 500, 2_000, 100, 1_000
_MAX_SHOWN_LINKS = 500
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?")
# Known from elsewhere, or different at every export.
_IGNORED = frozenset(
    {
        *("title", "identifier", "identifierref", "position", "migration_id"),
        *("course_id", "root_account_id", "root_account_name", "root_account_uuid", "canvas_domain"),
    }
)
_STATES = frozenset({"workflow_state", "available"})
_SECRETS = ("secret", "password", "consumer_key", "access_token")
_KEY_FIELDS = frozenset({"access_code"})


@dataclass(frozen=True)
class Part:
    """What differs in two documents beside their questions."""

    fields: tuple[FieldChange, ...] = ()
    texts: tuple[TextChange, ...] = ()
    links_added: tuple[str, ...] = ()
    links_removed: tuple[str, ...] = ()
    is_format_changed: bool = False


def compare_documents(
    before: Document, after: Document, resolve: tuple[Resolve, Resolve], budget: Budget, *, with_key: bool
) -> Part:
    """Compare two documents of one item, without their questions.

    Args:
        before: the first version.
        after: the second.
        resolve: of addresses in the first and in the second version.
        budget: what may still be taken; counted down.
        with_key: show the access codes of quizzes, too.
    """
    one, other = html_lines(before.html), html_lines(after.html)
    states = (before.item.is_published, after.item.is_published)
    known = frozenset[str]() if None in states else _STATES
    text = diff_text("text", "Text", one.lines, other.lines, budget, is_cut=one.is_cut or other.is_cut)
    removed, added = _links(before, after, resolve, with_key=with_key)
    fields = (
        *compare_items(before.item, after.item),
        *compare_fields(before.fields, after.fields, with_key=with_key, without=known),
    )
    told = {value for field in fields for value in (field.before, field.after)}
    return Part(
        fields=fields,
        texts=tuple(filter(None, (text, *_tables(before.tables, after.tables, budget)))),
        links_added=tuple(address for address in added if address not in told),
        links_removed=tuple(address for address in removed if address not in told),
        is_format_changed=text is None and one.format != other.format,
    )


def compare_items(before: Item, after: Item) -> Iterator[FieldChange]:
    """Yield what differs in title, folder and publication."""
    yield from field_change("title", "Title", before.title, after.title)
    yield from field_change("folder", "Folder", before.folder or "/", after.folder or "/")
    states = _is_published(before), _is_published(after)
    if None not in states:
        yield from field_change("published", "Published", *("yes" if state else "no" for state in states))
    yield from field_change("front_page", "Front page", _yes(before.is_front_page), _yes(after.is_front_page))


def _is_published(item: Item) -> bool | None:
    """Return whether an item is published; a file is, unless the package says that it is not."""
    return True if item.is_published is None and item.kind is ItemKind.FILE else item.is_published


def compare_fields(
    before: Sequence[Field],
    after: Sequence[Field],
    *,
    with_key: bool = False,
    without: AbstractSet[str] = frozenset(),
) -> Iterator[FieldChange]:
    """Yield the settings that differ. An empty one is one that is not there; ``10`` is ``10.0``."""
    old, new = ({field.name: field for field in fields[:_MAX_FIELDS]} for fields in (before, after))
    for name in dict.fromkeys((*new, *old)):
        if name in _IGNORED or name in without:
            continue
        label = (new.get(name) or old[name]).label
        values = [found[name].value if name in found else "" for found in (old, new)]
        if _value(values[0]) == _value(values[1]):
            continue
        lower = name.casefold()
        if any(word in lower for word in _SECRETS) or (lower in _KEY_FIELDS and not with_key):
            values = [value and HIDDEN for value in values]
        yield FieldChange(name, label, _cut(values[0]), _cut(values[1]))


def field_change(name: str, label: str, before: str, after: str) -> Iterator[FieldChange]:
    """Yield the change of a value, if it differs."""
    if before != after:
        yield FieldChange(name, label, _cut(before), _cut(after))


def points_text(points: float | None) -> str:
    """Return points as text; empty if there are none."""
    return "" if points is None else f"{points:g}"


def _value(text: str) -> object:
    text = " ".join(text.split())
    return float(text) if _NUMBER.fullmatch(text) else text


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_VALUE else text[: _MAX_VALUE - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _tables(before: Sequence[Table], after: Sequence[Table], budget: Budget) -> Iterator[TextChange | None]:
    """Yield the tables that differ, by caption; of several with one caption, in order."""
    old, new = _by_caption(before), _by_caption(after)
    for caption in dict.fromkeys((*new, *old)):
        yield diff_text(
            f"table: {caption}", caption or "Table", old.get(caption, []), new.get(caption, []), budget
        )


def _by_caption(tables: Iterable[Table]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for table in list(tables)[:_MAX_TABLES]:
        rows = found.setdefault(_cut(table.caption), [])
        rows += (" | ".join(" ".join(cell.split()) for cell in row) for row in table.rows)
    return found


def _links(
    before: Document, after: Document, resolve: tuple[Resolve, Resolve], *, with_key: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return how the links are shown that only the first, and only the second version has."""
    old, new = (
        dict(find(address, document.item) for address in _addresses(document, with_key=with_key)[:_MAX_LINKS])
        for document, find in zip((before, after), resolve, strict=True)
    )
    return (
        tuple(_cut(shown) for target, shown in old.items() if target not in new)[:_MAX_SHOWN_LINKS],
        tuple(_cut(shown) for target, shown in new.items() if target not in old)[:_MAX_SHOWN_LINKS],
    )


def _addresses(document: Document, *, with_key: bool) -> tuple[str, ...]:
    """Return where a document leads to; of a quiz without its key, not where its answers and feedback lead to."""
    if with_key or not document.questions:
        return document.links
    return links_of(document.html, *(question.html for question in document.questions))
