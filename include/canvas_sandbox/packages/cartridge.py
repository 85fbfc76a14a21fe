"""The Common Cartridge, ``.imscc``."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from canvas_sandbox.content.model import Content, Item, Kind, create_key
from canvas_sandbox.faults import Fault
from canvas_sandbox.packages import documents
from canvas_sandbox.packages.archive import Member, directory_member, filler_member, text_member
from canvas_sandbox.packages.manifest import OutlineItem, Resource, cartridge_manifest, with_errors
from canvas_sandbox.packages.order import PackageOrder

_CANVAS_DATA = "associatedcontent/imscc_xmlv1p1/learning-application-resource"
_MARKER = (
    "Q: What did the panda say when he was forced out of his natural habitat?\nA: This is un-BEAR-able\n"
)
EXPORT_ERRORS = (
    "The content &quot;Guest lecture&quot; could not be exported",
    "The file &quot;recording.mp4&quot; could not be copied because it is locked",
)


class Cartridge:
    """The members of one cartridge, in Canvas's order: settings, texts, files, and the manifest last."""

    def __init__(self, order: PackageOrder) -> None:
        self._order = order
        self._content = order.content
        self._cc13 = order.version.startswith("1.3")
        self._resources: list[Resource] = []
        wrong = Fault.WRONG_COURSE in order.faults
        self._course_id = order.context_id + 1 if wrong else order.context_id
        self._name = "Another course" if wrong else order.name

    def members(self) -> Iterator[Member]:
        """All members; a file that cannot be read is left out although the manifest names it."""
        yield from self._pages()
        yield from self._assignments()
        yield from self._topics()
        yield from self._quizzes()
        yield from self._files()
        yield from self._settings()
        yield text_member("imsmanifest.xml", self._manifest())

    def _add(
        self, identifier: str, kind: str, *files: str, href: bool = True, use: str = "", depends: str = ""
    ) -> None:
        self._resources.append(Resource(identifier, kind, files, href, use, depends))

    def _pages(self) -> Iterator[Member]:
        yield directory_member("wiki_content/")
        for page in self._content.of(Kind.PAGE):
            name = f"wiki_content/{page.slug}.html"
            yield text_member(name, documents.html_page(page, self._links(page)))
            self._add(page.key, "webcontent", name)

    def _assignments(self) -> Iterator[Member]:
        for item in self._content.of(Kind.ASSIGNMENT):
            page, settings = f"{item.key}/{item.slug}.html", f"{item.key}/assignment_settings.xml"
            group = self._content.items.get(item.parent or 0)
            yield directory_member(f"{item.key}/")
            yield text_member(page, documents.html_page(item, self._links(item), kind="Assignment"))
            yield text_member(settings, documents.assignment_settings(item, group.key if group else ""))
            self._add(item.key, _CANVAS_DATA, page, settings)
            if self._cc13:
                standard = f"{item.key}/assignment.xml"
                yield text_member(standard, documents.assignment_cc13(item))
                self._add(f"{item.key}_cc13", "assignment_xmlv1p0", standard)

    def _topics(self) -> Iterator[Member]:
        kind = "imsdt_xmlv1p3" if self._cc13 else "imsdt_xmlv1p1"
        for item in (*self._content.of(Kind.DISCUSSION), *self._content.of(Kind.ANNOUNCEMENT)):
            meta = create_key(item.asset_string, "topic_meta_")
            yield text_member(f"{item.key}.xml", documents.topic(item, self._order.version))
            yield text_member(f"{meta}.xml", documents.topic_meta(item, meta))
            self._add(item.key, kind, f"{item.key}.xml", href=False, depends=meta)
            self._add(meta, _CANVAS_DATA, f"{meta}.xml")

    def _quizzes(self) -> Iterator[Member]:
        kind = (
            "imsqti_xmlv1p2/imscc_xmlv1p3/assessment"
            if self._cc13
            else "imsqti_xmlv1p2/imscc_xmlv1p1/assessment"
        )
        yield directory_member("non_cc_assessments/")
        for quiz in self._content.of(Kind.QUIZ):
            questions, meta = f"{quiz.key}/assessment_qti.xml", f"{quiz.key}/assessment_meta.xml"
            full = f"non_cc_assessments/{quiz.key}.xml.qti"
            meta_key = create_key(quiz.asset_string, "quiz_meta_")
            yield directory_member(f"{quiz.key}/")
            yield text_member(questions, documents.quiz_qti(quiz))
            yield text_member(meta, documents.quiz_meta(quiz))
            yield text_member(full, documents.quiz_qti(quiz))
            self._add(quiz.key, kind, questions, href=False, depends=meta_key)
            self._add(meta_key, _CANVAS_DATA, meta, full)

    def _files(self) -> Iterator[Member]:
        files = list(self._content.of(Kind.FILE))
        unreadable = files[-1].id if files and Fault.INCOMPLETE in self._order.faults else None
        folders = [folder for folder in self._content.of(Kind.FOLDER) if folder.id != self._content.root]
        if files or folders:
            yield directory_member("web_resources/")
        for folder in folders:
            yield directory_member(f"web_resources/{self._content.path(folder)}/")
        for file in files:
            name = f"web_resources/{self._content.path(file)}"
            self._add(file.key, "webcontent", name)
            if file.id != unreadable:
                yield filler_member(name, self._order.filler_key(file.id), file.size)

    def _settings(self) -> Iterator[Member]:
        content = self._content
        locked = [item for item in content.of(Kind.FILE) if item.locked]
        texts = {
            "canvas_export.txt": _MARKER,
            "course_settings.xml": documents.canvas_xml(
                "course",
                f"  <title>{escape(self._name)}</title>\n",
                f'identifier="{self._key("course")}"',
            ),
            "module_meta.xml": documents.module_meta(content),
            "assignment_groups.xml": documents.titled_list(
                "assignmentGroups", "assignmentGroup", content.of(Kind.ASSIGNMENT_GROUP)
            ),
            "rubrics.xml": documents.titled_list("rubrics", "rubric", content.of(Kind.RUBRIC)),
            "events.xml": documents.titled_list("events", "event", content.of(Kind.EVENT)),
            "files_meta.xml": documents.files_meta(content, locked),
            "media_tracks.xml": documents.canvas_xml("media_tracks", ""),
            "context.xml": documents.context_xml(self._course_id, self._name, self._order.canvas_domain),
        }
        yield directory_member("course_settings/")
        for name, text in texts.items():
            yield text_member(f"course_settings/{name}", text)
        self._add(self._key("settings"), _CANVAS_DATA, *(f"course_settings/{name}" for name in texts))

    def _manifest(self) -> str:
        text = cartridge_manifest(
            identifier=create_key(f"course_{self._course_id}", "common_cartridge_"),
            title=self._name,
            version=self._order.version,
            moment=self._order.moment,
            outline=self._outline(),
            resources=self._resources,
        )
        if Fault.EXPORT_ERRORS in self._order.faults:
            text = with_errors(text, self._order.export_id, EXPORT_ERRORS)
        return text

    def _outline(self) -> Iterator[OutlineItem]:
        for module in self._content.of(Kind.MODULE):
            children = [
                OutlineItem(item.key, item.title, self._content.items[item.target].key)
                for item in self._content.of(Kind.MODULE_ITEM)
                if item.parent == module.id and item.target is not None
            ]
            yield OutlineItem(module.key, module.title, children=children)

    def _links(self, item: Item) -> list[str]:
        content: Content = self._content
        return [content.path(content.items[link]) for link in item.links if link in content.items]

    def _key(self, what: str) -> str:
        return create_key(f"course_{self._course_id}", f"{what}_")
