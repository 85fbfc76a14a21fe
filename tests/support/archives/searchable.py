"""Archives whose packages have a content that was made by hand, to be indexed and searched."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.archives.holdings import START, lay, manifest

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.archive.search.results import SearchQuery, SearchResults
from canvas_exports.core.archive.search.search import search_archive
from canvas_exports.core.archive.search.update_index import SearchIndexUpdate, update_search_index
from canvas_exports.core.packages.content.model import CourseContent, Document, Item, ItemKind, Module
from canvas_exports.core.storage.store import Store

LATER = START + timedelta(days=100)


class MadeContent:
    """A ``CourseContent`` made of documents."""

    def __init__(self, documents: Sequence[Document], modules: tuple[Module, ...] = ()) -> None:
        self.title = "A course"
        self.items = tuple(each.item for each in documents)
        self.modules = modules
        self._documents = {id(each.item): each for each in documents}

    def find(self, kind: ItemKind, identifier: str) -> Item | None:
        return next((each for each in self.items if (each.kind, each.identifier) == (kind, identifier)), None)

    def home(self) -> Item | None:
        return None

    def read(self, item: Item) -> Document:
        return self._documents[id(item)]

    def read_all(self, items: Iterable[Item]) -> Iterator[Document]:
        return map(self.read, items)

    def file_blocks(self, member: str, window: range | None = None) -> Iterator[bytes]:
        raise NotImplementedError

    def resolve(self, address: str, *, base: Item | None = None) -> Item | str | None:
        raise NotImplementedError


def page(
    title: str,
    html: str = "",
    *,
    kind: ItemKind = ItemKind.PAGE,
    identifier: str = "",
    links: Sequence[str] = (),
    **more: Any,
) -> Document:
    """A document; its identifier is its title, unless another is given."""
    return Document(Item(kind, identifier or title, title), html, links=tuple(links), **more)


class SearchableArchive:
    """An archive whose packages have a content that was made by hand.

    Args:
        store: the archive.
        folder: of the search database.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.folder = folder
        self.contents: dict[str, CourseContent | Exception] = {}
        self.opened: list[str] = []

    def add(
        self,
        course: int,
        content: Sequence[Document] | CourseContent | Exception,
        *,
        day: int = 0,
        export_type: str = "common_cartridge",
        facts: Mapping[str, Any] | None = None,
        kind: str = "course",
    ) -> Manifest:
        """Store a copy of a course with this content."""
        about = json.dumps([course, day, export_type]).encode()
        stored = lay(
            self.store,
            manifest(
                f"{kind}:{course}",
                day=day,
                export_id=1000 * course + day + 1,
                export_type=export_type,
                content=about,
                facts=facts,
            ),
            package=about,
        )
        made = MadeContent(content) if isinstance(content, Sequence) else content
        self.contents[stored.package.key] = made
        return stored

    def open(self, _: Store, copy: Copy) -> CourseContent:
        """Open a package, as ``open_package`` does."""
        self.opened.append(copy.package.key)
        content = self.contents[copy.package.key]
        if isinstance(content, Exception):
            raise content
        return content

    def index(self, *, now: datetime = LATER, **more: Any) -> SearchIndexUpdate:
        """Update the index."""
        return update_search_index(self.store, open_content=self.open, now=now, **more)

    def search(self, text: str = "", **query: Any) -> SearchResults:
        """Search the archive."""
        return search_archive(self.store, SearchQuery(text, **query), folder=self.folder)

    def found(self, text: str = "", **query: Any) -> list[tuple[int, str]]:
        """Return the course and the title of everything that is found, sorted."""
        courses = search_archive(
            self.store, SearchQuery(text, **query), folder=self.folder, most_courses=1000, most_items=1000
        ).courses
        return sorted(
            (course.canvas_id, item.snippet.title.text) for course in courses for item in course.items
        )


def segments(store: Store) -> list[str]:
    """Return the keys of the index."""
    return sorted(info.key for info in store.list("search/"))
