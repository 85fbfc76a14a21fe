"""What is printed of the page, in a browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect
from tests.support.reports.chromium import CHROMIUM

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium")


def test_it_prints_on_white_without_its_controls(open_page: Any, address: str) -> None:
    page = open_page(address, color_scheme="dark").page
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.get_by_label("Find", exact=True).is_visible()
    assert page.get_by_role("table", name="Every export").is_visible()


def test_paper_shows_every_row_in_a_table(open_page: Any, long_address: str) -> None:
    window = open_page(long_address)
    rows = window.page.locator("#rows tbody tr")
    assert window.row_count() == 50
    window.page.emulate_media(media="print")
    expect(rows).to_have_count(120)
    table = window.page.locator("#rows")
    assert [
        table.evaluate(f"e => getComputedStyle(e{part}).display")
        for part in ("", ".rows[1]", ".rows[1].cells[1]")
    ] == [
        "table",
        "table-row",
        "table-cell",
    ], "however narrow the paper is"
    window.page.set_viewport_size({"width": 700, "height": 900})
    assert table.evaluate("e => getComputedStyle(e).display") == "table"
    window.page.emulate_media(media="screen")
    expect(rows).to_have_count(50)
    assert window.complaints == []


def test_a_pdf_holds_every_row_that_matches(open_page: Any, long_address: str) -> None:
    window = open_page(long_address)
    drawn = "() => { window.most = 0; new MutationObserver(() => { window.most = Math.max(window.most, document.querySelectorAll('#rows tbody tr').length) }).observe(document.querySelector('#rows tbody'), {childList: true}) }"
    window.page.evaluate(drawn)
    whole = window.page.pdf()
    assert window.page.evaluate("window.most") == 120
    assert window.row_count() == 50, "the page is as it was"
    window.page.get_by_label("Show", exact=True).select_option("problem")
    window.page.evaluate(drawn)
    assert len(window.page.pdf()) < len(whole)
    assert window.page.evaluate("window.most") in (0, 12)
