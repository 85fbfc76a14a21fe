"""Which documents of a package are read at level ``full``: only Canvas's own, never a person's file."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from functools import partial

from canvas_exports.core.packages.cartridge.counts import unresolved
from canvas_exports.core.packages.cartridge.documents import (
    Document,
    Gathered,
    Listing,
    ModuleMeta,
    OneOfMany,
    Part,
    Questions,
    Topic,
)
from canvas_exports.core.packages.cartridge.links import Links, Scanner
from canvas_exports.core.packages.cartridge.manifest import CONTEXT, MANIFEST, CartridgeManifest
from canvas_exports.core.packages.cartridge.new_quizzes import Assignment, QuizSettings, Seen, Tool
from canvas_exports.core.packages.cartridge.references import resolved
from canvas_exports.core.packages.proof import Finding, Severity
from canvas_exports.core.packages.work_limits import Work
from canvas_exports.core.packages.zip.directory import Member
from canvas_exports.core.packages.zip.mac_sidecars import is_sidecar
from canvas_exports.core.packages.zip.unpacking import Content

_SETTINGS = "course_settings/"
_FILES = "web_resources/"
_CONTROLS = "lti_context_controls"
_SHARE_OF_LINKS = 0.3  # they are told in passing: looking for them takes nothing from what must be read
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

#: What is counted at level ``full`` beyond ``kinds``.
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


class Contents:
    """Reads the documents of a cartridge or a QTI package as they pass.

    Args:
        manifest: of the package.
        files: names of the members that are no folders.
        work: what may still be done for the package.
        is_qti: a QTI package rather than a cartridge.
    """

    def __init__(
        self, manifest: CartridgeManifest, files: AbstractSet[str], work: Work, *, is_qti: bool
    ) -> None:
        self._manifest = manifest
        self._counts = QTI_COUNTS if is_qti else CARTRIDGE_COUNTS
        self._gathered = Gathered(work)
        self._links = Links(manifest, files, Work(work.size, _SHARE_OF_LINKS))
        self._new_quizzes = Seen()
        self._theirs, self._tools = _roles(manifest)

    @property
    def counts(self) -> dict[str, int]:
        """By name, once all of it has passed."""
        links = {"links": self._links.count, "broken_links": self._links.broken}
        told = {**self._gathered.counts, **self._new_quizzes.counts(), **links}
        return {name: told.get(name, 0) for name in self._counts}

    @property
    def is_filled(self) -> bool:
        """Whether a document holds any element but its root, or could not be read."""
        return bool(self._gathered.filled)

    def of(self, member: Member) -> Content | None:
        """The reader of a member; ``None`` for one that is only checked."""
        name = member.name
        self._new_quizzes.member(name)
        if name.startswith(_FILES) or name in (MANIFEST, CONTEXT) or name in self._theirs or is_sidecar(name):
            return None
        if name.endswith((".xml", ".qti")):
            return _Both(Scanner(self._links, name), self._document(name))
        return Scanner(self._links, name) if name.endswith((".html", ".json")) else None

    def findings(self) -> Iterator[Finding]:
        """What was noticed, once all of it has passed."""
        self._links.settle(self._gathered.identifiers)
        yield from self._gathered.findings.gravest()
        yield from self._new_quizzes.findings()
        yield from self._links.finding()
        if not self._gathered.has_modules:
            return
        tools = self._gathered.tools
        for item in unresolved(self._manifest):
            if item.resource not in tools and item.identifier not in tools:
                yield Finding(
                    "missing_item",
                    Severity.WARNING,
                    "a module lists it, but the package does not hold it: the exporting user could not see it",
                    item.title or item.identifier,
                )

    def _document(self, name: str) -> Document:
        is_known = not name.startswith(_SETTINGS) or name in _KNOWN_SETTINGS
        return Document(self._gathered, name, self._maker(name), is_known=is_known)

    def _maker(self, name: str) -> Callable[[Gathered, str], Part]:
        """What reads a document: of Canvas's settings by its place, of the rest by its name, tools by their resources."""
        folder, base = posixpath.split(name)
        if name in _LISTS:
            element, count = _LISTS[name]
            return lambda gathered, name: Listing(gathered, name, element, count)
        if _CONTROLS in name:
            return lambda gathered, name: OneOfMany(gathered, name, _CONTROLS, _CONTROLS)
        if name in self._tools:
            return partial(Tool, seen=self._new_quizzes)
        # Each quiz of a cartridge is there twice; only Canvas's own form has all questions.
        if base.endswith(".qti") or base == f"{folder}.xml":
            return Questions
        by_name: dict[str, Callable[[Gathered, str], Part]] = {
            "module_meta.xml": ModuleMeta if folder == "course_settings" else Part,
            "assignment_settings.xml": partial(Assignment, seen=self._new_quizzes),
            "assignment.xml": partial(Assignment, seen=self._new_quizzes),
            "assessment_meta.xml": partial(QuizSettings, seen=self._new_quizzes),
        }
        return by_name.get(base, Part if folder else Topic)


class _Both:
    """A document that is read, if it is XML, and looked through for links."""

    def __init__(self, scanner: Scanner, document: Document | None = None) -> None:
        self._readers: tuple[Content, ...] = (scanner,) if document is None else (document, scanner)

    def feed(self, piece: bytes | memoryview) -> None:
        """The next bytes."""
        for reader in self._readers:
            reader.feed(piece)

    def end(self) -> None:
        """That was all."""
        for reader in self._readers:
            reader.end()


def _roles(manifest: CartridgeManifest) -> tuple[frozenset[str], frozenset[str]]:
    """Documents that are people's own files, though they lie elsewhere, and those of external tools."""
    theirs: set[str] = set()
    tools: set[str] = set()
    for resource in manifest.resources:
        is_file = resource.type == "webcontent" and not resolved(resource.href).startswith("wiki_content/")
        is_tool = resource.type.startswith("imsbasiclti_")
        if is_file or is_tool:
            names = (resolved(name) for name in resource.files)
            (theirs if is_file else tools).update(
                name for name in names if name.endswith((".xml", ".qti", ".html", ".json"))
            )
    return frozenset(theirs), frozenset(tools)
