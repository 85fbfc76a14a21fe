"""A course in a real browser, from a disk: nothing runs, nothing is fetched, everybody can read it.

Needs a Chromium; Debian calls it ``chromium``. Skipped where there is none.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from tests.support.browsing.attacks import ATTACKS
from tests.support.browsing.hand_content import FILE_TOKEN, HandContent, manifest
from tests.support.reports.chromium import CHROMIUM

from canvas_exports.cli.local_folder import LocalFolder
from canvas_exports.core.archive.browsing import document_view
from canvas_exports.core.archive.browsing.course_folder import FolderOptions, write_course
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
from canvas_exports.core.packages.proof import Finding, Severity

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium")

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PICTURE = Document(Item(ItemKind.FILE, "f1", "cat.png", member="web_resources/cat.png", size=len(PIXEL)))
ACTIVE = Document(Item(ItemKind.FILE, "f2", "trap.html", member="web_resources/trap.html", size=30))
FILES = {
    "web_resources/cat.png": PIXEL,
    "web_resources/trap.html": b"<script>document.title='ran'</script>",
}

#: What a script of an attack calls.
RAN = "window.ran = () => { window.hasRun = true; console.log('a script ran'); }"
PHONE, DESK = {"width": 390, "height": 800}, {"width": 1280, "height": 900}
WIDTHS = (320, 390, 768, 1280, 2560)


@dataclass
class Watched:
    """A page, and all that happened."""

    page: Page
    root: Path
    outside: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: Path) -> None:
        self.page.goto(path.as_uri())

    def ran(self) -> list[str]:
        """Addresses of the frames in which a script ran."""
        return [
            frame.url
            for frame in self.page.frames
            if frame.evaluate("() => window.hasRun === true || document.title === 'ran'")
        ]


@pytest.fixture
def watch(browser: Browser) -> Iterator[Any]:
    contexts = []

    def watched(root: Path, **settings: Any) -> Watched:
        contexts.append(browser.new_context(**settings))
        page = contexts[-1].new_page()
        page.set_default_timeout(10_000)
        seen = Watched(page, root)
        inside = root.as_uri() + "/"

        def request(asked: Any) -> None:
            if not asked.url.startswith((inside, "data:")):
                seen.outside.append(asked.url)

        page.route(lambda address: not address.startswith((inside, "data:")), lambda route: route.abort())
        page.add_init_script(RAN)
        page.context.on("request", request)
        page.on("console", lambda message: seen.complaints.append(message.text))
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))

        def dialog(shown: Any) -> None:
            seen.dialogs.append(shown.message)
            shown.dismiss()

        page.on("dialog", dialog)
        return seen

    yield watched
    for context in contexts:
        context.close()


def written(root: Path, documents: list[Document], **more: Any) -> list[Path]:
    """Write a course and return the pages of its items, in order."""
    root.mkdir()
    content = HandContent([*documents, PICTURE, ACTIVE], files=FILES, modules=more.get("modules", ()))
    made = write_course(
        content,
        manifest(findings=more.get("findings", ())),
        LocalFolder(root),
        FolderOptions(show_key=more.get("show_key", False)),
    )
    return [root / path for _, _, path in made.titles]


def attacked(name: str, html: str) -> Document:
    """A quiz with one attack, everywhere where HTML may be."""
    question = Question(
        "1", "multiple_choice_question", name, html, 1.0, (Answer("a", html, is_correct=True),), (html,)
    )
    return Document(Item(ItemKind.QUIZ, name, name), html, questions=(question,))


def test_of_no_attack_anything_runs_or_is_fetched(tmp_path: Path, watch: Any) -> None:
    documents = [attacked(name, html) for name, html in ATTACKS.items()]
    pages = written(tmp_path / "course", documents, show_key=True)
    seen = watch(tmp_path / "course")
    for document, path in zip(documents, pages, strict=False):
        seen.open(path)
        assert seen.ran() == [], document.item.title
        assert len(seen.page.frames) == 2, document.item.title
        assert seen.outside == [], document.item.title
        assert seen.complaints == [], f"{document.item.title}: the policy had to stop something"
    assert seen.dialogs == []


def test_even_html_that_is_not_cleaned_cannot_run(
    tmp_path: Path, watch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_view, "clean_html", lambda html, _links: html)
    documents = [Document(Item(ItemKind.PAGE, name, name), html) for name, html in ATTACKS.items()]
    pages = written(tmp_path / "course", documents)
    seen = watch(tmp_path / "course")
    for path in pages[: len(documents)]:
        seen.open(path)
    assert "a script ran" not in seen.complaints
    assert any("Blocked script execution" in each for each in seen.complaints), "no attack is one"
    assert seen.dialogs == []


def test_a_text_is_shown_with_its_pictures_and_its_links_lead_on(tmp_path: Path, watch: Any) -> None:
    first = Document(
        Item(ItemKind.PAGE, "one", "One"),
        f'<p style="color: rgb(200, 0, 0)">red</p><img src="{FILE_TOKEN}cat.png" alt="A cat">'
        '<a href="#end">down</a><a href="$WIKI_REFERENCE$/pages/two">on</a><p style="height: 4000px">x</p><p id="end">end</p>',
    )
    pages = written(tmp_path / "course", [first, Document(Item(ItemKind.PAGE, "two", "Two"), "<p>here</p>")])
    seen = watch(tmp_path / "course")
    seen.open(pages[0])
    frame = seen.page.frames[1]
    assert frame.evaluate("document.images[0].naturalWidth") == 1
    assert frame.evaluate("getComputedStyle(document.querySelector('p')).color") == "rgb(200, 0, 0)"
    assert frame.evaluate("getComputedStyle(document.body).fontSize") == "16px", "the style sheet is there"
    frame.get_by_text("down").click()
    while frame.evaluate("scrollY") < 1000:  # a frame without scripts waits for nothing by itself
        seen.page.wait_for_timeout(20)
    frame.get_by_text("on", exact=True).click()
    seen.page.wait_for_url(pages[1].as_uri())
    assert seen.page.frame_locator("iframe").get_by_text("here").is_visible()
    assert seen.complaints == []
    assert seen.outside == []


def test_a_file_of_a_package_that_could_run_is_text(tmp_path: Path, watch: Any) -> None:
    written(tmp_path / "course", [])
    seen = watch(tmp_path / "course")
    seen.open(tmp_path / "course" / "files" / "trap.html.txt")
    assert seen.ran() == []
    assert seen.page.evaluate("document.contentType") == "text/plain"


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One page of every kind."""
    root = tmp_path_factory.mktemp("readable") / "course"
    html = (
        '<h1>Cells</h1><p>Text with <a href="https://example.org/">a link</a> and <code>code</code>.</p>'
        f'<img src="{FILE_TOKEN}cat.png" alt="A cat"><iframe src="https://example.org/film" title="Film"></iframe>'
        "<table><tr><th>A<th>B<tr><td>1<td>2</table><img src=gone.png><ul><li>one<li>two</ul>"
    )
    questions = (
        Question(
            "1",
            "multiple_choice_question",
            "One",
            html,
            1.0,
            (Answer("a", "yes", is_correct=True), Answer("b", "no")),
            ("<p>Good</p>",),
        ),
        Question("2", "matching_question", "Two", "<p>Match</p>", None, (Answer("a", "x", match="y"),)),
        Question("3", "", "Group", "", bank="question_bank"),
    )
    documents = [
        Document(
            Item(
                kind,
                kind.value,
                f"A {kind.value}",
                is_published=kind is not ItemKind.ASSIGNMENT,
                is_front_page=kind is ItemKind.PAGE,
            ),
            html if kind not in (ItemKind.RUBRIC, ItemKind.WEB_LINK) else "",
            (Field("points", "Points", "3"), Field("due_at", "Due", "2026-11-23T02:00:00Z")),
            questions if kind in (ItemKind.QUIZ, ItemKind.QUESTION_BANK) else (),
            (Table("Criteria", ("Criterion", "Points"), (("Style", "5"),)),)
            if kind is ItemKind.RUBRIC
            else (),
            ("https://example.org/",) if kind is ItemKind.WEB_LINK else (),
            "Its settings are damaged." if kind is ItemKind.EVENT else "",
        )
        for kind in ItemKind
        if kind is not ItemKind.FILE
    ]
    lines = tuple(ModuleItem(each.item.identifier, each.item.title, 1, each.item) for each in documents)
    written(
        root,
        documents,
        show_key=True,
        modules=[
            Module(
                "m",
                "Week 1",
                (*lines, ModuleItem("h", "A heading"), ModuleItem("t", "Tool", url="https://example.org/t")),
            )
        ],
        findings=[
            Finding("missing_file", Severity.ERROR, "A file is missing", "web_resources/a.pdf"),
            Finding("odd_xml", Severity.WARNING, "A document is odd"),
            Finding("renamed_file", Severity.INFO, "A file was renamed"),
        ],
    )
    return root


