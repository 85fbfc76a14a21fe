"""A small course with one thing of each kind, as Canvas lays it out in a cartridge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from html import escape

from tests.support.packages.build import COURSE, HOST, context_xml

from canvas_exports.core.packages.proof import Expectation

CANVAS = "associatedcontent/imscc_xmlv1p1/learning-application-resource"
_XMLNS = 'xmlns="http://canvas.instructure.com/xsd/cccv1p0"'

COUNTS = {
    "pages": 1,
    "assignments": 1,
    "quizzes": 1,
    "question_banks": 1,
    "discussions": 2,
    "files": 1,
    "web_links": 1,
    "tools": 1,
    "syllabus": 1,
    "modules": 1,
    "module_items": 3,
    "unresolved_items": 1,
}
DEEP_COUNTS = {
    "announcements": 1,
    "questions": 3,
    "new_quizzes": 0,
    "new_quiz_bodies": 0,
    "links": 0,
    "broken_links": 0,
    "lti_context_controls": 0,
    "nav_menu_links": 0,
    "tool_assignments": 0,
    "assignment_groups": 1,
    "rubrics": 1,
    "events": 2,
    "outcomes": 1,
}


@dataclass(frozen=True)
class Res:
    """A resource of the manifest: its identifier, type, files, own file, needs, and intended use."""

    identifier: str
    type: str
    files: tuple[str, ...]
    href: str = ""
    needs: tuple[str, ...] = ()
    use: str = ""

    def xml(self) -> str:
        href = f' href="{escape(self.href)}"' if self.href else ""
        use = f' intendeduse="{self.use}"' if self.use else ""
        files = "".join(f'<file href="{escape(name)}"/>' for name in self.files)
        needs = "".join(f'<dependency identifierref="{name}"/>' for name in self.needs)
        return f'<resource identifier="{self.identifier}" type="{self.type}"{href}{use}>{files}{needs}</resource>'


@dataclass(frozen=True)
class Course:
    """Members by name, without the manifest; the resources; the items of its module, with what they lead to."""

    files: Mapping[str, bytes]
    resources: tuple[Res, ...]
    items: tuple[tuple[str, str], ...]
    comments: tuple[str, ...] = ()
    schema: str = "IMS Common Cartridge"
    doctype: str = ""
    expect: Expectation = field(
        default_factory=lambda: Expectation("common_cartridge", course_id=COURSE, canvas_host=HOST)
    )

    def without(self, *names: str) -> Course:
        """Members left out, though the manifest names them."""
        return replace(self, files={name: data for name, data in self.files.items() if name not in names})

    def having(self, files: Mapping[str, bytes]) -> Course:
        """With other members, or others' contents."""
        return replace(self, files={**self.files, **files})

    def members(self) -> dict[str, bytes]:
        """All members, the manifest last."""
        return {**self.files, "imsmanifest.xml": self.manifest()}

    def manifest(self) -> bytes:
        items = "".join(
            f'<item identifier="i{number}" identifierref="{target}"><title>{escape(title)}</title></item>'
            for number, (title, target) in enumerate(self.items)
        )
        outline = (
            '<organization identifier="org_1"><item identifier="LearningModules">'
            f'<item identifier="m1"><title>Week 1</title>{items}</item></item></organization>'
            if self.items
            else ""
        )
        notes = "".join(f"<!-- {text} -->" for text in self.comments)
        return (
            f'<?xml version="1.0"?>{self.doctype}<manifest identifier="g1">'
            f"<metadata><schema>{self.schema}</schema><schemaversion>1.1.0</schemaversion></metadata>"
            f"<organizations>{outline}</organizations>"
            f"<resources>{''.join(each.xml() for each in self.resources)}</resources></manifest>{notes}"
        ).encode()


def _canvas(root: str, inner: str) -> bytes:
    return f'<?xml version="1.0"?><{root} {_XMLNS}>{inner}</{root}>'.encode()


def _qti(*questions: str) -> bytes:
    items = "".join(f'<item ident="{name}"/>' for name in questions)
    return f'<questestinterop xmlns="q"><assessment ident="z1"><section>{items}</section></assessment></questestinterop>'.encode()


def assignment_settings(title: str, **settings: str) -> bytes:
    texts = {"title": title, "submission_types": "online_upload", **settings}
    return _canvas("assignment", "".join(f"<{name}>{escape(text)}</{name}>" for name, text in texts.items()))


