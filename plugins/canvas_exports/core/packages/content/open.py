"""Open a package for reading: a cartridge, a QTI package, or an export of files."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from canvas_exports.core.packages.cartridge.manifest import MANIFEST, MAX_MANIFEST, read_manifest
from canvas_exports.core.packages.cartridge.resource_kinds import FILES_FOLDER, is_elsewhere
from canvas_exports.core.packages.cartridge.resources import with_bases
from canvas_exports.core.packages.content.course import Course
from canvas_exports.core.packages.content.documents.course_settings import DOCUMENTS
from canvas_exports.core.packages.content.documents.source import CourseNames
from canvas_exports.core.packages.content.heads import Head, HeadOf, read_document_head
from canvas_exports.core.packages.content.listing import Draft, UniqueIdentifiers, completed, list_resources
from canvas_exports.core.packages.content.model import CourseContent, Item, ItemKind
from canvas_exports.core.packages.content.outline import MODULE_META, ModuleMeta, modules_of, read_module_meta
from canvas_exports.core.packages.content.package_members import PackageMembers
from canvas_exports.core.packages.content.settings_lists import LISTS, list_entries
from canvas_exports.core.packages.content.xml_tree import Element, read_tree
from canvas_exports.core.packages.findings import Findings
from canvas_exports.core.packages.random_access import RandomAccess
from canvas_exports.core.packages.work_limits import WorkLimit
from canvas_exports.core.packages.zip.directory import read_directory
from canvas_exports.core.packages.zip.members import check_members
from canvas_exports.core.storage.buffers import MiB
from canvas_exports.errors import CorruptPackageError
from canvas_exports.foreign_text import harmless

_SETTINGS_FOLDER = "course_settings/"
_COURSE = "course_settings/course_settings.xml"
_GROUPS = "course_settings/assignment_groups.xml"
_FILES = "course_settings/files_meta.xml"
_MAX_SETTINGS = 8 * MiB
# Bytes of a package that are read for titles: of one document, and of all.
_LONGEST_HEAD_SOURCE = MiB
_MOST_HEADS = 64 * MiB
_MOST_REQUESTS = 24  # for titles; whether a topic is an announcement is always read
_WITH_QUESTIONS = (ItemKind.QUIZ, ItemKind.QUESTION_BANK)
_SUFFIXES = (".xml", ".html", ".htm", ".qti", ".json")


def open_content(package: RandomAccess, *, export_type: str) -> CourseContent:
    """Open a package for reading.

    Reads the directory, the manifest, the settings of the course and the beginnings of its documents; of a course of any
    size, two to four requests where these lie together, as Canvas writes them. Keeps at most 8 MiB of the package.

    A package that is damaged is opened as far as it can be read.

    Args:
        package: the package.
        export_type: ``common_cartridge``, ``qti`` or ``zip``.

    Raises:
        CorruptPackageError: not a zip, truncated, a zip bomb, or without a manifest that can be read.
        ArchiveError: the store failed (retryable), or denied (permanent).
    """
    directory = read_directory(package)
    check_members(directory, package.size, Findings(), once=frozenset())
    members = PackageMembers(package, directory)
    if export_type == "zip":
        return _open_files(members)
    return _open_cartridge(members)


def _open_files(members: PackageMembers) -> CourseContent:
    items = [
        Item(
            ItemKind.FILE,
            name,
            harmless(posixpath.basename(name)) or name,
            name,
            folder=harmless(posixpath.dirname(name), most=2_000),
            size=member.size,
        )
        for name, member in members.by_name.items()
    ]
    return Course(members, items=items)


def _open_cartridge(members: PackageMembers) -> CourseContent:
    if MANIFEST not in members.by_name:
        raise CorruptPackageError(f"there is no {MANIFEST} in the package")
    work = WorkLimit(members.package.size)
    members.read_if_together(_likely_documents(members))
    settings = [
        name for name in members.by_name if name.startswith(_SETTINGS_FOLDER) and name.endswith(".xml")
    ]
    source = members.read_together([MANIFEST, *settings])
    written = read_manifest(members.content(MANIFEST, source=source, limit=MAX_MANIFEST), work)
    manifest = with_bases(written, members.by_name.keys())
    opening = _Opening(members, source, work)
    drafts = list_resources(manifest, members.by_name)
    heads = opening.heads(drafts)
    files = {each.attributes.get("identifier", ""): each for each in opening.root(_FILES).all("file")}
    items = [_with_file_settings(completed(draft, heads), files) for draft in drafts]
    items += (item for kind in LISTS for item in opening.entries(kind))
    course = opening.root(_COURSE)
    title = harmless(manifest.title or course.value("title"))
    items += _settings_item(members)
    unique = list(UniqueIdentifiers().of(items))
    targets: dict[str, Item] = {}
    for item in unique:
        targets.setdefault(item.identifier, item)
    for resource in manifest.resources:
        if resource.preferred in targets:
            targets.setdefault(resource.identifier, targets[resource.preferred])
    metas = opening.module_metas()
    groups = opening.root(_GROUPS).all("assignmentGroup")
    return Course(
        members,
        title=title,
        items=unique,
        modules=modules_of(manifest, metas, targets.get),
        root=FILES_FOLDER,
        names=CourseNames(
            groups={each.attributes.get("identifier", ""): harmless(each.value("title")) for each in groups},
            rubrics={item.identifier: item.title for item in unique if item.kind is ItemKind.RUBRIC},
            questions={
                item.identifier: item.member
                for item in unique
                if item.member and item.kind in _WITH_QUESTIONS
            },
            addresses={each.identifier: each.href for each in manifest.resources if is_elsewhere(each.href)},
        ),
    )


class _Opening:
    """Reads what the lists of a package need."""

    def __init__(self, members: PackageMembers, source: RandomAccess, work: WorkLimit) -> None:
        self._members = members
        self._source = source
        self._work = work

    def root(self, name: str) -> Element:
        """Return the root element of a settings document; an empty one if it cannot be read, or is not there."""
        try:
            pieces = self._members.content(name, source=self._source, limit=_MAX_SETTINGS)
        except CorruptPackageError:
            return Element("", {})
        return read_tree(name, pieces, self._work).root

    def module_metas(self) -> list[ModuleMeta]:
        """Return the modules in Canvas's own form; none if there is no such document."""
        try:
            pieces = self._members.content(MODULE_META, source=self._source)
        except CorruptPackageError:
            return []
        return read_module_meta(pieces, self._work)

    def entries(self, kind: ItemKind) -> list[Item]:
        """Return the items of a list among the settings."""
        try:
            pieces = self._members.content(LISTS[kind][0], source=self._source)
        except CorruptPackageError:
            return []
        return list_entries(kind, pieces, self._work)

    def heads(self, drafts: Sequence[Draft]) -> HeadOf:
        """Read the beginnings of documents, those that lie together first, with at most 24 requests for titles alone."""
        topics = (draft.item.settings for draft in drafts if draft.item.kind is ItemKind.DISCUSSION)
        needed = dict.fromkeys(name for name in topics if name)
        wanted = dict.fromkeys(name for draft in drafts for name in draft.title_from)
        names = self._within_limits([*needed, *(name for name in wanted if name not in needed)])
        groups = sorted(self._members.groups(names), key=len, reverse=True)
        work = WorkLimit(self._members.package.size)
        found: dict[str, Head] = {}
        for number, group in enumerate(groups):
            if number < _MOST_REQUESTS or not needed.keys().isdisjoint(group):
                source = self._members.read_group(group)
                found.update((name, self._head(name, source, work)) for name in group)
        return lambda name: found.get(name, Head())

    def _head(self, name: str, source: RandomAccess, work: WorkLimit) -> Head:
        try:
            return read_document_head(name, self._members.content(name, source=source), work)
        except CorruptPackageError:  # also: the package needs more work than any course
            return Head()

    def _within_limits(self, names: Iterable[str]) -> list[str]:
        left, chosen = _MOST_HEADS, []
        for name in names:
            length = len(self._members.by_name[name].extent)
            if length <= min(left, _LONGEST_HEAD_SOURCE):
                left -= length
                chosen.append(name)
        return chosen


def _likely_documents(members: PackageMembers) -> Iterator[str]:
    for name, member in members.by_name.items():
        is_document = not name.startswith(FILES_FOLDER) and name.lower().endswith(_SUFFIXES)
        if is_document and len(member.extent) <= _LONGEST_HEAD_SOURCE:
            yield name


def _settings_item(members: PackageMembers) -> Iterator[Item]:
    found = [name for name in DOCUMENTS if name in members.by_name]
    if found:
        size = members.by_name[found[0]].size
        yield Item(ItemKind.SETTINGS, "course_settings", "Course settings", found[0], size=size)


def _with_file_settings(item: Item, files: Mapping[str, Element]) -> Item:
    """Return a file as Canvas shows it: under its display name, hidden or locked."""
    found = files.get(item.identifier) if item.kind is ItemKind.FILE else None
    if found is None:
        return item
    is_hidden = "true" in (found.value("hidden"), found.value("locked"))
    name = harmless(found.value("display_name"))
    return replace(item, title=name or item.title, is_published=False if is_hidden else item.is_published)
