"""The pages of a course: what each says, where it leads, and what it keeps to itself."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from tests.support.browsing.hand_content import HandContent, manifest

from canvas_exports.core.archive.browsing.course_pages import LIST_LENGTH, CoursePages
from canvas_exports.core.archive.browsing.kinds import KIND_NAMES, NEVER_HELD_SENTENCES
from canvas_exports.core.archive.browsing.page_policy import HEADERS, PAGE_POLICY, file_headers
from canvas_exports.core.packages.content.model import (
    Answer,
    Document,
    Field,
    Item,
    ItemKind,
    Module,
    ModuleItem,
    Question,
    Table,
)
from canvas_exports.core.packages.proof import NEVER_HELD, Finding, Severity

MARKUP = "<script>ran()</script>\"'&"

PAGE = Document(
    Item(ItemKind.PAGE, "p1", "Introduction", is_front_page=True), "<p>Welcome to <b>cells</b></p>"
)
HIDDEN = Document(Item(ItemKind.PAGE, "p2", "Draft", is_published=False), "<p>later</p>")
PICTURE = Document(
    Item(ItemKind.FILE, "f1", "cat.png", member="web_resources/pets/cat.png", folder="pets", size=1500)
)
ACTIVE = Document(Item(ItemKind.FILE, "f2", "x.html", member="web_resources/x.html", size=10))
QUIZ = Document(
    Item(ItemKind.QUIZ, "q1", "Week 1"),
    fields=(Field("points_possible", "Points", "3"), Field("access_code", "Access code", "sesame")),
    questions=(
        Question(
            "1",
            "multiple_choice_question",
            "Energy",
            "<p>Which?</p>",
            2.0,
            (Answer("a", "mitochondrion", is_correct=True), Answer("b", "wall", is_correct=False)),
            ("<p>Well done</p>",),
        ),
        Question("2", "short_answer_question", "Name", "<p>Name it</p>", 1.0, (Answer("c", "chlorophyll"),)),
        Question(
            "3",
            "matching_question",
            "Match",
            "<p>Match</p>",
            None,
            (Answer("d", "leaf", match="green"), Answer("e", "sky", match="blue")),
        ),
        Question("4", "", "Group", "", bank="b1"),
    ),
)
BANK = Document(Item(ItemKind.QUESTION_BANK, "b1", "All of week 1"))
LINK = Document(
    Item(ItemKind.WEB_LINK, "w1", "Elsewhere"), links=("javascript:ran()", "https://example.org/a")
)
RUBRIC = Document(
    Item(ItemKind.RUBRIC, "r1", "Essay"),
    tables=(Table("Criteria", ("Criterion", "Points"), (("Style", "5"),)),),
)
ALL = (PAGE, HIDDEN, PICTURE, ACTIVE, QUIZ, BANK, LINK, RUBRIC)
MODULES = (
    Module(
        "m1",
        "Week 1",
        (
            ModuleItem("i1", "Read this", target=PAGE.item),
            ModuleItem("i2", "Then that", 1, target=QUIZ.item),
            ModuleItem("i3", "A heading"),
            ModuleItem("i4", "A tool", url="https://example.org/tool"),
            ModuleItem("i5", "A trap", url="javascript:ran()"),
        ),
    ),
)


class Places:
    """Where the pages are: those of items below ``pages/``, seen from the home page."""

    up = "../"
    style: str | None = None

    def __init__(self, *, framed: bool = False) -> None:
        self._framed = framed

    def home(self) -> str:
        return "index.html"

    def listing(self, kind: ItemKind, part: int) -> str:
        return f"pages/{kind.value}-{part}.html"

    def item(self, item: Item) -> str:
        return f"pages/{item.identifier}.html"

    def body(self, item: Item) -> str | None:
        return f"pages/{item.identifier}.body.html" if self._framed else None

    def file(self, item: Item) -> str | None:
        return f"files/{item.title}"


def pages(*documents: Document, framed: bool = False, show_key: bool = False) -> CoursePages:
    content = HandContent(documents or ALL, modules=() if documents else MODULES)
    return CoursePages(content, manifest(), Places(framed=framed), show_key=show_key)


def text(page: bytes) -> str:
    return page.decode().partition("<body")[2]


class MarkupReader(HTMLParser):
    """Collects scripts, and attributes with odd names: those that a text became."""

    def __init__(self) -> None:
        super().__init__()
        self.strange: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.strange.append(tag)
        self.strange.extend(name for name, _ in attrs if not re.fullmatch("[a-z-]+", name))


def strange_markup(page: bytes) -> list[str]:
    reader = MarkupReader()
    reader.feed(page.decode())
    reader.close()
    return reader.strange


def test_the_home_page_says_which_copy_it_is_and_what_is_in_it() -> None:
    home = text(pages().home())
    assert "Copy of 2026-11-23 02:00 UTC" in home
    assert "course:101 at canvas.example.edu" in home
    assert '<a href="pages/page-0.html"><span class="number">2</span> Pages</a>' in home
    assert '<a href="pages/p1.html">Front page: Introduction</a>' in home
    assert re.search(r'<a href="pages/q1.html">Then that</a> <span class="kind">Quiz</span>', home)


def test_a_link_to_the_modules_leads_to_those_of_the_course() -> None:
    link = '<a href="$CANVAS_COURSE_REFERENCE$/modules/m1">Modules</a>'
    page = Document(Item(ItemKind.PAGE, "p9", "Start"), link)
    for modules, href in ((MODULES, 'href="../index.html#modules"'), ((), 'class="ca-missing"')):
        content = HandContent([page], modules=modules)
        written = CoursePages(content, manifest(), Places(framed=False)).item_page(page)
        assert href in text(written)
    assert '<h2 id="modules">' in text(pages().home())


def test_the_home_page_names_what_is_missing_and_what_a_package_never_holds() -> None:
    findings = [
        Finding("missing_file", Severity.ERROR, "A file is missing", "web_resources/a.pdf"),
        Finding("other_host_name", Severity.INFO, "Another host name"),
    ]
    home = text(CoursePages(HandContent(ALL), manifest(findings=findings), Places()).home())
    assert "<strong>Missing:</strong> A file is missing <code>web_resources/a.pdf</code>" in home
    assert "1 remark of the proof" in home
    assert "<dt>Discussion replies</dt><dd>Of a discussion the package has the topic" in home
    assert "Nothing: all that the package names is in it." in text(pages().home())


def test_everything_that_a_package_never_holds_has_a_sentence() -> None:
    assert {words for each in NEVER_HELD.values() for words in each} == set(NEVER_HELD_SENTENCES)


def test_every_kind_has_a_name() -> None:
    assert set(KIND_NAMES) == set(ItemKind)


def test_an_address_in_a_module_that_a_browser_must_not_follow_is_text() -> None:
    home = text(pages().home())
    assert 'href="https://example.org/tool"' in home
    assert "A trap" in home
    assert 'href="javascript' not in home


def test_a_list_has_every_item_of_its_kind_once() -> None:
    many = [Document(Item(ItemKind.PAGE, f"p{n}", f"Page {n}")) for n in range(LIST_LENGTH + 5)]
    written = pages(*many)
    assert written.listing_parts(ItemKind.PAGE) == 2
    assert written.listing_parts(ItemKind.QUIZ) == 0
    lists = [text(written.listing(ItemKind.PAGE, part)) for part in range(2)]
    found = re.findall(r'href="\.\./pages/(p\d+)\.html"', "".join(lists))
    assert found == [each.item.identifier for each in many]
    assert 'href="../pages/page-1.html">Next list</a>' in lists[0]
    assert 'href="../pages/page-0.html">Previous list</a>' in lists[1]


def test_files_are_listed_by_folder() -> None:
    listed = text(pages().listing(ItemKind.FILE))
    assert listed.index("<h2>Course files</h2>") < listed.index(">x.html<") < listed.index("<h2>pets</h2>")
    assert "1.5 kB" in listed


def test_what_is_not_published_is_marked() -> None:
    assert "unpublished" in text(pages().item(HIDDEN.item))
    assert "unpublished" not in text(pages().item(PAGE.item))


def test_a_page_leads_to_its_neighbours_in_the_modules() -> None:
    assert 'href="../pages/q1.html">Next: Week 1</a>' in text(pages().item(PAGE.item))
    assert 'href="../pages/p1.html">Previous: Introduction</a>' in text(pages().item(QUIZ.item))


def test_the_key_of_a_quiz_is_not_in_its_page() -> None:
    written = pages(QUIZ, BANK)
    for page in (written.item(QUIZ.item), written.body(QUIZ.item)):
        shown = text(page)
        assert "mitochondrion" in shown
        assert "wall" in shown
        assert shown.index("blue") < shown.index("green"), "what is matched is sorted"
        for secret in ("Correct:", "chlorophyll", "Well done", "sesame", "belongs to", 'class="correct"'):
            assert secret not in shown
        assert "The answers are the key of this question." in shown


def test_the_key_of_a_quiz_is_in_its_page_for_who_may_see_it() -> None:
    shown = text(pages(QUIZ, BANK, show_key=True).item(QUIZ.item))
    assert re.search(
        r'class="correct"><strong class="key">Correct:</strong> <div class="paper">mitochondrion', shown
    )
    for secret in ("chlorophyll", "Well done", "sesame", "belongs to: green"):
        assert secret in shown


def test_a_group_leads_to_its_bank() -> None:
    assert 'href="../pages/b1.html">All of week 1</a>' in text(pages().item(QUIZ.item))


def test_a_web_link_shows_its_first_address_that_can_be_followed() -> None:
    shown = text(pages().item(LINK.item))
    assert (
        'href="https://example.org/a" target="_blank" rel="noreferrer noopener">https://example.org/a</a>'
        in shown
    )
    assert "javascript" not in shown


def test_a_picture_is_shown_and_a_file_that_could_run_is_only_saved() -> None:
    assert '<img class="preview" src="../files/cat.png" alt="cat.png">' in text(pages().item(PICTURE.item))
    active = text(pages().item(ACTIVE.item))
    assert "A browser could run a file of this type." in active
    assert "<img" not in active


def test_a_table_is_shown() -> None:
    shown = text(pages().item(RUBRIC.item))
    assert "<caption>Criteria</caption>" in shown
    assert "<td>Style</td><td>5</td>" in shown


def test_a_problem_is_shown() -> None:
    broken = replace(PAGE, html="", problem="Its document is damaged.")
    assert '<p class="problem">Its document is damaged.</p>' in text(pages(broken).item(PAGE.item))


def test_the_text_of_a_teacher_is_in_a_frame_without_scripts() -> None:
    written = pages(framed=True)
    shown = text(written.item(PAGE.item))
    assert "cells" not in shown
    frame = re.search(r'<iframe class="frame" src="../pages/p1.body.html" [^>]*sandbox="([^"]*)"', shown)
    assert frame is not None
    assert "allow-scripts" not in frame[1]
    assert "allow-forms" not in frame[1]
    assert "<b>cells</b>" in text(written.body(PAGE.item))
    assert written.needs_frame(PAGE)
    assert not written.needs_frame(RUBRIC)


def test_links_in_a_frame_open_the_page_around_it() -> None:
    linking = replace(PAGE, html='<a href="$WIKI_REFERENCE$/pages/p2">x</a>')
    written = pages(linking, HIDDEN, framed=True)
    assert '<a href="../pages/p2.html" target="_top">x</a>' in text(written.body(PAGE.item))


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("$CANVAS_COURSE_REFERENCE$/modules", "../index.html#modules"),
        ("$CANVAS_COURSE_REFERENCE$/", "../index.html"),
        ("$CANVAS_COURSE_REFERENCE$/pages?sort=title", "../pages/page-0.html"),
        ("$WIKI_REFERENCE$/pages/", "../pages/page-0.html"),
        ("%24CANVAS_COURSE_REFERENCE%24/quizzes", "../pages/quiz-0.html"),
        ("$CANVAS_COURSE_REFERENCE$/files/", "../pages/file-0.html"),
        ("$CANVAS_COURSE_REFERENCE$/announcements", None),
        ("$CANVAS_COURSE_REFERENCE$/grades", None),
        ("$CANVAS_COURSE_REFERENCE$/pages/nowhere", None),
        ("$IMS-CC-FILEBASE$/modules", None),
    ],
)
def test_a_link_to_a_part_of_the_course_leads_to_its_list(address: str, place: str | None) -> None:
    linking = replace(PAGE, html=f'<a href="{address}">x</a>')
    content = HandContent((linking, *ALL[1:]), modules=MODULES)
    written = CoursePages(content, manifest(), Places(framed=True))
    shown = text(written.body(PAGE.item))
    assert (f'<a href="{place}" target="_top">x</a>' in shown) == (place is not None)
    assert ("ca-missing" in shown) == (place is None)


def test_a_link_to_modules_that_are_not_there_leads_nowhere() -> None:
    linking = replace(PAGE, html='<a href="$CANVAS_COURSE_REFERENCE$/modules">x</a>')
    assert "ca-missing" in text(pages(linking, framed=True).body(PAGE.item))


@pytest.mark.parametrize("kind", ItemKind)
def test_no_text_of_a_package_is_markup(kind: ItemKind) -> None:
    item = Item(kind, MARKUP, MARKUP, member=MARKUP, folder=MARKUP)
    document = Document(
        item,
        fields=(Field(MARKUP, MARKUP, MARKUP),),
        questions=(
            Question(
                MARKUP,
                MARKUP,
                MARKUP,
                MARKUP,
                1.0,
                (Answer(MARKUP, MARKUP, match=MARKUP),),
                (MARKUP,),
                MARKUP,
            ),
        ),
        tables=(Table(MARKUP, (MARKUP,), ((MARKUP,),)),),
        links=(MARKUP,),
        problem=MARKUP,
    )
    modules = [
        Module(
            MARKUP, MARKUP, (ModuleItem(MARKUP, MARKUP, target=item), ModuleItem(MARKUP, MARKUP, url=MARKUP))
        )
    ]
    content = HandContent([document], modules=modules, title=MARKUP)
    finding = Finding("x", Severity.ERROR, MARKUP, MARKUP)
    written = CoursePages(content, manifest(findings=[finding], name=MARKUP), Places(), show_key=True)
    for page in (written.home(), written.listing(kind), written.item(item), written.body(item)):
        assert strange_markup(page) == []


def test_every_page_forbids_scripts_and_other_servers() -> None:
    for page in (
        pages().home(),
        pages().listing(ItemKind.PAGE),
        pages().item(PAGE.item),
        pages().body(PAGE.item),
    ):
        head = page.decode().partition("<body")[0]
        assert PAGE_POLICY.replace("'", "&#39;") in head
    assert "default-src 'none'" in PAGE_POLICY
    assert "script-src" not in PAGE_POLICY
    assert "http" not in PAGE_POLICY
    assert "sandbox" in HEADERS["Content-Security-Policy"]
    assert "allow-scripts" not in HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize(
    "name", ["a.html", "a.HTM", "a.svg", "a.xml", "a.xhtml", "a.pdf", "a", "a.unknown", ".html", "a.png.html"]
)
def test_a_server_never_shows_a_file_that_could_run(name: str) -> None:
    sent = file_headers(name)
    assert sent["Content-Type"] == "application/octet-stream"
    assert sent["Content-Disposition"] == "attachment"
    assert sent["X-Content-Type-Options"] == "nosniff"


def test_a_server_shows_pictures_and_films() -> None:
    assert file_headers("a.PNG")["Content-Type"] == "image/png"
    assert file_headers("a.mp4")["Content-Disposition"] == "inline"
