"""The Common Cartridge, ``.imscc``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from canvas_sandbox.content.model import Content, Item, Kind, create_key
from canvas_sandbox.exports.package_spec import PackageSpec
from canvas_sandbox.exports.reexport import with_verbatim
from canvas_sandbox.faults import Fault
from canvas_sandbox.packages import documents, new_quiz_documents
from canvas_sandbox.packages.manifest import (
    OutlineItem,
    Resource,
    cartridge_manifest,
    keyed,
    renewed_manifest,
    with_errors,
)
from canvas_sandbox.packages.new_quiz_documents import CANVAS_DATA
from canvas_sandbox.packages.zip_layout import Member, directory_member, text_member

_CONTEXT, _MARKER_NAME = "course_settings/context.xml", "course_settings/canvas_export.txt"
_MARKER = (
    "Q: What did the panda say when he was forced out of his natural habitat?\nA: This is un-BEAR-able\n"
)
EXPORT_ERRORS = (
    "The content &quot;Guest lecture&quot; could not be exported",
    "The file &quot;recording.mp4&quot; could not be copied because it is locked",
)


class Cartridge:
    """The members of one cartridge, in Canvas's order: settings, texts, files, and the manifest last."""

    def __init__(self, spec: PackageSpec) -> None:
        self._spec = spec
        self._content = spec.content
        self._cc13 = spec.version.startswith("1.3")
        self._resources: list[Resource] = []
        wrong = Fault.WRONG_COURSE in spec.faults
        self._course_id = spec.context_id + 1 if wrong else spec.context_id
        self._name = "Another course" if wrong else spec.name

    def members(self) -> Iterator[Member]:
        """Return all members. A file that cannot be read is missing, although the manifest names it."""
        written = {member.name: member for member in self._written()}
        if self._spec.verbatim is not None:
            written |= with_verbatim(written, self._spec.verbatim, self._unreadable())
        yield from written.values()
        yield text_member("imsmanifest.xml", self._manifest())

    def _written(self) -> Iterator[Member]:
        """Yield the members that are generated for this export; without own content, only the origin of the package."""
        if self._spec.verbatim is None or not self._spec.verbatim.covers or self._has_own:
            yield from self._pages()
            yield from self._assignments()
            yield from self._topics()
            yield from self._quizzes()
            yield from self._tools()
            yield from self._files()
            yield from self._settings()
            yield from self._new_quizzes()
        else:
            yield text_member(_CONTEXT, self._context())

    def _add(
        self, identifier: str, kind: str, *files: str, href: bool = True, use: str = "", depends: str = ""
    ) -> None:
        others = (depends,) if depends else ()
        self._resources.append(Resource(identifier, kind, files, href, use, others))

    def _pages(self) -> Iterator[Member]:
        yield directory_member("wiki_content/")
        for page in self._spec.own(Kind.PAGE):
            name = f"wiki_content/{page.slug}.html"
            yield text_member(name, documents.html_page(page, self._links(page)))
            self._add(page.key, "webcontent", name)

    def _assignments(self) -> Iterator[Member]:
        for item in self._spec.own(Kind.ASSIGNMENT):
            page, settings = f"{item.key}/{item.slug}.html", f"{item.key}/assignment_settings.xml"
            group = self._content.items.get(item.parent or 0)
            yield directory_member(f"{item.key}/")
            yield text_member(page, documents.html_page(item, self._links(item), kind="Assignment"))
            yield text_member(settings, self._assignment_settings(item, group.key if group else ""))
            self._add(item.key, CANVAS_DATA, page, settings)
            if self._cc13:
                standard = f"{item.key}/assignment.xml"
                yield text_member(standard, documents.assignment_cc13(item))
                self._add(f"{item.key}_cc13", "assignment_xmlv1p0", standard)

    def _assignment_settings(self, item: Item, group_key: str) -> str:
        if item.is_new_quiz:
            return new_quiz_documents.shell(item, group_key, self._spec.new_quiz_tool)
        return documents.assignment_settings(item, group_key)

    def _new_quizzes(self) -> Iterator[Member]:
        """Yield what the service of New Quizzes adds."""
        if not self._spec.has_new_quiz_bodies:
            return
        for item in self._spec.own(Kind.ASSIGNMENT):
            if item.is_new_quiz:
                yield from new_quiz_documents.body_members(item, self._spec.filler_key(item.id))
                self._resources += new_quiz_documents.body_resources(item, cc13=self._cc13)

    def _topics(self) -> Iterator[Member]:
        kind = "imsdt_xmlv1p3" if self._cc13 else "imsdt_xmlv1p1"
        for item in (*self._spec.own(Kind.DISCUSSION), *self._spec.own(Kind.ANNOUNCEMENT)):
            meta = create_key(item.asset_string, "topic_meta_")
            yield text_member(f"{item.key}.xml", documents.topic(item, self._spec.version))
            yield text_member(f"{meta}.xml", documents.topic_meta(item, meta))
            self._add(item.key, kind, f"{item.key}.xml", href=False, depends=meta)
            self._add(meta, CANVAS_DATA, f"{meta}.xml")

    def _quizzes(self) -> Iterator[Member]:
        kind = (
            "imsqti_xmlv1p2/imscc_xmlv1p3/assessment"
            if self._cc13
            else "imsqti_xmlv1p2/imscc_xmlv1p1/assessment"
        )
        yield directory_member("non_cc_assessments/")
        for quiz in self._spec.own(Kind.QUIZ):
            questions, meta = f"{quiz.key}/assessment_qti.xml", f"{quiz.key}/assessment_meta.xml"
            full = f"non_cc_assessments/{quiz.key}.xml.qti"
            meta_key = create_key(quiz.asset_string, "quiz_meta_")
            yield directory_member(f"{quiz.key}/")
            yield text_member(questions, documents.quiz_qti(quiz))
            yield text_member(meta, documents.quiz_meta(quiz))
            yield text_member(full, documents.quiz_qti(quiz))
            self._add(quiz.key, kind, questions, href=False, depends=meta_key)
            self._add(meta_key, CANVAS_DATA, meta, full)
        for bank in self._spec.own(Kind.BANK):
            name = f"non_cc_assessments/{bank.key}.xml.qti"
            yield text_member(name, documents.question_bank(bank))
            self._add(bank.key, CANVAS_DATA, name)

    def _tools(self) -> Iterator[Member]:
        for tool in self._spec.own(Kind.TOOL):
            yield text_member(f"{tool.key}.xml", documents.external_tool(tool))
            self._add(tool.key, "imsbasiclti_xmlv1p0", f"{tool.key}.xml", href=False)

    def _files(self) -> Iterator[Member]:
        files = list(self._spec.own(Kind.FILE))
        unreadable = self._unreadable()
        folders = [folder for folder in self._content.of(Kind.FOLDER) if folder.id != self._content.root]
        if files or folders:
            yield directory_member("web_resources/")
        for folder in folders:
            yield directory_member(f"web_resources/{self._content.path(folder)}/")
        for file in files:
            name = f"web_resources/{self._content.path(file)}"
            self._add(file.key, "webcontent", name)
            if file is not unreadable:
                yield self._spec.file_member(name, file)

    def _settings(self) -> Iterator[Member]:
        content = self._content
        files = list(content.of(Kind.FILE))
        described = [item for item in files if item.locked or item.usage_rights]
        texts = {
            "canvas_export.txt": _MARKER,
            "course_settings.xml": documents.course_settings(content, self._name, self._key("course")),
            "module_meta.xml": documents.module_meta(content),
            "assignment_groups.xml": documents.titled_list(
                "assignmentGroups", "assignmentGroup", content.of(Kind.ASSIGNMENT_GROUP)
            ),
            "rubrics.xml": documents.rubrics(content.of(Kind.RUBRIC)),
            "events.xml": documents.titled_list("events", "event", content.of(Kind.EVENT)),
            "files_meta.xml": documents.files_meta(content, described),
            "media_tracks.xml": documents.media_tracks(files),
            "context.xml": self._context(),
        }
        if any(content.of(Kind.OUTCOME)):
            texts["learning_outcomes.xml"] = documents.titled_list(
                "learningOutcomes", "learningOutcome", content.of(Kind.OUTCOME)
            )
        if any(content.of(Kind.GRADING_STANDARD)):
            texts["grading_standards.xml"] = documents.titled_list(
                "gradingStandards", "gradingStandard", content.of(Kind.GRADING_STANDARD)
            )
        settings = dict(content.settings)
        if "late_policy" in settings:
            texts["late_policy.xml"] = documents.late_policy(settings["late_policy"])
        yield directory_member("course_settings/")
        for name, text in texts.items():
            yield text_member(f"course_settings/{name}", text)
        self._add(self._key("settings"), CANVAS_DATA, *(f"course_settings/{name}" for name in texts))
        if syllabus := settings.get("syllabus_body"):
            name = "course_settings/syllabus.html"
            yield text_member(name, documents.syllabus(syllabus))
            self._add(self._key("syllabus"), CANVAS_DATA, name, use="syllabus")

    def _context(self) -> str:
        return documents.context_xml(self._course_id, self._name, self._spec.canvas_domain)

    @property
    def _has_own(self) -> bool:
        """Return whether any content was not imported."""
        return any(
            item
            for kind in Kind
            for item in self._spec.own(kind)
            if kind is not Kind.FOLDER and item.id != self._content.root
        )

    def _unreadable(self) -> Item | None:
        """Return the file that the storage cannot read."""
        files = list(self._content.of(Kind.FILE))
        return files[-1] if files and Fault.INCOMPLETE in self._spec.faults else None

    def _manifest(self) -> str:
        identifier = create_key(f"course_{self._course_id}", "common_cartridge_")
        taken = "" if self._has_own or self._spec.verbatim is None else self._spec.verbatim.manifest
        text = renewed_manifest(taken, identifier, self._spec.version, self._spec.moment)
        text = text or cartridge_manifest(
            identifier=identifier,
            title=self._name,
            version=self._spec.version,
            moment=self._spec.moment,
            outline=self._outline(),
            resources=self._all_resources(),
        )
        if Fault.EXPORT_ERRORS in self._spec.faults:
            text = with_errors(text, self._spec.export_id, EXPORT_ERRORS)
        return text

    def _all_resources(self) -> list[Resource]:
        """Return generated and imported resources; the settings are one resource."""
        verbatim = self._spec.verbatim
        if verbatim is None:
            return self._resources
        rows = keyed(self._resources)
        taken = dict(verbatim.resources)
        settings = next((row for row in taken.values() if _MARKER_NAME in row.files), None)
        own = rows.get(self._key("settings"))
        if settings is not None and own is not None:
            files = dict.fromkeys([*own.files, *taken.pop(settings.identifier).files])
            rows[own.identifier] = replace(own, files=tuple(files))
        return list((rows | taken).values())

    def _outline(self) -> Iterator[OutlineItem]:
        for module in self._content.of(Kind.MODULE):
            children = [
                OutlineItem(item.key, item.title, self._target(item))
                for item in self._content.of(Kind.MODULE_ITEM)
                if item.parent == module.id
            ]
            yield OutlineItem(module.key, module.title, children=children)

    def _target(self, item: Item) -> str:
        """Return the resource that a module item points at; headings have none."""
        return "" if item.target is None else self._content.items[item.target].key

    def _links(self, item: Item) -> list[str]:
        content: Content = self._content
        return [content.path(content.items[link]) for link in item.links if link in content.items]

    def _key(self, what: str) -> str:
        return create_key(f"course_{self._course_id}", f"{what}_")