def course(picture: bytes = b"\x89PNG", page: bytes = b"<p>Welcome</p>") -> Course:
    """The course; its third item is a link to an external tool."""
    settings = {
        "canvas_export.txt": b"Q: ?",
        "context.xml": context_xml(),
        "assignment_groups.xml": _canvas("assignmentGroups", "<assignmentGroup/>"),
        "rubrics.xml": _canvas("rubrics", "<rubric/>"),
        "events.xml": _canvas("events", "<event/><event/>"),
        "learning_outcomes.xml": _canvas("learningOutcomes", "<learningOutcome/>"),
        "module_meta.xml": _canvas(
            "modules",
            '<module identifier="m1"><items>'
            '<item identifier="t0"><content_type>WikiPage</content_type><identifierref>p1</identifierref></item>'
            '<item identifier="t1"><content_type>Assignment</content_type><identifierref>a1</identifierref></item>'
            '<item identifier="t2"><content_type>ContextExternalTool</content_type><identifierref>x1</identifierref></item>'
            "</items></module>",
        ),
        "syllabus.html": b"<p>Read this first</p>",
    }
    files = {
        "wiki_content/": b"",
        "wiki_content/welcome.html": page,
        "a1/": b"",
        "a1/essay.html": b"<p>Write</p>",
        "a1/assignment_settings.xml": assignment_settings("Essay"),
        "d1.xml": b"<topic><title>Hello</title></topic>",
        "d1meta.xml": _canvas("topicMeta", "<type>topic</type>"),
        "n1.xml": b"<topic><title>News</title></topic>",
        "n1meta.xml": _canvas("topicMeta", "<type>announcement</type>"),
        "w1.xml": b"<webLink><title>Library</title></webLink>",
        "x0.xml": b"<cartridge_basiclti_link/>",
        "non_cc_assessments/": b"",
        "z1/assessment_qti.xml": _qti("q1"),
        "z1/assessment_meta.xml": _canvas("quiz", "<title>Test</title>"),
        "non_cc_assessments/z1.xml.qti": _qti("q1", "q2"),
        "non_cc_assessments/b1.xml.qti": _qti("q3"),
        "web_resources/": b"",
        "web_resources/picture.png": picture,
        **{f"course_settings/{name}": data for name, data in settings.items()},
    }
    resources = (
        Res("p1", "webcontent", ("wiki_content/welcome.html",), "wiki_content/welcome.html"),
        Res("a1", CANVAS, ("a1/essay.html", "a1/assignment_settings.xml"), "a1/essay.html"),
        Res("d1", "imsdt_xmlv1p1", ("d1.xml",), needs=("d1meta",)),
        Res("d1meta", CANVAS, ("d1meta.xml",), "d1meta.xml"),
        Res("n1", "imsdt_xmlv1p1", ("n1.xml",), needs=("n1meta",)),
        Res("n1meta", CANVAS, ("n1meta.xml",), "n1meta.xml"),
        Res("w1", "imswl_xmlv1p1", ("w1.xml",)),
        Res("x0", "imsbasiclti_xmlv1p0", ("x0.xml",)),
        Res("z1", "imsqti_xmlv1p2/imscc_xmlv1p1/assessment", ("z1/assessment_qti.xml",), needs=("z1meta",)),
        Res(
            "z1meta",
            CANVAS,
            ("z1/assessment_meta.xml", "non_cc_assessments/z1.xml.qti"),
            "z1/assessment_meta.xml",
        ),
        Res("b1", CANVAS, ("non_cc_assessments/b1.xml.qti",), "non_cc_assessments/b1.xml.qti"),
        Res("f1", "webcontent", ("web_resources/picture.png",), "web_resources/picture.png"),
        Res("s1", CANVAS, tuple(f"course_settings/{name}" for name in settings if name != "syllabus.html")),
        Res(
            "s2", CANVAS, ("course_settings/syllabus.html",), "course_settings/syllabus.html", use="syllabus"
        ),
    )
    return Course(files, resources, (("Welcome", "p1"), ("Essay", "a1"), ("Lab", "t2")))


def quizzes() -> Course:
    """A QTI package of one quiz."""
    files = {
        "z1/z1.xml": _qti("q1", "q2"),
        "z1/assessment_meta.xml": _canvas("quiz", "<title>Test</title>"),
        "non_cc_assessments/": b"",
    }
    resources = (
        Res("z1", "imsqti_xmlv1p2", ("z1/z1.xml",), needs=("z1meta",)),
        Res("z1meta", CANVAS, ("z1/assessment_meta.xml",), "z1/assessment_meta.xml"),
    )
    return Course(
        files,
        resources,
        (),
        schema="IMS Content",
        expect=Expectation("qti", course_id=COURSE, canvas_host=HOST),
    )


def without_resource(whole: Course, names: Iterable[str]) -> Course:
    """Resources left out, though others need them or items lead to them."""
    left = tuple(each for each in whole.resources if each.identifier not in set(names))
    return replace(whole, resources=left)
