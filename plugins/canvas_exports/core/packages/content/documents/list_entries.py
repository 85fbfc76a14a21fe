"""Read what is listed among the settings of a course: rubrics, learning outcomes, calendar events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from canvas_exports.core.packages.content.documents.fields import fields_of
from canvas_exports.core.packages.content.documents.source import DocumentSource, work_for
from canvas_exports.core.packages.content.html_text import links_of
from canvas_exports.core.packages.content.listing import UniqueIdentifiers
from canvas_exports.core.packages.content.model import Document, ItemKind, Table
from canvas_exports.core.packages.content.settings_lists import LISTS, entry_item, read_list
from canvas_exports.core.packages.content.xml_tree import Element
from canvas_exports.errors import CorruptPackageError
from canvas_exports.foreign_text import harmless

_MOST_ROWS = 1_000
_MOST_RATINGS = 50
_LONGEST_CELL = 4_000


def read_entries(kind: ItemKind, source: DocumentSource) -> tuple[dict[str, Document], str]:
    """Return the documents of all entries of a list by identifier, and why the rest cannot be read, or ``""``."""
    name = LISTS[kind][0]
    try:
        pieces = source.pieces(name)
    except CorruptPackageError as error:
        return {}, error.message
    made, problem = read_list(kind, pieces, work_for(pieces.member.size), _MAKERS[kind])
    items = UniqueIdentifiers().of(each.item for each in made)
    return {
        item.identifier: replace(each, item=item) for item, each in zip(items, made, strict=True)
    }, problem


def _rubric(entry: Element, _: list[Element]) -> Document:
    criteria = [each for each in entry.all("criterion") if each.children][:_MOST_ROWS]
    rated = [_ratings_of(each) for each in criteria]
    width = max(map(len, rated), default=0)
    rows = tuple(
        (
            cell(criterion.value("description")),
            cell(criterion.value("long_description")),
            criterion.value("points")[:20],
            *(_rating(ratings[at]) if at < len(ratings) else "" for at in range(width)),
        )
        for criterion, ratings in zip(criteria, rated, strict=True)
    )
    header = ("Criterion", "Description", "Points", *(f"Rating {number}" for number in range(1, width + 1)))
    return Document(
        entry_item(ItemKind.RUBRIC, entry),
        html=entry.value("description"),
        fields=fields_of(entry, without=("description",)),
        tables=(Table("Criteria", header, rows),) if rows else (),
    )


def _ratings_of(criterion: Element) -> list[Element]:
    ratings = criterion.first("ratings")
    return ratings.children[:_MOST_RATINGS] if ratings else []


def _rating(rating: Element) -> str:
    words = " - ".join(filter(None, (rating.value("description"), rating.value("long_description"))))
    return cell(f"{words} ({rating.value('points')})" if rating.value("points") else words)


def _outcome(entry: Element, parents: list[Element]) -> Document:
    groups = [each.value("title") for each in parents if each.name == "learningOutcomeGroup"]
    ratings = [each for each in entry.all("rating") if each.children][:_MOST_ROWS]
    rows = tuple((cell(each.value("description")), each.value("points")[:20]) for each in ratings)
    html = entry.value("description")
    return Document(
        entry_item(ItemKind.OUTCOME, entry),
        html=html,
        fields=fields_of(entry, without=("description",), more={"group": " / ".join(filter(None, groups))}),
        tables=(Table("Ratings", ("Rating", "Points"), rows),) if rows else (),
        links=links_of(html),
    )


def _event(entry: Element, _: list[Element]) -> Document:
    html = entry.value("description")
    fields = fields_of(entry, without=("description",))
    return Document(entry_item(ItemKind.EVENT, entry), html=html, fields=fields, links=links_of(html))


_MAKERS: Mapping[ItemKind, Callable[[Element, list[Element]], Document]] = {
    ItemKind.RUBRIC: _rubric,
    ItemKind.OUTCOME: _outcome,
    ItemKind.EVENT: _event,
}


def cell(text: str) -> str:
    """Return the text of a cell of a table."""
    return harmless(text, most=_LONGEST_CELL)
