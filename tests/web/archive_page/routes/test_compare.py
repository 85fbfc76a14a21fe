"""Two copies are compared on the page, for the roles that may read contents; the audit log says who did."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from tests.support.airflow.archive_page import ARCHIVE, ArchiveAirflow

pytestmark = pytest.mark.stack

COURSE = "course:101"


def name(airflow: ArchiveAirflow, number: int) -> str:
    return airflow.history.biology[number].package.key.rpartition("/")[2].removesuffix(".imscc")


def compare_page(airflow: ArchiveAirflow, query: str = "") -> str:
    return airflow.page(ARCHIVE, "courses", COURSE, f"compare{query}")


def between(airflow: ArchiveAirflow, first: int, last: int, more: str = "") -> str:
    return compare_page(airflow, f"?from={name(airflow, first)}&to={name(airflow, last)}{more}")


def test_what_was_rewritten_is_shown_word_by_word(airflow: ArchiveAirflow) -> None:
    answer = airflow.get(between(airflow, 0, -1), "otto")
    assert answer.status_code == 200
    assert "Welcome" in answer.text
    assert "<ins>" in answer.text
    assert "page changed" in answer.text


def test_the_other_way_round_added_is_removed(airflow: ArchiveAirflow) -> None:
    there, back = (airflow.get(between(airflow, *each), "otto").text for each in ((0, -1), (-1, 0)))
    assert "Biology" in there.partition("<ins>")[2]
    assert "<del>" in back


def test_a_copy_does_not_differ_from_itself(airflow: ArchiveAirflow) -> None:
    assert "Nothing changed." in airflow.get(between(airflow, 0, 0), "otto").text


def test_who_may_not_read_contents_may_not_compare(airflow: ArchiveAirflow) -> None:
    before = airflow.audit("canvas_archive_compare")
    assert airflow.get(between(airflow, 0, -1), "ada").status_code == 403
    assert airflow.audit("canvas_archive_compare") == before


def test_a_comparison_is_in_the_audit_log(airflow: ArchiveAirflow) -> None:
    airflow.get(between(airflow, 0, 1, "&key=true"), "otto")
    keys = [f"courses/101/{name(airflow, number)}.json" for number in (0, 1)]
    entry = airflow.audit("canvas_archive_compare")[-1]
    assert [entry["copy"], entry["to"]] == keys
    assert (entry["user"], entry["course"], entry["keys"]) == ("otto", COURSE, "with answer keys")


@pytest.mark.parametrize("query", ["?from=nothing", "?to=nothing", "?to=../../x"])
def test_a_copy_that_is_not_there_is_not_found(airflow: ArchiveAirflow, query: str) -> None:
    assert airflow.get(compare_page(airflow, query), "otto").status_code == 404


def test_two_courses_are_compared_from_this_one_to_the_other(airflow: ArchiveAirflow) -> None:
    for other in ("course:105", "105", "%20105%20"):
        answer = airflow.get(compare_page(airflow, f"?with={other}"), "otto")
        assert answer.status_code == 200, answer.text
        assert "From course:101 to course:105" in answer.text
        assert "changed" in answer.text
        assert "/courses/course:105/copies/" in answer.text


def test_a_package_that_is_damaged_is_told_as_such(airflow: ArchiveAirflow) -> None:
    answer = airflow.get(compare_page(airflow, "?with=102"), "otto")
    assert answer.status_code == 502
    assert "course:102, export 102: the package is not a zip, or its end is missing." in answer.text
    assert "Choose another copy." in answer.text


def test_a_course_that_is_not_there_is_named(airflow: ArchiveAirflow) -> None:
    answer = airflow.get(compare_page(airflow, "?with=999999"), "otto")
    assert answer.status_code == 404
    assert "course:999999" in answer.text


@pytest.mark.parametrize(
    "query", ["?key=perhaps", "?with=../102", "?with=course:x", f"?with={'9' * 40}", f"?to={'x' * 400}"]
)
def test_a_wrong_choice_is_refused(airflow: ArchiveAirflow, query: str) -> None:
    assert airflow.get(compare_page(airflow, query), "otto").status_code == 400


def test_a_course_without_copies_has_nothing_to_compare(airflow: ArchiveAirflow) -> None:
    address = airflow.page(ARCHIVE, "courses", "course:999999", "compare")
    assert airflow.get(address, "otto").status_code == 404


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1280])
def test_everybody_can_read_it_and_follow_its_links(
    airflow: ArchiveAirflow, browser: Browser, width: int, *, dark: bool
) -> None:
    context = airflow.window(browser, "otto", width=width, dark=dark)
    page = context.new_page()
    page.goto(between(airflow, 0, -1))
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="Welcome", exact=True).click()
    assert "/read/items/page" in page.url
    context.close()


def test_in_airflows_frame_a_title_leads_into_the_copy_in_the_whole_window(
    airflow: ArchiveAirflow, browser: Browser
) -> None:
    context = airflow.window(browser, "otto")
    page = context.new_page()
    page.goto(f"{airflow.url}/plugin/canvas_archive")
    inside = page.frame_locator("iframe")
    inside.get_by_role("heading", level=1).wait_for()
    page.frames[-1].goto(between(airflow, 0, -1))
    inside.get_by_role("link", name="Welcome", exact=True).click()
    page.wait_for_url("**/read/items/page**")
    context.close()


def test_the_time_line_leads_to_it_and_says_what_changed(airflow: ArchiveAirflow, browser: Browser) -> None:
    context = airflow.window(browser, "otto")
    page = context.new_page()
    page.goto(airflow.page(ARCHIVE, "courses", COURSE))
    assert "Since the copy before: " in page.content()
    page.get_by_role("link", name="What changed").first.click()
    assert page.get_by_role("heading", level=1).inner_text() == "What changed in Course 101"
    context.close()
