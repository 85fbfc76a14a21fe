"""The page in a real browser, inside Airflow's own: readable by everybody, in every width and theme."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Frame, Page
from tests.support.airflow.archive_page import ARCHIVE, ArchiveAirflow
from tests.support.archives.history import EMPTIED, HOSTILE_NAME

pytestmark = pytest.mark.stack

PAGES = ["", ARCHIVE, f"{ARCHIVE}/courses", f"{ARCHIVE}/courses/course:101", f"{ARCHIVE}/courses/course:999"]
#: What Chromium says of the frame that Airflow itself makes, and what Airflow 3.1 says of its own pages.
_OF_AIRFLOW = ("An iframe which has both allow-scripts and allow-same-origin", "No `HydrateFallback` element")


@contextmanager
def opened(
    airflow: ArchiveAirflow, browser: Browser, path: str, user: str = "vera", **how: object
) -> Iterator[Page]:
    window = airflow.window(browser, user, **how)  # type: ignore[arg-type]
    page = window.new_page()
    page.goto(airflow.page(path))
    yield page
    window.close()


@contextmanager
def framed(
    airflow: ArchiveAirflow, browser: Browser, user: str = "vera", **how: object
) -> Iterator[tuple[Page, Frame, list[str]]]:
    """The page as Airflow shows it, with what the browser complains about."""
    window = airflow.window(browser, user, **how)  # type: ignore[arg-type]
    page = window.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{airflow.url}/plugin/canvas_archive")
    page.frame_locator("iframe").get_by_role("heading", level=1).wait_for()
    frame = page.frames[-1]
    yield page, frame, [text for text in complaints if not text.startswith(_OF_AIRFLOW)]
    window.close()


@pytest.mark.parametrize("path", PAGES)
def test_nothing_hinders_a_screen_reader_or_a_narrow_window(
    airflow: ArchiveAirflow, browser: Browser, path: str
) -> None:
    for width, dark in ((390, False), (1280, True), (2560, False)):
        with opened(airflow, browser, path, width=width, dark=dark) as page:
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_navigation_leads_to_the_page_inside_airflow(airflow: ArchiveAirflow, browser: Browser) -> None:
    window = airflow.window(browser, "vera")
    page = window.new_page()
    page.goto(f"{airflow.url}/")
    page.get_by_role("button", name="Browse").click()
    page.get_by_role("menuitem", name="Canvas archive").click()
    inside = page.frame_locator("iframe")
    inside.get_by_role("link", name=ARCHIVE).first.click()
    inside.get_by_role("heading", name="Overview").wait_for()
    assert inside.get_by_text("3 of 9 have no good copy.").is_visible()
    window.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_follows_airflows_theme(airflow: ArchiveAirflow, browser: Browser, theme: str) -> None:
    with framed(airflow, browser, theme=theme) as (_, frame, complaints):
        ground = frame.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 29)"}[theme]
        assert complaints == []


def test_it_asks_nobody_else_for_anything(airflow: ArchiveAirflow, browser: Browser) -> None:
    window = airflow.window(browser, "vera")
    page = window.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in PAGES:
        page.goto(airflow.page(path))
    assert {address.split("/")[2] for address in asked} == {airflow.url.split("/")[2]}
    window.close()


def test_what_is_wrong_is_named_with_the_newest_first(airflow: ArchiveAirflow, browser: Browser) -> None:
    with opened(airflow, browser, ARCHIVE) as page:
        cards = (
            page.get_by_role("region", name="Without a good copy").get_by_role("listitem").all_inner_texts()
        )
        assert [text.split()[0] for text in cards] == ["course:109", "course:106", "course:107"]
        assert "The archive holds no copy: Canvas could not export it" in cards[0]
        page.get_by_role("link", name="course:106").click()
        assert page.get_by_role("heading", level=1).inner_text() == "Course 106"
        assert page.get_by_role("region", name="Problems").get_by_text("2 files missing").is_visible()


def test_a_refusal_leads_back_to_the_overview(airflow: ArchiveAirflow, browser: Browser) -> None:
    with opened(airflow, browser, f"{ARCHIVE}/courses/course:999") as page:
        page.get_by_role("link", name="Begin again").click()
        page.get_by_role("link", name=ARCHIVE).first.click()
        assert page.get_by_role("heading", level=1).inner_text() == "Overview"


def test_courses_are_found_sorted_and_paged_without_a_script(
    airflow: ArchiveAirflow, browser: Browser
) -> None:
    window = airflow.window(browser, "vera", scripts=False)
    page = window.new_page()
    page.goto(airflow.page(ARCHIVE, "courses"))
    page.get_by_label("Name, code, SIS id").fill("sis-103")
    page.keyboard.press("Enter")
    page.get_by_text("1 found.").wait_for()
    assert page.get_by_role("rowheader").inner_text().startswith("Course 103")
    page.get_by_label("Name, code, SIS id").fill("")
    page.get_by_label("State").select_option("missing")
    page.get_by_label("Order").select_option("descending")
    page.get_by_role("button", name="Find").click()
    page.get_by_text("3 found.").wait_for()
    rows = page.get_by_role("rowheader").all_inner_texts()
    assert [row.split()[0] for row in rows] == ["course:109", "Course", "Course"]
    window.close()


def test_a_course_is_a_time_line(airflow: ArchiveAirflow, browser: Browser) -> None:
    with opened(airflow, browser, f"{ARCHIVE}/courses/course:101") as page:
        copies = page.locator("ol.copies > li").all_inner_texts()
        assert len(copies) == 3
        assert "Verified" in copies[2]
        assert "Restored in a drill" in copies[1]


def test_a_name_is_never_markup(airflow: ArchiveAirflow, browser: Browser) -> None:
    for path in (f"{ARCHIVE}/courses", f"{ARCHIVE}/courses/course:108"):
        with opened(airflow, browser, path) as page:
            assert HOSTILE_NAME in page.inner_text("main")
            assert "taken" not in page.evaluate("document.title").replace(HOSTILE_NAME, "")


def test_it_can_be_used_with_the_keyboard_alone(airflow: ArchiveAirflow, browser: Browser) -> None:
    with opened(airflow, browser, ARCHIVE) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('href')").endswith(
            f"/courses/{EMPTIED.context}"
        )
