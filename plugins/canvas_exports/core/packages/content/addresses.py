"""Resolve the addresses in the documents of a package: Canvas's tokens, relative links of other systems, links to elsewhere."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from urllib.parse import parse_qs, unquote, urlsplit

from canvas_exports.core.packages.cartridge.links import spellings
from canvas_exports.core.packages.cartridge.references import normalize_text, resolve_path
from canvas_exports.core.packages.cartridge.resource_kinds import BANKS_FOLDER, FILES_FOLDER
from canvas_exports.core.packages.content.model import Item, ItemKind, Module
from canvas_exports.core.packages.zip.directory import Member

MAX_ADDRESS = 8_000

_TOKEN = re.compile(
    r"(?:\$|%24)(IMS[-_]CC[-_]FILEBASE|WIKI_REFERENCE|CANVAS_OBJECT_REFERENCE|CANVAS_COURSE_REFERENCE)(?:\$|%24)",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}:")
_OUTSIDE = ("http:", "https:", "mailto:", "tel:", "ftp:", "sms:")
_IN_CANVAS = re.compile(r"/?(?:courses/\d+/)?")
_KINDS: Mapping[str, tuple[ItemKind, ...]] = {
    "pages": (ItemKind.PAGE,),
    "wiki": (ItemKind.PAGE,),
    "wiki_pages": (ItemKind.PAGE,),
    "assignments": (ItemKind.ASSIGNMENT, ItemKind.QUIZ, ItemKind.DISCUSSION),
    "quizzes": (ItemKind.QUIZ, ItemKind.ASSIGNMENT),
    "discussion_topics": (ItemKind.DISCUSSION, ItemKind.ANNOUNCEMENT),
    "announcements": (ItemKind.ANNOUNCEMENT, ItemKind.DISCUSSION),
    "question_banks": (ItemKind.QUESTION_BANK,),
    "files": (ItemKind.FILE,),
    "file_ref": (ItemKind.FILE,),
    "attachments": (ItemKind.FILE,),
    "external_tools": (ItemKind.EXTERNAL_TOOL,),
    "rubrics": (ItemKind.RUBRIC,),
    "outcomes": (ItemKind.OUTCOME,),
    "calendar_events": (ItemKind.EVENT,),
}
#: Parts of a course in Canvas that list the items of a kind, by the last part of their address.
COURSE_PARTS: Mapping[str, ItemKind] = {
    "pages": ItemKind.PAGE,
    "wiki": ItemKind.PAGE,
    "assignments": ItemKind.ASSIGNMENT,
    "quizzes": ItemKind.QUIZ,
    "discussion_topics": ItemKind.DISCUSSION,
    "announcements": ItemKind.ANNOUNCEMENT,
    "files": ItemKind.FILE,
    "rubrics": ItemKind.RUBRIC,
    "outcomes": ItemKind.OUTCOME,
}
_CONTENT_OF_PEOPLE = (ItemKind.FILE, ItemKind.PAGE, ItemKind.SYLLABUS)


def course_part(address: str) -> str | None:
    """Return the part of its course that an address with Canvas's token leads to, such as ``modules``; ``""`` for the course itself.

    ``None`` for an address of an item, or of another kind.
    """
    address = address.strip()
    token = _TOKEN.match(address) if len(address) <= MAX_ADDRESS else None
    if token is None or token[1].upper().startswith("IMS"):
        return None
    parts = [part for part in re.split(r"[?#]", address[token.end() :])[0].split("/") if part]
    return None if len(parts) > 1 else "".join(parts).lower()


class Addresses:
    """Finds the item that an address leads to.

    Args:
        items: of the package.
        modules: of the package: a line of a module leads to its item.
        members: of the package, by name.
        root: the folder that the paths of files begin in, such as ``web_resources/``.
    """

    def __init__(
        self, items: Iterable[Item], modules: Iterable[Module], members: Mapping[str, Member], *, root: str
    ) -> None:
        self._items = tuple(items)
        self._modules = tuple(modules)
        self._members = members
        self._root = root

    def resolve(self, address: str, *, base: Item | None = None) -> Item | str | None:
        """Resolve an address, see ``CourseContent.resolve``. The work is bounded by the length of the address."""
        address = address.strip()
        if not address or len(address) > MAX_ADDRESS:
            return None
        token = _TOKEN.search(address)
        if token is not None:
            return self._of_token(token[1].upper(), address[token.end() :].replace("\\", "/"))
        if address.startswith(("//", "\\\\")):
            return address
        scheme = _SCHEME.match(address)
        if scheme is not None:
            return address if scheme[0].lower() in _OUTSIDE else None
        if address.startswith("#"):
            return base
        folder = posixpath.dirname(base.member) if base is not None and base.member else ""
        return self._of_path(folder, address.replace("\\", "/"))

    def find(self, kind: ItemKind, identifier: str) -> Item | None:
        """Return an item; a member that is no item of its own is found as a file, by its path."""
        found = self._by_kind.get((kind, identifier))
        return self._file(identifier) if found is None and kind is ItemKind.FILE else found

    def target(self, identifier: str) -> Item | None:
        """Return the item with an identifier, of any kind."""
        return self._by_identifier.get(identifier) if identifier else None

    def _of_token(self, token: str, rest: str) -> Item | str | None:
        paths = [path for path in spellings(rest) if path.strip("/")]
        if token.startswith("IMS"):
            found = (self._file_at(folder, path) for path in paths for folder in (FILES_FOLDER, ""))
            return next((each for each in found if each is not None), None)
        if token == "CANVAS_COURSE_REFERENCE" and "external_tools/retrieve" in rest:  # noqa: S105 - no password
            return _launched(rest)
        return next((each for path in paths if (each := self._in_course(path)) is not None), None)

    def _in_course(self, path: str) -> Item | None:
        """Return what a path of Canvas below a course leads to."""
        parts = [part for part in path.split("/") if part]
        if parts[:2] == ["assignments", "syllabus"]:
            return next((item for item in self._items if item.kind is ItemKind.SYLLABUS), None)
        if parts[:2] == ["modules", "items"]:
            return self._lines.get(parts[2]) if len(parts) > 2 else None  # noqa: PLR2004 - the identifier
        if parts[:2] == ["file_contents", "course files"]:
            return self._file_at(FILES_FOLDER, "/".join(parts[2:]))
        if len(parts) < 2:  # noqa: PLR2004 - a part of Canvas, not an item
            return None
        return self._named(_KINDS.get(parts[0], ()), parts[1:])

    def _named(self, kinds: Sequence[ItemKind], parts: Sequence[str]) -> Item | None:
        """Return the item of one of the kinds, by its identifier; a page also by the last part of its address."""
        for kind in kinds:
            if found := self._by_kind.get((kind, parts[0])):
                return found
        if ItemKind.PAGE in kinds:
            return self._slugs.get(normalize_text("/".join(parts)))
        return self._by_identifier.get(parts[0]) if kinds else None

    def _of_path(self, folder: str, address: str) -> Item | None:
        path = urlsplit_path(address)
        if path.startswith("/"):
            return self._in_course(_IN_CANVAS.sub("", path, count=1)) or self._file_at("", unquote(path))
        return next(
            (
                found
                for spelling in spellings(address)
                for start in (folder, "", self._root)
                if (found := self._file_at(start, spelling)) is not None
            ),
            None,
        )

    def _file_at(self, folder: str, path: str) -> Item | None:
        whole = resolve_path(f"{folder}/{path}" if folder else path)
        while whole.startswith("../"):  # of a token, as other systems write it: the package is the top
            whole = whole[3:]
        return self._file(whole)

    def _file(self, path: str) -> Item | None:
        found = self._by_path.get(path) or self._by_path.get(normalize_text(path))
        if found is not None:
            return found
        member = self._members.get(path)
        if member is None or path in self._own_documents or _is_document(path):
            return None
        folder, name = posixpath.split(path)
        return Item(ItemKind.FILE, path, name, path, folder=folder, size=member.size)

    @cached_property
    def _by_kind(self) -> dict[tuple[ItemKind, str], Item]:
        return {(item.kind, item.identifier): item for item in self._items}

    @cached_property
    def _by_identifier(self) -> dict[str, Item]:
        return {item.identifier: item for item in reversed(self._items)}

    @cached_property
    def _by_path(self) -> dict[str, Item]:
        found: dict[str, Item] = {}
        for item in self._items:
            if item.member is not None and item.kind in _CONTENT_OF_PEOPLE:
                for name in _names_of(item):
                    found.setdefault(name, item)
        return found

    @cached_property
    def _own_documents(self) -> frozenset[str]:
        return frozenset(
            name
            for item in self._items
            if item.kind not in _CONTENT_OF_PEOPLE
            for name in (item.member, item.settings)
            if name
        )

    @cached_property
    def _slugs(self) -> dict[str, Item]:
        """Pages by the last part of their address, and by the one that their title would have."""
        found: dict[str, Item] = {}
        pages = [item for item in self._items if item.kind is ItemKind.PAGE]
        for page in pages:
            stem = posixpath.splitext(posixpath.basename(page.member or ""))[0]
            found.setdefault(normalize_text(stem), page)
        for page in pages:
            found.setdefault(page.identifier, page)
            found.setdefault(re.sub(r"[^\w]+", "-", normalize_text(page.title).lower()).strip("-"), page)
        return found

    @cached_property
    def _lines(self) -> dict[str, Item]:
        return {
            line.identifier: line.target
            for module in self._modules
            for line in module.items
            if line.target is not None
        }


def leads_to_modules(address: str) -> bool:
    """Return whether an address of a document is that of the list of modules, or of one of them, which are no items."""
    if len(address) > MAX_ADDRESS:
        return False
    token = _TOKEN.search(address)
    if token is None or not token[1].upper().startswith("CANVAS_"):
        return False
    parts = [part for part in urlsplit_path(address[token.end() :]).split("/") if part]
    return parts[:1] == ["modules"] and parts[1:2] != ["items"]


def urlsplit_path(address: str) -> str:
    """Return the path of an address, without its query and its fragment."""
    return address.partition("#")[0].partition("?")[0]


def _is_document(path: str) -> bool:
    """Return whether a member may be a document of the package itself, such as the questions of a quiz with their key."""
    return path.lower().endswith((".xml", ".qti")) or path.startswith(("course_settings/", BANKS_FOLDER))


def _names_of(item: Item) -> Iterator[str]:
    """Yield the paths that an item is found by: its member, also as Canvas shows a renamed one."""
    if item.member:
        yield item.member
        yield normalize_text(resolve_path(item.member))
    if item.kind is ItemKind.FILE:
        yield normalize_text(
            f"{FILES_FOLDER}{item.folder}/{item.title}" if item.folder else f"{FILES_FOLDER}{item.title}"
        )


def _launched(rest: str) -> str | None:
    """Return the address that a link to an external tool opens."""
    try:
        urls = parse_qs(urlsplit(rest.replace("&amp;", "&")).query, max_num_fields=20).get("url", [])
    except ValueError:
        return None
    return next((url for url in urls if url.startswith(("https://", "http://"))), None)
