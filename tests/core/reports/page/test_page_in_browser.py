"""The page in a real browser: it sorts, filters, complains about nothing, and can be read by everybody.

Needs a Chromium; Debian calls it ``chromium``. Skipped where there is none.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from tests.support.reports.chromium import CHROMIUM, DESK
from tests.support.reports.run_views import facts, night, past, record, row, view

from canvas_exports.core.archive.records import RecordKind
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.reports.page.run_page import render_page
from canvas_exports.core.text.wording import format_size

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium")

PHONE = {"width": 375, "height": 800}
HOSTILE = "<img src=x onerror=document.title=1> =1+1 </script><script>document.title=1</script>"

#: The contrast of every text with what is behind it, as WCAG 2 computes it; the worst ones, below 4.5.
CONTRAST = """() => {
  const rgb = (text) => text.match(/[0-9.]+/g).map(Number);
  const light = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (e) => {
    for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; }
    return rgb(getComputedStyle(document.documentElement).backgroundColor);
  };
  const found = [];
  for (const e of document.querySelectorAll("body *")) {
    if (!e.checkVisibility() || ![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
    if (e.matches("script, style, title, :disabled, option, noscript")) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(rgb(e.closest("svg") ? style.fill : style.color)), light(behind(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push(`${e.tagName} ${e.textContent.slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return found;
}"""


def test_it_opens_without_a_complaint_and_asks_nobody_for_anything(open_page: Any, address: str) -> None:
    window = open_page(address)
    assert window.row_count() == 40
    assert window.complaints == []
    assert window.asked == [address]
    assert window.page.title() == "Run report: canvas_backup_nightly"


def test_problems_stand_first_until_somebody_sorts(open_page: Any, address: str) -> None:
    window = open_page(address)
    assert window.column(3)[:5] == ["denied", "failed", "gone", "incomplete", "incomplete"]
    assert set(window.column(3)[5:]) == {"empty", "stored"}


def test_a_column_sorts_both_ways_and_says_so(open_page: Any, address: str) -> None:
    window = open_page(address)
    header = window.page.get_by_role("columnheader", name="Size", exact=True).and_(
        window.page.locator("#rows th")
    )
    assert header.get_attribute("aria-sort") == "none"
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    rising = [text for text in window.column(4) if text]
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    falling = [text for text in window.column(4) if text]
    assert rising == falling[::-1]
    assert rising[0] == "23.5 MB"
    assert falling[0] == "962 MB"
    assert window.column(4)[-3:] == ["", "", ""], "what has no size comes last either way"
    sorted_headers = window.page.locator("#rows th[aria-sort=ascending], #rows th[aria-sort=descending]")
    assert sorted_headers.count() == 1


def test_the_batch_of_a_course_is_shown_and_finds_the_courses_of_that_batch(
    open_page: Any, tmp_path: Path
) -> None:
    names = {1: "course:1 and 1 more", 2: "course:1 and 1 more", 3: "course:3"}
    shown = view([row(number) for number in (1, 2)] + [row(3, Outcome.GONE)], {3: facts(good_at=None)})
    path = tmp_path / "batches.html"
    path.write_bytes(
        render_page(replace(shown, batches={f"course:{number}": name for number, name in names.items()}))
    )
    window = open_page(path.as_uri())
    assert window.page.locator(".cards").get_by_text("Batch: course:3", exact=True).count() == 1
    window.page.get_by_label("Find", exact=True).fill("course:1 and 1 more")
    assert sorted(text.split()[-1] for text in window.column(1)) == ["course:1", "course:2"]
    window.page.locator("#rows summary").first.click()
    assert window.page.get_by_text("Batch: course:1 and 1 more", exact=True).first.is_visible()


def test_courses_sort_as_people_count(open_page: Any, tmp_path: Path) -> None:
    path = tmp_path / "numbers.html"
    path.write_bytes(render_page(view([row(number, name=f"BIO {number}") for number in (10, 9, 100)])))
    window = open_page(path.as_uri())
    window.page.get_by_label("Sort by", exact=True).select_option("Course, ascending")
    assert [text.split()[1] for text in window.column(1)] == ["9", "10", "100"]


def test_sizes_read_as_in_the_log_of_the_task(open_page: Any, tmp_path: Path) -> None:
    sizes = [0, 1, 999, 1000, 99_900, 99_960, 999_400, 1_300_000, 10**9, 7 * 10**12, 5 * 10**15]
    path = tmp_path / "sizes.html"
    path.write_bytes(render_page(view([row(at, size=size) for at, size in enumerate(sizes, 1)])))
    assert open_page(path.as_uri()).column(4) == [format_size(size) for size in sizes]


def test_what_a_verification_or_a_drill_found_wrong_stands_out(open_page: Any, tmp_path: Path) -> None:
    found = facts(
        verified=record(RecordKind.VERIFY, 1, "damaged"), drilled=record(RecordKind.DRILL, 2, "passed")
    )
    path = tmp_path / "found.html"
    path.write_bytes(render_page(view([row(1)], {1: found})))
    window = open_page(path.as_uri())
    assert window.column(7) == ["2026-11-22, damaged (full)"]
    assert window.column(8) == ["2026-11-21, passed (full)"]
    assert window.page.locator("#rows .none").all_inner_texts() == ["2026-11-22, damaged (full)"]


def test_filters_work_together_and_the_number_is_reported(open_page: Any, address: str) -> None:
    window = open_page(address)
    page = window.page
    page.get_by_label("Find", exact=True).fill("biology")
    assert window.row_count() == 5
    assert page.get_by_role("status").inner_text() == "1 to 5 of 5 that match, of 40"
    page.get_by_label("Find", exact=True).fill("")
    page.get_by_label("Outcome", exact=True).select_option("incomplete")
    assert window.row_count() == 2
    page.get_by_label("Show", exact=True).select_option("without a good copy")
    assert window.row_count() == 1
    page.get_by_label("Find", exact=True).fill("no such course")
    assert window.row_count() == 0
    assert page.get_by_role("status").inner_text() == "None of 40 matches"
    for label in ("Outcome", "Show"):
        page.get_by_label(label, exact=True).select_option("all")
    page.get_by_label("Find", exact=True).fill("")
    assert window.row_count() == 40
    assert window.complaints == []


def test_the_keyboard_is_enough(open_page: Any, address: str) -> None:
    window = open_page(address)
    window.page.get_by_label("Find", exact=True).focus()
    window.page.keyboard.type("denied")
    assert window.row_count() == 1
    window.page.get_by_role("columnheader", name="Outcome", exact=True).and_(
        window.page.locator("#rows th")
    ).get_by_role("button").focus()
    window.page.keyboard.press("Enter")
    assert (
        window.page.get_by_role("columnheader", name="Outcome", exact=True)
        .and_(window.page.locator("#rows th"))
        .get_attribute("aria-sort")
        == "ascending"
    )


def test_a_large_run_is_turned_over_page_by_page(open_page: Any, tmp_path: Path) -> None:
    path = tmp_path / "large.html"
    path.write_bytes(render_page(view([row(number) for number in range(1, 20_001)])))
    window = open_page(path.as_uri())
    assert window.row_count() == 50
    assert window.page.get_by_role("status").inner_text() == "1 to 50 of 5,000"
    window.page.get_by_role("button", name="Next").click()
    assert window.page.get_by_text("Page 2 of 100").is_visible()
    assert window.page.get_by_text("the first 5,000 of 20,000 exports").is_visible()
    window.page.get_by_label("Find", exact=True).fill("course:4999")
    assert window.row_count() == 1
    assert window.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_every_text_stands_out_from_its_ground(
    open_page: Any, address: str, viewport: dict[str, int], scheme: str
) -> None:
    window = open_page(address, viewport=viewport, color_scheme=scheme)
    for details in window.page.locator("details").all():
        details.evaluate("each => each.open = true")
    assert window.page.evaluate(CONTRAST) == []


def test_a_phone_shows_all_of_it_without_scrolling_sideways(open_page: Any, tmp_path: Path) -> None:
    endless = "web_resources/" + "very_long_name" * 20
    records = [row(1, Outcome.INCOMPLETE, name=endless, reason=endless), row(2)]
    path = tmp_path / "phone.html"
    path.write_bytes(render_page(view(records, {1: facts(good_at=None, findings=(endless,))}, runs=past(30))))
    window = open_page(path.as_uri(), viewport=PHONE)
    page = window.page
    for details in page.locator("details").all():
        details.evaluate("each => each.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    outside = "[...document.querySelectorAll('main *')].filter(e => e.checkVisibility() && !e.closest('.wide, thead') && e.getBoundingClientRect().right > 376).length"
    assert page.evaluate(outside) == 0
    assert page.get_by_label("Sort by", exact=True).is_visible(), "headers are hidden there"
    assert (
        page.locator("#rows td").nth(1).evaluate("e => getComputedStyle(e, '::before').content")
        == '"Outcome: "'
    )
    size = page.evaluate(
        "Math.min(...[...document.querySelectorAll('main *')].filter(e => e.checkVisibility() && e.innerText).map(e => parseFloat(getComputedStyle(e).fontSize)))"
    )
    assert size >= 14


def test_everything_has_a_name_and_a_role(open_page: Any, address: str) -> None:
    page = open_page(address).page
    tree = page.locator("body").aria_snapshot()
    assert 'heading "Run report: canvas_backup_nightly" [level=1]' in tree
    for name in ("Without a good copy", "Totals", "The last 30 runs", "Missing content", "Every export"):
        assert f'- heading "{name}" [level=2]' in tree
        assert page.get_by_role("region", name=name, exact=True).count() >= 1
    for label in ("Find", "Outcome", "Type", "Show", "Sort by"):
        assert page.get_by_label(label, exact=True).count() == 1
    assert page.get_by_role("img", name=re.compile("Bytes stored in the last 30 runs")).count() == 1
    assert page.get_by_role("table", name="Every export").get_by_role("columnheader").count() == 10
    assert page.get_by_role("rowheader").count() > 40
    unnamed = re.findall(
        r"- (?:button|textbox|searchbox|combobox|img|table|link)\s*(?::|\[|$)", tree, re.MULTILINE
    )
    assert unnamed == []
    assert page.evaluate("document.documentElement.lang") == "en"


def test_the_table_keeps_its_roles_on_a_phone(open_page: Any, address: str) -> None:
    page = open_page(address, viewport=PHONE).page
    assert page.get_by_role("table", name="Every export").get_by_role("row").count() == 41
    assert page.get_by_role("columnheader", name="Newest good copy").count() == 1


def test_without_javascript_all_but_the_table_can_be_read(open_page: Any, address: str) -> None:
    page = open_page(address, java_script_enabled=False).page
    assert page.get_by_text("5 of 40 exports ended without a good copy.").is_visible()
    assert page.get_by_role("heading", name="Totals").is_visible()
    assert page.get_by_text("The package is in the archive and proven whole.").is_visible()
    assert page.get_by_text("The table needs JavaScript.").is_visible()
    assert not page.get_by_label("Find", exact=True).is_visible()
    page.locator("details", has_text="course:2022").locator("summary").click()
    assert page.get_by_text("Week 6.mp4").first.is_visible()


def test_what_a_course_is_called_is_never_run(open_page: Any, tmp_path: Path) -> None:
    path = tmp_path / "hostile.html"
    records = [
        row(1, Outcome.INCOMPLETE, name=HOSTILE, reason=HOSTILE, findings=HOSTILE),
        row(2, name=HOSTILE),
    ]
    path.write_bytes(render_page(view(records, {1: facts(title=HOSTILE, good_at=None, findings=(HOSTILE,))})))
    window = open_page(path.as_uri())
    assert window.row_count() == 2
    assert window.page.title() == "Run report: canvas_backup_nightly"
    assert window.page.locator("img[src]").count() == 0
    assert HOSTILE in window.column(1)[0]
    assert window.complaints == []


def test_a_script_that_is_not_the_pages_own_is_refused(open_page: Any, tmp_path: Path) -> None:
    path = tmp_path / "foreign.html"
    path.write_bytes(
        render_page(night()).replace(b"<main>", b"<main><script>document.title = 'taken'</script>", 1)
    )
    window = open_page(path.as_uri())
    assert window.page.title() == "Run report: canvas_backup_nightly"
    assert any("Content Security Policy" in complaint for complaint in window.complaints)


def test_each_row_leads_to_canvas_its_task_its_copy_and_the_restore(
    open_page: Any, long_address: str
) -> None:
    window = open_page(long_address)
    find = window.page.get_by_label("Find", exact=True)
    find.fill("course:101")
    cell = window.page.locator("#rows tbody tr").locator("td.where")
    cell.get_by_text("Open").click()
    assert {link.inner_text(): link.get_attribute("href") for link in cell.get_by_role("link").all()} == {
        "Canvas": "https://canvas.example.edu/courses/101",
        "Task": "https://airflow.example.edu/dags/canvas_backup_nightly/runs/scheduled__2026-11-23/tasks/export",
        "Restore": "https://airflow.example.edu/dags/canvas_restore",
    }
    stem = "s3://campus-backups/canvas/courses/101/20261123T020000Z-common_cartridge-601"
    assert cell.locator("code").all_inner_texts() == [f"{stem}.imscc", f"{stem}.json"]
    find.fill("course:110 failed")
    cell.get_by_text("Open").click()
    assert "Package" not in cell.inner_text(), "it has none"


def test_days_in_the_table_are_those_of_the_backups_zone(open_page: Any, tmp_path: Any) -> None:
    late = replace(record(RecordKind.VERIFY, 1, "intact"), at=datetime(2026, 11, 21, 23, tzinfo=timezone.utc))
    path = tmp_path / "report.html"
    for zone, day in (("Asia/Tokyo", "2026-11-22"), ("UTC", "2026-11-21"), ("No/Where", "2026-11-21")):
        path.write_bytes(render_page(view([row(1)], {1: facts(verified=late)}, zone=zone)))
        assert open_page(path.as_uri()).column(7) == [f"{day}, intact (full)"]
