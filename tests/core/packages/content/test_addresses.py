"""Where the addresses in a document lead: to items, to elsewhere, or to nothing; never out of the package."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.packages.courses import Res, course
from tests.support.packages.opened import opened, the

from canvas_exports.core.packages.content.addresses import leads_to_modules
from canvas_exports.core.packages.content.model import CourseContent, Item, ItemKind

WHOLE = course().having({"web_resources/Unit 1/año & more.pdf": b"%PDF"})
WHOLE = type(WHOLE)(
    WHOLE.files,
    (
        *WHOLE.resources,
        Res(
            "f2",
            "webcontent",
            ("web_resources/Unit 1/año & more.pdf",),
            "web_resources/Unit 1/año & more.pdf",
        ),
    ),
    WHOLE.items,
)


@pytest.fixture(scope="module")
def content() -> CourseContent:
    return opened(WHOLE)


@pytest.mark.parametrize(
    ("address", "kind", "identifier"),
    [
        ("$WIKI_REFERENCE$/pages/welcome", ItemKind.PAGE, "p1"),
        ("$WIKI_REFERENCE$/pages/p1", ItemKind.PAGE, "p1"),
        ("$WIKI_REFERENCE$/wiki/welcome#part", ItemKind.PAGE, "p1"),
        ("%24WIKI_REFERENCE%24/pages/welcome?module_item_id=1", ItemKind.PAGE, "p1"),
        ("$CANVAS_OBJECT_REFERENCE$/assignments/a1", ItemKind.ASSIGNMENT, "a1"),
        ("%24CANVAS_OBJECT_REFERENCE%24/assignments/a1", ItemKind.ASSIGNMENT, "a1"),
        ("$CANVAS_OBJECT_REFERENCE$/quizzes/z1", ItemKind.QUIZ, "z1"),
        ("$CANVAS_OBJECT_REFERENCE$/discussion_topics/n1", ItemKind.ANNOUNCEMENT, "n1"),
        ("$CANVAS_OBJECT_REFERENCE$/pages/p1", ItemKind.PAGE, "p1"),
        ("$CANVAS_OBJECT_REFERENCE$/modules/items/i1", ItemKind.ASSIGNMENT, "a1"),
        ("$CANVAS_COURSE_REFERENCE$/file_ref/f1/download?wrap=1", ItemKind.FILE, "f1"),
        ("$CANVAS_COURSE_REFERENCE$/file_contents/course%20files/picture.png", ItemKind.FILE, "f1"),
        ("$CANVAS_COURSE_REFERENCE$/assignments/syllabus", ItemKind.SYLLABUS, "s2"),
        ("$IMS-CC-FILEBASE$/picture.png?canvas_download=1", ItemKind.FILE, "f1"),
        ("$IMS-CC-FILEBASE$/Unit%201/a%C3%B1o%20%26%20more.pdf", ItemKind.FILE, "f2"),
        ("$IMS-CC-FILEBASE$/Unit 1/an\u0303o &amp; more.pdf", ItemKind.FILE, "f2"),
        (
            "%24IMS-CC-FILEBASE%24/Unit+1/a%C3%B1o+%26+more.pdf?canvas_=1&canvas_qs_wrap=1",
            ItemKind.FILE,
            "f2",
        ),
        ("$IMS-CC-FILEBASE$../web_resources/picture.png", ItemKind.FILE, "f1"),
        ("$IMS_CC_FILEBASE$/picture.png", ItemKind.FILE, "f1"),
        ("../web_resources/picture.png", ItemKind.FILE, "f1"),
        ("welcome.html", ItemKind.PAGE, "p1"),
        ("..\\web_resources\\picture.png", ItemKind.FILE, "f1"),
    ],
)
def test_it_leads_to_an_item(content: CourseContent, address: str, kind: ItemKind, identifier: str) -> None:
    found = content.resolve(address, base=the(content, ItemKind.PAGE))
    assert isinstance(found, Item)
    assert (found.kind, found.identifier) == (kind, identifier)


@pytest.mark.parametrize(
    "address",
    ["https://example.org/a?b#c", "HTTP://example.org", "//cdn.example.org/x.js", "mailto:a@example.org"],
)
def test_an_address_outside_stays_as_it_is_written(content: CourseContent, address: str) -> None:
    assert content.resolve(address) == address


def test_a_link_to_a_tool_leads_to_what_it_opens(content: CourseContent) -> None:
    link = "$CANVAS_COURSE_REFERENCE$/external_tools/retrieve?display=borderless&url=https%3A%2F%2Ftool.example.org%2Fa"
    assert content.resolve(link) == "https://tool.example.org/a"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "../../../etc/passwd",
        "/etc/passwd",
        "$WIKI_REFERENCE$/pages/other",
        "$IMS-CC-FILEBASE$/",
        "$IMS-CC-FILEBASE$/none.pdf",
        "$CANVAS_COURSE_REFERENCE$/modules",
        "$CANVAS_COURSE_REFERENCE$/files/folder/Unit",
        "$CANVAS_COURSE_REFERENCE$/external_tools/retrieve?url=javascript:alert(1)",
        "x" * 10_000,
    ],
)
def test_an_address_of_nothing_leads_to_nothing(content: CourseContent, address: str) -> None:
    assert content.resolve(address, base=the(content, ItemKind.PAGE)) is None


@pytest.mark.parametrize(
    "member",
    ["z1/assessment_qti.xml", "non_cc_assessments/z1.xml.qti", "course_settings/course_settings.xml"],
)
def test_no_link_opens_a_document_of_the_package_as_a_file(content: CourseContent, member: str) -> None:
    assert content.resolve(f"$IMS-CC-FILEBASE$/../{member}") is None
    assert content.find(ItemKind.FILE, member) is None


@given(
    st.text(max_size=60)
    | st.sampled_from(["$WIKI_REFERENCE$", "$IMS-CC-FILEBASE$", "%24CANVAS_COURSE_REFERENCE%24"]).flatmap(
        lambda t: st.text("/.%2eF?#&;\\ a", max_size=30).map(lambda r: t + r)
    )
)
@example("$IMS-CC-FILEBASE$/..%2f..%2f..%2fetc/passwd")
@example("http://[")
def test_any_text_leads_into_the_package_to_where_it_says_or_nowhere(address: str) -> None:
    found = OPENED.resolve(address)
    if isinstance(found, Item):
        assert found in OPENED.items or found.member in WHOLE.files
    elif found is not None:
        assert found == address.strip() or found.startswith(("http://", "https://"))


OPENED = opened(WHOLE)


@pytest.mark.parametrize(
    ("address", "leads"),
    [
        ("$CANVAS_COURSE_REFERENCE$/modules", True),
        ("%24CANVAS_COURSE_REFERENCE%24/modules?x=1#part", True),
        ("$CANVAS_OBJECT_REFERENCE$/modules/m1", True),
        ("$CANVAS_OBJECT_REFERENCE$/modules/items/i1", False),
        ("$CANVAS_COURSE_REFERENCE$/grades", False),
        ("$WIKI_REFERENCE$/modules", False),
        ("https://canvas.example.edu/courses/1/modules", False),
        ("$CANVAS_COURSE_REFERENCE$/modules/" + "m" * 9_000, False),
    ],
)
def test_an_address_of_modules_is_known(address: str, leads: bool) -> None:
    assert leads_to_modules(address) is leads
