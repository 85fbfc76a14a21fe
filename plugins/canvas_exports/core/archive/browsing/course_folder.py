"""Write a course as a folder of HTML that opens from a disk, a USB stick or any web server.

::

    index.html      the course
    style.css
    pages/          lists, items, and the texts that items show in a frame
    files/          the files of the package, under names that every file system takes

All links are relative. Files are copied in blocks, and documents are read one after the other: memory does not grow with the
course, but with the number of its items.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote

from canvas_exports.core.archive.browsing.course_pages import CoursePages, Crumb
from canvas_exports.core.archive.browsing.file_names import FileNames, slug
from canvas_exports.core.archive.browsing.kinds import KIND_NAMES
from canvas_exports.core.archive.browsing.page_policy import STYLE
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.packages.content.model import CourseContent, Item, ItemKind
from canvas_exports.errors import ObjectNotFoundError, PackageError
from canvas_exports.foreign_text import harmless

HOME = "index.html"
_STYLE_SHEET = "style.css"
_MAX_PROBLEMS = 100


class Folder(Protocol):
    """A place for files: a folder on a disk, or below a root in a store."""

    def write(self, path: str, blocks: Iterable[bytes]) -> int:
        """Write a file and return its size. If the blocks end in an error, nothing is left of it, and the error is raised.

        Args:
            path: relative, with ``/``; no part of it is ``..``, and no file is written twice.
            blocks: its content.
        """
        ...


@dataclass
class WrittenCourse:
    """What was written.

    Attributes:
        title: of the course.
        pages: pages of HTML.
        files: files of the package.
        size: bytes of all of them.
        titles: title, kind and path of each item, for a search.
        problems: files that could not be read, in a sentence each; at most 100.
        unreadable: how many there are.
    """

    title: str = ""
    pages: int = 0
    files: int = 0
    size: int = 0
    titles: list[tuple[str, ItemKind, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unreadable: int = 0


@dataclass(frozen=True)
class FolderOptions:
    """How a course is written.

    Attributes:
        show_key: whether the correct answers of quizzes are shown.
        with_files: whether the files of the package are written, too.
        ascii_names: see ``FileNames``.
        crumbs: pages above the course, with addresses relative to ``index.html``.
        zone: time zone of the times of the copy.
    """

    show_key: bool = False
    with_files: bool = True
    ascii_names: bool = False
    crumbs: Sequence[Crumb] = ()
    zone: str = "UTC"


def write_course(
    content: CourseContent,
    manifest: Manifest,
    folder: Folder,
    options: FolderOptions,
    *,
    tell: Callable[[WrittenCourse], object] = lambda _: None,
) -> WrittenCourse:
    """Write a course.

    A file or document that cannot be read costs itself only: its page says so.

    Args:
        content: the open package.
        manifest: of the copy.
        folder: to write to; it is empty.
        options: how.
        tell: called after each file and page, with what was written so far.

    Raises:
        ArchiveError: the store of the package failed (retryable), or denied (permanent).
    """
    return _Writer(content, manifest, folder, options, tell=tell).write()


class _FolderAddresses:
    """Where the pages are. A file is written when it is first asked for."""

    up = "../"
    style: str | None = _STYLE_SHEET

    def __init__(
        self, items: Iterable[Item], file: Callable[[Item], str | None], further: Callable[[Item], None]
    ) -> None:
        self._file = file
        self._further = further
        self._stems: dict[
            tuple[ItemKind, str], str
        ] = {}  # an item that was read may have another title than in a list
        for item in items:
            self._stem(item)

    def home(self) -> str:
        return HOME

    def listing(self, kind: ItemKind, part: int) -> str:
        name = slug(KIND_NAMES[kind].many)
        return f"pages/{name}.html" if part == 0 else f"pages/{name}-{part + 1}.html"

    def item(self, item: Item) -> str:
        self._further(item)
        return f"pages/{self._stem(item)}.html"

    def body(self, item: Item) -> str | None:
        return f"pages/{self._stem(item)}-text.html"

    def file(self, item: Item) -> str | None:
        path = self._file(item)
        return None if path is None else quote(path)

    def _stem(self, item: Item) -> str:
        """Return the name of an item's page without its ending. Its digest keeps items apart that have the same title."""
        key = (item.kind, item.identifier)
        if key not in self._stems:
            digest = hashlib.sha256(
                f"{item.kind.value}:{item.identifier}".encode("utf-8", "replace")
            ).hexdigest()[:12]
            self._stems[key] = "-".join(filter(None, (slug(item.kind.value), slug(item.title), digest)))
        return self._stems[key]


