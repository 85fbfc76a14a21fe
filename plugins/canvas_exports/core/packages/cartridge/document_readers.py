"""Choose a reader for each document at level ``full``: only Canvas's own documents are read, never people's files."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from functools import partial

from canvas_exports.core.packages.cartridge.counts import unresolved_items
from canvas_exports.core.packages.cartridge.documents import (
    ContentSummary,
    DocumentReader,
    ItemReader,
    ListReader,
    ModuleMetaReader,
    QuestionsReader,
    StreamedDocument,
    TopicReader,
)
from canvas_exports.core.packages.cartridge.links import LinkChecker, LinkScanner
from canvas_exports.core.packages.cartridge.manifest import CONTEXT, MANIFEST, CartridgeManifest, Resource
from canvas_exports.core.packages.cartridge.new_quizzes import (
    AssignmentReader,
    NewQuizzes,
    QuizSettingsReader,
    ToolReader,
)
from canvas_exports.core.packages.cartridge.references import resolve_path
from canvas_exports.core.packages.cartridge.resource_kinds import BANKS_FOLDER, own_file
from canvas_exports.core.packages.proof import Finding, Severity
from canvas_exports.core.packages.work_limits import WorkLimit
from canvas_exports.core.packages.zip.directory import Member
from canvas_exports.core.packages.zip.mac_sidecars import is_sidecar
from canvas_exports.core.packages.zip.unpacking import MemberReader

_SETTINGS = "course_settings/"
_FILES = "web_resources/"
_CONTROLS = "lti_context_controls"
_SHARE_OF_LINKS = 0.3  # the work limit of links is its own: it takes nothing from what must be read
_LISTS: dict[str, tuple[str | None, str]] = {
    "course_settings/assignment_groups.xml": ("assignmentGroup", "assignment_groups"),
    "course_settings/rubrics.xml": ("rubric", "rubrics"),
    "course_settings/events.xml": ("event", "events"),
    "course_settings/learning_outcomes.xml": ("learningOutcome", "outcomes"),
    "course_settings/nav_menu_links.xml": (None, "nav_menu_links"),
}
_KNOWN_SETTINGS = frozenset(_LISTS) | frozenset(
    f"{_SETTINGS}{name}.xml"
    for name in (
        "module_meta",
        "course_settings",
        "context",
        "files_meta",
        "grading_standards",
        "late_policy",
        "media_tracks",
        "external_feeds",
        "course_paces",
    )
)

#: Names of the counts that level ``full`` adds.
CARTRIDGE_COUNTS = (
    "announcements",
    "questions",
    "new_quizzes",
    "new_quiz_bodies",
    "tool_assignments",
    "links",
    "broken_links",
    _CONTROLS,
    *(count for _, count in _LISTS.values()),
)
QTI_COUNTS = ("questions", "links", "broken_links")


class DocumentReaders:
    """Reads the documents of a cartridge or a QTI package while it is unpacked.

    Args:
        manifest: of the package.
        files: names of its members, without folders.
        work: the work limit of the package.
        is_qti: whether it is a QTI package rather than a cartridge.
    """

    def __init__(
        self, manifest: CartridgeManifest, files: AbstractSet[str], work: WorkLimit, *, is_qti: bool
    ) -> None:
        self._manifest = manifest
        self._counts = QTI_COUNTS if is_qti else CARTRIDGE_COUNTS
        self._summary = ContentSummary(work)
        self._links = LinkChecker(manifest, files, WorkLimit(work.size, _SHARE_OF_LINKS))
        self._new_quizzes = NewQuizzes()
        self._user_files, self._tools = _classified(manifest)
        self._questions = _only_questions(manifest, files)

    @property
    def counts(self) -> dict[str, int]:
        """Return the numbers by name, once all members have been read."""
        links = {"links": self._links.count, "broken_links": self._links.broken}
        found = {**self._summary.counts, **self._new_quizzes.counts(), **links}
        return {name: found.get(name, 0) for name in self._counts}

    @property
    def has_content(self) -> bool:
        """Return whether a document has an element below its root, or could not be read."""
        return bool(self._summary.nonempty)

    def reader_for(self, member: Member) -> MemberReader | None:
        """Return the reader of a member; ``None`` for one whose content is only checked."""
        name = member.name
        self._new_quizzes.add_member(name)
        if (
            name.startswith(_FILES)
            or name in (MANIFEST, CONTEXT)
            or name in self._user_files
            or is_sidecar(name)
        ):
            return None
        if name.endswith((".xml", ".qti")):
            return _Readers(self._document(name), LinkScanner(self._links, name))
        return LinkScanner(self._links, name) if name.endswith((".html", ".json")) else None

    def findings(self) -> Iterator[Finding]:
        """Yield what is wrong, once all members have been read."""
        self._links.resolve_pending(self._summary.identifiers)
        yield from self._summary.findings.most_severe()
        yield from self._new_quizzes.findings()
        yield from self._links.finding()
        if not self._summary.has_modules:
            return
        tools = self._summary.tools
        for item in unresolved_items(self._manifest):
            if item.resource not in tools and item.identifier not in tools:
                yield Finding(
                    "missing_item",
                    Severity.WARNING,
                    "a module lists it, but the package does not hold it: the exporting user could not see it",
                    item.title or item.identifier,
                )

    def _document(self, name: str) -> StreamedDocument:
        is_known = not name.startswith(_SETTINGS) or name in _KNOWN_SETTINGS
        return StreamedDocument(self._summary, name, self._maker(name), is_known=is_known)

    def _maker(self, name: str) -> Callable[[ContentSummary, str], DocumentReader]:
        """Choose the reader: of settings by the path, of tools by their resources, of other documents by the file name."""
        folder, base = posixpath.split(name)
        if name in _LISTS:
            element, count = _LISTS[name]
            return lambda summary, name: ListReader(summary, name, element, count)
        if _CONTROLS in name:
            return lambda summary, name: ItemReader(summary, name, _CONTROLS, _CONTROLS)
        if name in self._tools:
            return partial(ToolReader, new_quizzes=self._new_quizzes)
        # A cartridge has each quiz twice; only Canvas's own form has all questions.
        if base.endswith(".qti") or base == f"{folder}.xml" or name in self._questions:
            return QuestionsReader
        by_name: dict[str, Callable[[ContentSummary, str], DocumentReader]] = {
            "module_meta.xml": ModuleMetaReader if folder == "course_settings" else DocumentReader,
            "assignment_settings.xml": partial(AssignmentReader, new_quizzes=self._new_quizzes),
            "assignment.xml": partial(AssignmentReader, new_quizzes=self._new_quizzes),
            "assessment_meta.xml": partial(QuizSettingsReader, new_quizzes=self._new_quizzes),
        }
        return by_name.get(base, DocumentReader if folder else TopicReader)


class _Readers:
    """Feeds one member to several readers."""

    def __init__(self, *readers: MemberReader) -> None:
        self._readers = readers

    def feed(self, piece: bytes | memoryview) -> None:
        """Feed the next bytes."""
        for reader in self._readers:
            reader.feed(piece)

    def end(self) -> None:
        """End the member."""
        for reader in self._readers:
            reader.end()


def _only_questions(manifest: CartridgeManifest, files: AbstractSet[str]) -> frozenset[str]:
    """Return the documents of quizzes and question banks that are not there in Canvas's own form, too."""
    resources = {resource.identifier: resource for resource in manifest.resources}

    def own_forms(resource: Resource) -> Iterator[str]:
        yield f"{BANKS_FOLDER}{resource.identifier}.xml.qti"
        for name in resource.dependencies:
            needed = resources.get(name)
            yield from (file for file in needed.files if file.endswith(".qti")) if needed else ()

    return frozenset(
        own_file(resource)
        for resource in manifest.resources
        if resource.type.startswith("imsqti_") and files.isdisjoint(map(resolve_path, own_forms(resource)))
    )


def _classified(manifest: CartridgeManifest) -> tuple[frozenset[str], frozenset[str]]:
    """Return the documents that are people's files outside of the usual folder, and those of external tools."""
    user_files: set[str] = set()
    tools: set[str] = set()
    for resource in manifest.resources:
        is_file = resource.type == "webcontent" and not resolve_path(resource.href).startswith(
            "wiki_content/"
        )
        is_tool = resource.type.startswith("imsbasiclti_")
        if is_file or is_tool:
            names = (resolve_path(name) for name in resource.files)
            (user_files if is_file else tools).update(
                name for name in names if name.endswith((".xml", ".qti", ".html", ".json"))
            )
    return frozenset(user_files), frozenset(tools)
