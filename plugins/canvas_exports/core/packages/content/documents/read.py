"""Read the document of an item, of any kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from canvas_exports.core.packages.content.documents.course_settings import DOCUMENTS, read_settings
from canvas_exports.core.packages.content.documents.links import read_tool, read_web_link
from canvas_exports.core.packages.content.documents.list_entries import read_entries
from canvas_exports.core.packages.content.documents.quizzes import read_bank, read_quiz
from canvas_exports.core.packages.content.documents.source import DocumentSource, missing
from canvas_exports.core.packages.content.documents.texts import (
    read_assignment,
    read_page,
    read_syllabus,
    read_topic,
)
from canvas_exports.core.packages.content.model import Document, Item, ItemKind
from canvas_exports.core.packages.content.settings_lists import LISTS
from canvas_exports.errors import CorruptPackageError


def members_of(item: Item) -> Iterator[str]:
    """Yield the members that the document of an item is read from."""
    if item.kind is ItemKind.SETTINGS:
        yield from DOCUMENTS
    elif item.kind is not ItemKind.FILE:
        yield from filter(None, (item.member, item.settings))


class DocumentReader:
    """Reads the documents of one package, one after the other. The lists among its settings are kept once they were read.

    Args:
        limit: unpacked bytes of documents that are read; after them every document is a ``problem``. A package may name one
            large document many times.
    """

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._lists: dict[ItemKind, tuple[dict[str, Document], str]] = {}

    def read(self, item: Item, source: DocumentSource) -> Document:
        """Read the document of an item. What cannot be read is a ``problem``; only errors of the store are raised."""
        if item.kind in LISTS:
            if item.kind not in self._lists:
                self._lists[item.kind] = read_entries(item.kind, source)
            entries, problem = self._lists[item.kind]
            return entries.get(item.identifier) or Document(
                item, problem=problem or "the package does not hold it"
            )
        self._left -= sum(map(source.size, members_of(item)))
        if self._left < 0:
            return Document(item, problem="the package has more documents to read than any course")
        before = source.further
        found = _read(item, source)
        self._left -= source.further - before
        return found


def _read(item: Item, source: DocumentSource) -> Document:
    try:
        return _READERS[item.kind](item, source)
    except CorruptPackageError as error:
        return Document(item, problem=error.message)


def _file(item: Item, source: DocumentSource) -> Document:  # noqa: ARG001 - as all readers
    return Document(item) if item.member is not None else missing(item)


_READERS: Mapping[ItemKind, Callable[[Item, DocumentSource], Document]] = {
    ItemKind.PAGE: read_page,
    ItemKind.SYLLABUS: read_syllabus,
    ItemKind.ASSIGNMENT: read_assignment,
    ItemKind.DISCUSSION: read_topic,
    ItemKind.ANNOUNCEMENT: read_topic,
    ItemKind.QUIZ: read_quiz,
    ItemKind.QUESTION_BANK: read_bank,
    ItemKind.FILE: _file,
    ItemKind.WEB_LINK: read_web_link,
    ItemKind.EXTERNAL_TOOL: read_tool,
    ItemKind.SETTINGS: read_settings,
}