def every_kind_of_page(course: Path) -> list[Path]:
    """The home, lists, every text, and the page around one of them."""
    pages = course / "pages"
    lists = [pages / "pages.html", pages / "files.html"]
    items = [
        next(pages.glob(f"{kind}-*[0-9a-f].html")) for kind in ("quiz", "rubric", "web-link", "file", "event")
    ]
    return [course / "index.html", *lists, *items, *sorted(pages.glob("*-text.html"))]


@pytest.mark.parametrize(("scheme", "screen"), [("light", DESK), ("dark", PHONE)], ids=["desk", "phone"])
def test_everybody_can_read_every_kind_of_page(
    course: Path, watch: Any, scheme: str, screen: dict[str, int]
) -> None:
    seen = watch(course, viewport=screen, color_scheme=scheme)
    axe = Axe()
    for path in every_kind_of_page(course):
        seen.open(path)
        seen.page.locator("details").evaluate_all("all => all.forEach((each) => { each.open = true; })")
        found = axe.run(seen.page)
        assert found.violations_count == 0, f"{path.name}: {found.generate_report()}"


def test_no_page_is_wider_than_the_screen(course: Path, watch: Any) -> None:
    seen = watch(course)
    for path in every_kind_of_page(course):
        seen.open(path)
        for width in WIDTHS:
            seen.page.set_viewport_size({"width": width, "height": 800})
            assert seen.page.evaluate("document.documentElement.scrollWidth") <= width, path.name
    assert seen.complaints == []
    assert seen.outside == []


def test_a_text_is_printed_whole(course: Path, watch: Any) -> None:
    seen = watch(course)
    seen.open(next((course / "pages").glob("quiz-a-quiz-*-text.html")))
    seen.page.emulate_media(media="print")
    assert seen.page.get_by_text("Match", exact=True).is_visible()
    hidden = seen.page.evaluate(
        "() => [...document.querySelectorAll('.paper')].filter((e) => e.scrollHeight > e.clientHeight + 1).length"
    )
    assert hidden == 0
    assert len(seen.page.pdf()) > 1000
