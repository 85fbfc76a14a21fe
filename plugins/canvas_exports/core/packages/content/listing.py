"""List what is in a cartridge or QTI package: the resources of its manifest, and the lists among its settings."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote

from canvas_exports.core.packages.cartridge.manifest import CartridgeManifest, Resource
from canvas_exports.core.packages.cartridge.references import match_references, resolve_path
from canvas_exports.core.packages.cartridge.resource_kinds import (
    BANKS_FOLDER,
    FILES_FOLDER,
    assignments,
    further_files,
    kind_of,
    own_file,
)
from canvas_exports.core.packages.content.heads import Head, HeadOf
from canvas_exports.core.packages.content.model import Item, ItemKind
from canvas_exports.core.packages.zip.directory import Member
from canvas_exports.foreign_text import harmless

#: The kind of item that each count of the proof counts. Announcements are among the discussions.
KIND_OF_COUNT: Mapping[str, ItemKind] = {
    "pages": ItemKind.PAGE,
    "syllabus": ItemKind.SYLLABUS,
    "assignments": ItemKind.ASSIGNMENT,
    "discussions": ItemKind.DISCUSSION,
    "announcements": ItemKind.ANNOUNCEMENT,
    "quizzes": ItemKind.QUIZ,
    "question_banks": ItemKind.QUESTION_BANK,
    "files": ItemKind.FILE,
    "web_links": ItemKind.WEB_LINK,
    "tools": ItemKind.EXTERNAL_TOOL,
    "rubrics": ItemKind.RUBRIC,
    "outcomes": ItemKind.OUTCOME,
    "events": ItemKind.EVENT,
}

_HTML = (".html", ".htm", ".xhtml")
_META = ".xml"


@dataclass
class Draft:
    """An item whose documents are known, but not read.

    Attributes:
        item: with the title of the outline, or of its document's name.
        title_from: the members whose beginnings may have a better title, the best first.
    """

    item: Item
    title_from: tuple[str, ...] = ()


class References:
    """Finds the members that a manifest means: also under other names than it says, see ``match_references``."""

    def __init__(self, manifest: CartridgeManifest, members: Mapping[str, Member]) -> None:
        self._members = members
        self._renamed = dict(match_references(manifest.references, members.keys()).renamed)

    def member(self, path: str) -> str | None:
        """Return the name of the member that a path of the manifest means; ``None`` if there is none."""
        plain = path.partition("#")[0].partition("?")[0]
        for each in (path, unquote(path), plain, unquote(plain)):
            if each in self._members:
                return each
            if each in self._renamed:
                return self._renamed[each]
        return None


def list_resources(manifest: CartridgeManifest, members: Mapping[str, Member]) -> list[Draft]:
    """Return an item of each resource, in the order of the manifest, then the assignments and the further files."""
    lister = _Lister(manifest, members)
    return [
        *(draft for resource in manifest.resources for draft in lister.resource(resource)),
        *lister.assignments(),
        *(lister.file(path, path) for path in further_files(manifest)),
    ]


class _Lister:
    def __init__(self, manifest: CartridgeManifest, members: Mapping[str, Member]) -> None:
        self._manifest = manifest
        self._members = members
        self._member_of = References(manifest, members).member
        self._resources = {resource.identifier: resource for resource in reversed(manifest.resources)}
        self._titles = {
            resource.identifier: resource.title for resource in manifest.resources if resource.title
        } | {item.resource: item.title for item in reversed(manifest.outline) if item.resource and item.title}

    def resource(self, resource: Resource) -> Iterator[Draft]:
        count = kind_of(resource)
        if count is None:
            return
        kind, path = KIND_OF_COUNT[count], own_file(resource)
        identifier = resource.identifier or path
        if kind is ItemKind.FILE:
            yield self.file(identifier, path)
        elif kind is ItemKind.QUIZ:
            yield self._quiz(identifier, resource)
        elif kind is ItemKind.DISCUSSION:
            settings = self._of_dependencies(resource, lambda name: name.endswith(_META))
            yield self._draft(kind, identifier, path, settings, title_from=(path,))
        else:
            yield self._draft(kind, identifier, path, title_from=(path,))

    def assignments(self) -> Iterator[Draft]:
        for folder, resources in assignments(self._manifest.resources).items():
            named = [each for each in resources if each.identifier == folder] or resources
            paths = list(dict.fromkeys(resolve_path(name) for each in resources for name in each.files))
            here = [path for path in paths if posixpath.dirname(path) == folder] or paths
            settings = next((path for path in here if path.endswith("/assignment_settings.xml")), None)
            standard = next((path for path in here if path.endswith(_META) and path != settings), None)
            text = next((path for path in here if path.lower().endswith(_HTML)), standard)
            yield self._draft(
                ItemKind.ASSIGNMENT,
                named[0].identifier or folder,
                text or "",
                settings or standard,
                title_from=tuple(path for path in (settings, standard) if path),
            )

    def file(self, identifier: str, path: str) -> Draft:
        draft = self._draft(ItemKind.FILE, identifier, path)
        folder, name = posixpath.split(path.removeprefix(FILES_FOLDER))
        return Draft(
            replace(draft.item, title=harmless(name) or draft.item.title, folder=harmless(folder, most=2_000))
        )

    def _quiz(self, identifier: str, resource: Resource) -> Draft:
        path = own_file(resource)
        settings = self._of_dependencies(resource, lambda name: name.endswith("assessment_meta.xml"))
        # A cartridge has each quiz twice; only Canvas's own form has all questions.
        full = self._of_dependencies(resource, lambda name: name.endswith(".qti"))
        full = self._member_of(full or f"{BANKS_FOLDER}{identifier}.xml.qti")
        return self._draft(
            ItemKind.QUIZ,
            identifier,
            full or path,
            settings,
            title_from=tuple(filter(None, (settings, path))),
        )

    def _of_dependencies(self, resource: Resource, is_it: Callable[[str], bool]) -> str | None:
        """Return the first file of the resources that a resource needs, or of itself, that is what is asked for."""
        needed = [self._resources[name] for name in resource.dependencies if name in self._resources]
        paths = (
            resolve_path(name) for each in (*needed, resource) for name in (each.href, *each.files) if name
        )
        own = own_file(resource)
        return next((path for path in paths if path != own and is_it(path)), None)

    def _draft(
        self,
        kind: ItemKind,
        identifier: str,
        path: str,
        settings: str | None = None,
        *,
        title_from: tuple[str, ...] = (),
    ) -> Draft:
        member = self._member_of(path) if path else None
        title = self._titles.get(identifier, "")
        found = Item(
            kind=kind,
            identifier=identifier,
            title=harmless(title or _title_of_name(path) or identifier),
            member=member,
            settings=self._member_of(settings) if settings else None,
            size=self._members[member].size if member else 0,
        )
        names = (self._member_of(name) for name in title_from)
        heads = tuple(dict.fromkeys(name for name in (*names, found.settings) if name))
        return Draft(found, heads)


def completed(draft: Draft, head_of: HeadOf) -> Item:
    """Return the item with what the beginnings of its documents say."""
    item = draft.item
    heads = [head_of(name) for name in draft.title_from]
    title = next((head.title for head in heads if head.title), "")
    if title:
        item = replace(item, title=harmless(_without_prefix(title, item.kind)))
    if item.kind is ItemKind.DISCUSSION and _is_announcement(heads):
        item = replace(item, kind=ItemKind.ANNOUNCEMENT)
    is_front = item.kind is ItemKind.PAGE and any(head.texts.get("front_page") == "true" for head in heads)
    published = (head.is_published for head in heads)
    return replace(
        item,
        is_published=next((each for each in published if each is not None), None),
        is_front_page=is_front,
    )


def _is_announcement(heads: Iterable[Head]) -> bool:
    return any(head.root == "topicMeta" and head.texts.get("type") == "announcement" for head in heads)


def _without_prefix(title: str, kind: ItemKind) -> str:
    return title.removeprefix("Assignment: ") if kind is ItemKind.ASSIGNMENT else title


def _title_of_name(path: str) -> str:
    stem, suffix = posixpath.splitext(posixpath.basename(path))
    name = unquote(stem)
    return " ".join(name.replace("-", " ").replace("_", " ").split()) if suffix.lower() in _HTML else name


class UniqueIdentifiers:
    """Makes identifiers unique within a kind: the second of one name gets ``~2``, and so on; one without gets its kind."""

    def __init__(self) -> None:
        self._used: set[tuple[ItemKind, str]] = set()
        self._numbers: Counter[tuple[ItemKind, str]] = Counter()

    def of(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield the items with unique identifiers."""
        for item in items:
            name = identifier = item.identifier or item.kind.value
            while (item.kind, identifier) in self._used:
                self._numbers[item.kind, name] += 1
                identifier = f"{name}~{self._numbers[item.kind, name] + 1}"
            self._used.add((item.kind, identifier))
            yield item if identifier == item.identifier else replace(item, identifier=identifier)
