"""Which documents of a package are read at level ``full``: only Canvas's own, never a person's file."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from canvas_exports.archive.proof.cartridge import MANIFEST, CartridgeManifest
from canvas_exports.archive.proof.documents import (
    Assignment,
    Document,
    Gathered,
    Listing,
    ModuleMeta,
    Questions,
    Topic,
)
from canvas_exports.archive.proof.kinds import unresolved
from canvas_exports.archive.proof.model import Finding, Severity
from canvas_exports.archive.proof.zip_directory import Member

_MODULES = "course_settings/module_meta.xml"
_LISTS = {
    "course_settings/assignment_groups.xml": ("assignmentGroup", "assignment_groups"),
    "course_settings/rubrics.xml": ("rubric", "rubrics"),
    "course_settings/events.xml": ("event", "events"),
    "course_settings/learning_outcomes.xml": ("learningOutcome", "outcomes"),
}

#: What is counted at level ``full`` beyond ``kinds``.
CARTRIDGE_COUNTS = (
    "announcements",
    "questions",
    "new_quizzes",
    "tool_assignments",
    *(count for _, count in _LISTS.values()),
)
QTI_COUNTS = ("questions",)


class Contents:
    """Reads the documents of a cartridge or a QTI package as they pass.

    Args:
        manifest: of the package.
        is_qti: a QTI package rather than a cartridge.
    """

    def __init__(self, manifest: CartridgeManifest, *, is_qti: bool) -> None:
        self._manifest = manifest
        self._counts = dict.fromkeys(QTI_COUNTS if is_qti else CARTRIDGE_COUNTS, 0)
        self._gathered = Gathered()

    @property
    def counts(self) -> dict[str, int]:
        """By name."""
        return {name: self._gathered.counts[name] for name in self._counts}

    def of(self, member: Member) -> Document | None:
        """The reader of a member; ``None`` for one that is only checked."""
        name = member.name
        if not name.endswith((".xml", ".qti")) or name.startswith("web_resources/") or name == MANIFEST:
            return None
        return self._document(name)

    def findings(self) -> Iterator[Finding]:
        """What was noticed, once all of it has passed."""
        yield from self._gathered.findings
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
        folder, base = posixpath.split(name)
        if name == _MODULES:
            return ModuleMeta(self._gathered, name)
        if name in _LISTS:
            return Listing(self._gathered, name, *_LISTS[name])
        if base in ("assignment_settings.xml", "assignment.xml"):
            return Assignment(self._gathered, name)
        # Each quiz of a cartridge is there twice; only Canvas's own form has all questions.
        if base.endswith(".qti") or base == f"{folder}.xml":
            return Questions(self._gathered, name)
        return Topic(self._gathered, name) if not folder else Document(self._gathered, name)
