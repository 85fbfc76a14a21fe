"""The changes as HTML: everybody can read it, and no text of a package becomes markup."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from tests.support.reports.chromium import CHROMIUM
from tests.support.reports.course_changes import CHANGES, HOSTILE

from canvas_exports.core.packages.changes.model import CourseChanges, ItemChange
from canvas_exports.core.reports.changes.fragment import MAX_SHOWN, changes_fragment, changes_page

in_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("changes") / "changes.html"
    path.write_text(changes_page(CHANGES, title="Biology", versions=HOSTILE), "utf-8")
    return path.as_uri()


def test_only_its_own_elements_are_in_it() -> None:
    found = set(re.findall(r"<(\w+)", changes_fragment(CHANGES)))
    assert found <= {"div", "p", "h2", "h3", "ul", "li", "dl", "dt", "dd", "ins", "del", "span"}


def test_a_link_is_what_the_caller_says_and_is_escaped() -> None:
    def link(change: ItemChange) -> str:
        return f'/read?"{change.after}' if change.after == "p2" else ""

    html = changes_fragment(CHANGES, link=link, level=4)
    assert re.findall(r"<a [^>]*>", html) == ['<a href="/read?&#34;p2">']
    assert "<h4>Pages</h4>" in html


def test_that_nothing_changed_is_told() -> None:
    assert "Nothing changed." in changes_fragment(CourseChanges())


def test_what_is_not_shown_is_counted() -> None:
    many = CourseChanges(CHANGES.changes[:1] * (MAX_SHOWN + 5))
    assert "5 further changes not shown" in changes_fragment(many)


@in_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_everybody_can_read_it(open_page: Any, address: str, scheme: str, width: int) -> None:
    window = open_page(address, color_scheme=scheme, viewport={"width": width, "height": 900})
    found = Axe().run(window.page)
    assert found.response["violations"] == []
    assert window.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@in_browser
def test_nothing_runs_and_nothing_is_asked_for(open_page: Any, address: str) -> None:
    window = open_page(address)
    assert window.page.title() == "Biology"
    assert (window.asked, window.complaints) == ([address], [])


@in_browser
def test_a_screen_reader_hears_what_was_removed_and_added(open_page: Any, address: str) -> None:
    line = open_page(address).page.locator(".changes-changed").first
    assert " ".join(line.text_content().split()) == "The exam is on removed: Monday added: Tuesday."
