"""A message says at once whether somebody has to act, and whom it is about."""

from __future__ import annotations

from hypothesis import given
from tests.support.reports.page_reader import Reader, texts
from tests.support.reports.page_reader import run_with as run
from tests.support.reports.run_views import facts, night, row, view

from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.reports.message import MOST_NAMED, message, missing_report

URL = "https://airflow.example.edu/canvas_exports/dags/a/tasks/report/runs/b"


def test_a_subject_tells_whether_to_open_it() -> None:
    assert message(night()).subject == "canvas_backup_nightly: 5 of 40 exports without a good copy"
    assert message(view([row(1), row(2)])).subject == "canvas_backup_nightly: all 2 exports ended well"
    degraded = message(view([row(1), row(2, Outcome.DEGRADED)])).subject
    assert degraded == "canvas_backup_nightly: 1 of 2 exports without a good copy in every archive"
    assert message(view([])).subject == "canvas_backup_nightly: nothing was exported"


def test_it_names_those_that_need_a_person_without_any_good_copy_first() -> None:
    told = message(night(), url=URL)
    places = [told.text.index(f"course:{number}") for number in (2232, 2078, 2022)]
    assert places == sorted(places)
    assert "course:2001" not in told.text
    for words in (told.text, Reader(told.html.encode()).words):
        assert "Canvas reported the export as failed (after 3 exports)" in words
        assert Outcome.DENIED.next_step in words
    assert told.text.endswith(f"{URL}\n")
    assert f'href="{URL}"' in told.html
    assert told.problems == 5


def test_it_stays_short() -> None:
    lost = [row(number, Outcome.GONE) for number in range(1, 5001)]
    told = message(view(lost, {1: facts(good_at=None)}))
    assert f"and {5000 - MOST_NAMED:,} more" in told.text
    assert len(told.text) < 10_000
    assert len(told.html) < 15_000


@given(texts)
def test_no_text_breaks_out_of_the_mail(text: str) -> None:
    hostile, plain = message(run(text)), message(run("plain"))
    if text.strip():
        assert Reader(hostile.html.encode(errors="replace")).skeleton == Reader(plain.html.encode()).skeleton
    assert "\n" not in hostile.subject


def test_without_a_report_the_reason_is_reported() -> None:
    told = missing_report("nightly", "run", "the archive denies access")
    assert told.subject == "nightly: no report"
    assert "This run has no report: the archive denies access" in told.text
    assert told.problems == 1
