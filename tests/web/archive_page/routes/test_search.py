"""Which courses hold a text, or link to a host: for those who may read contents."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from tests.support.airflow.archive_page import ARCHIVE, ArchiveAirflow

pytestmark = pytest.mark.stack


def test_a_word_and_a_host_are_found(airflow: ArchiveAirflow, browser: Browser) -> None:
    window = airflow.window(browser, "otto", dark=True)
    page = window.new_page()
    page.goto(airflow.page(ARCHIVE))
    page.get_by_role("link", name="Search").click()
    page.get_by_label("Links to a host").fill("videos.example.org")
    page.get_by_role("button", name="Search").click()
    page.get_by_text("1 course.").wait_for()
    assert page.get_by_role("link", name="Course 101").is_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.get_by_role("link", name="Welcome").click()
    page.frame_locator("iframe").get_by_role("link", name="Biology").wait_for()
    window.close()
    assert airflow.audit("canvas_archive_search")[-1]["host"] == "videos.example.org"


@pytest.mark.parametrize("query", ['text="', "text=AND", "host=../x", "text=" + "x" * 250, "text=%00"])
def test_a_query_of_any_text_is_answered(airflow: ArchiveAirflow, query: str) -> None:
    answer = airflow.get(airflow.page(ARCHIVE, f"search?{query}"), "otto")
    assert answer.status_code in (200, 400)
    assert "Traceback" not in answer.text


def test_without_the_role_there_is_no_search_box(airflow: ArchiveAirflow) -> None:
    assert "/search" not in airflow.get(airflow.page(ARCHIVE), "ada").text
    assert "/search" in airflow.get(airflow.page(ARCHIVE), "otto").text
