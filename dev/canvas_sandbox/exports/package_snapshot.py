"""The inputs of a package at the time of its export. The package is rendered from them for each reader."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from pathlib import Path

from canvas_sandbox.content.edits import Edit
from canvas_sandbox.content.generate import Source, generate
from canvas_sandbox.content.model import Content
from canvas_sandbox.content.selection import pick, pick_files
from canvas_sandbox.exports.build import build
from canvas_sandbox.exports.package_spec import PackageSpec
from canvas_sandbox.faults import Fault
from canvas_sandbox.imports.holding.holding import EMPTY_HOLDING, Holding
from canvas_sandbox.imports.holding.rename_ids import rename_ids
from canvas_sandbox.packages.virtual_file import OnDisk, VirtualFile
from canvas_sandbox.records import Export
from canvas_sandbox.switches import NewQuizzes, Switches


@dataclass(frozen=True)
class PackageSnapshot:
    """The inputs of a package when the job ended. Later changes of the course have no effect on it.

    Only these inputs are stored; content and package are generated for each reader.
    """

    export: Export
    source: Source
    name: str
    moment: float
    canvas_domain: str
    for_student: bool
    switches: Switches
    holding: Holding = EMPTY_HOLDING
    edits: tuple[Edit, ...] = ()
    real_package: Path | None = None

    def spec(self) -> PackageSpec | None:
        """Return the specification of the package, or ``None`` if a file export has nothing to pack."""
        content = self._content()
        if content is None:
            return None
        verbatim = self.holding.verbatim(content, whole=self._is_whole)
        if verbatim is not None and not self.switches.keeps_identifiers:
            content, verbatim = rename_ids(content, verbatim)
        return PackageSpec(
            label=self.export.context.label,
            context_id=self.export.context.id,
            name=self.name,
            content=content,
            seed=self.source.seed,
            revision=self.source.revision,
            export_id=self.export.id,
            moment=self.moment,
            version=self.export.version,
            canvas_domain=self.canvas_domain,
            faults=self.export.faults,
            verbatim=verbatim,
            new_quiz_tool=self.switches.new_quiz_tool,
            has_new_quiz_bodies=self._has_new_quiz_bodies,
        )

    def render(self) -> VirtualFile:
        """Build the package."""
        if self.real_package is not None:
            return VirtualFile([OnDisk(self.real_package)])
        spec = self.spec()
        assert spec is not None
        return build(self.export.export_type, spec)

    @property
    def _has_new_quiz_bodies(self) -> bool:
        shells = Fault.NEW_QUIZ_SHELLS in self.export.faults
        return self.switches.new_quizzes is NewQuizzes.WHOLE and not shells

    @property
    def _is_whole(self) -> bool:
        """Return whether the package contains the whole course and not a selection."""
        return "everything" in self.export.selection.flags and Fault.EMPTY not in self.export.faults

    def _content(self) -> Content | None:
        content = self.holding.content_with(generate(self.source))
        content = reduce(lambda before, edit: edit(before), self.edits, content)
        if Fault.EMPTY in self.export.faults:
            content = Content(content.root, {content.root: content.items[content.root]})
        if self.export.export_type != "zip":
            return pick(content, self.export.selection)
        return pick_files(content.without_locked() if self.for_student else content, self.export.selection)