class _Writer:
    def __init__(
        self,
        content: CourseContent,
        manifest: Manifest,
        folder: Folder,
        options: FolderOptions,
        *,
        tell: Callable[[WrittenCourse], object],
    ) -> None:
        self._content = content
        self._folder = folder
        self._with_files = options.with_files
        self._tell = tell
        self._names = FileNames("files", ascii_only=options.ascii_names)
        self._files: dict[
            str, str | None
        ] = {}  # path of each member that was written; None if it could not be
        self._items = {(item.kind, item.identifier) for item in content.items}
        self._further: dict[tuple[ItemKind, str], Item] = {}  # files that only a text leads to
        self._addresses = _FolderAddresses(content.items, self._file, self._note)
        self._pages = CoursePages(
            content,
            manifest,
            self._addresses,
            show_key=options.show_key,
            crumbs=options.crumbs,
            zone=options.zone,
        )
        self._written = WrittenCourse(title=self._pages.title)

    def write(self) -> WrittenCourse:
        for item in self._content.items:
            if item.kind is ItemKind.FILE:
                self._file(item)
        self._documents(self._content.items)
        while self._further:
            further, self._further = list(self._further.values()), {}
            self._items.update((item.kind, item.identifier) for item in further)
            self._documents(further)
        for kind in KIND_NAMES:
            for part in range(self._pages.listing_parts(kind)):
                self._page(self._addresses.listing(kind, part), self._pages.listing(kind, part))
        self._page(HOME, self._pages.home())
        self._written.size += self._folder.write(_STYLE_SHEET, [STYLE.encode()])
        return self._written

    def _documents(self, items: Iterable[Item]) -> None:
        for document in self._content.read_all(_once(items)):
            address = self._addresses.item(document.item)
            self._page(address, self._pages.item_page(document))
            body = self._addresses.body(document.item)
            if body is not None and self._pages.needs_frame(document):
                self._page(body, self._pages.body_page(document))
            self._written.titles.append((document.item.title, document.item.kind, address))

    def _page(self, path: str, page: bytes) -> None:
        self._written.size += self._folder.write(path, [page])
        self._written.pages += 1
        self._tell(self._written)

    def _note(self, item: Item) -> None:
        key = (item.kind, item.identifier)
        if key not in self._items:
            self._further.setdefault(key, item)

    def _file(self, item: Item) -> str | None:
        if not self._with_files or item.member is None or item.kind is not ItemKind.FILE:
            return None
        if item.member not in self._files:
            self._files[item.member] = self._copied(item, item.member)
        return self._files[item.member]

    def _copied(self, item: Item, member: str) -> str | None:
        path = self._names.path_of(item.folder, item.title or member.rpartition("/")[2])
        try:
            self._written.size += self._folder.write(path, self._content.file_blocks(member))
        except (PackageError, ObjectNotFoundError) as error:
            self._written.unreadable += 1
            if len(self._written.problems) < _MAX_PROBLEMS:
                self._written.problems.append(f"{harmless(member, most=200)}: {error.message}")
            return None
        self._written.files += 1
        self._tell(self._written)
        return path


def _once(items: Iterable[Item]) -> Iterator[Item]:
    """Yield each item once: a page is written once, whatever a package lists."""
    seen: set[tuple[ItemKind, str]] = set()
    for item in items:
        key = (item.kind, item.identifier)
        if key not in seen:
            seen.add(key)
            yield item
