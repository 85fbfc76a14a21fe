"""An alarm is told wherever a run is told, and whatever it says breaks out of nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from tests.support.archives.alarms import FULL, NOTHING, lay_nights
from tests.support.reports.page_reader import Reader, texts
from tests.support.reports.run_views import row, view

from canvas_exports.core.archive.alarms.open_alarms import open_alarms
from canvas_exports.core.archive.catalog.runs import summary_of
from canvas_exports.core.export.engine.items import Item, State
from canvas_exports.core.model.alarm import Alarm
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.model.runs import RunInfo
from canvas_exports.core.reports import run_report
from canvas_exports.core.reports.message import MOST_NAMED, message
from canvas_exports.core.reports.page.run_page import render_page
from canvas_exports.core.reports.run_report import gather_run_report, store_batch_report
from canvas_exports.core.reports.run_table import table
from canvas_exports.core.storage.local import FileStore

LOST = Alarm(
    "course_shrank",
    "course",
    "The course lost more than it should: 20 of 40 pages are left.",
    "Look at the course in Canvas.",
    context="course:7",
    name="BIO-7",
)
TOGETHER = Alarm(
    "many_courses", "run", "12 courses of this run have alarms at once.", "Look for one cause first."
)


def run(*alarms: Alarm, **values: Any) -> Any:
    return replace(view([row(1), row(7)]), alarms=alarms, **values)


def test_the_message_has_sentence_and_next_step_and_its_subject_says_so() -> None:
    told = message(run(LOST))
    assert told.subject == "canvas_backup_nightly: all 2 exports ended well, 1 alarm"
    assert (told.problems, told.alarms) == (0, 1)
    for words in (told.text, Reader(told.html.encode()).words):
        assert "course:7 BIO-7" in words
        assert LOST.sentence in words
        assert LOST.next_step in words


def test_one_cause_is_one_message() -> None:
    told = message(run(TOGETHER, *[LOST] * 12))
    assert told.alarms == 1
    assert TOGETHER.sentence in told.text
    assert LOST.sentence not in told.text


def test_the_verdict_names_what_is_about_the_whole_run_and_counts_the_rest() -> None:
    good = "Each of the 2 exports of this run ended well."
    assert run(LOST).verdict == f"{good} There is 1 alarm."
    assert run(TOGETHER, *[LOST] * 12).verdict == f"{good} {TOGETHER.sentence}"
    shrank = replace(TOGETHER, code="list_shrank", sentence="The list lost 5.")
    assert run(shrank, LOST, LOST).verdict == f"{good} The list lost 5. There are 2 further alarms."
    assert run().verdict == good


def test_many_alarms_stay_short() -> None:
    told = message(run(*[LOST] * 90))
    assert f"and {90 - MOST_NAMED} more alarms" in told.text
    assert len(told.text) < 10_000


def test_the_note_counts_them() -> None:
    assert run(LOST).note == "2 of 2 good; 1 alarm"


def test_the_table_lists_them_below() -> None:
    printed = table([row(1)], alarms=[LOST], width=80)
    assert "Alarm, course:7 BIO-7: The course lost more" in printed
    assert max(map(len, printed.splitlines())) <= 80
    assert "and 80 more alarms" in table([row(1)], alarms=[LOST] * 100)


def test_the_page_shows_them_first() -> None:
    words = Reader(render_page(run(LOST))).words
    assert words.index(LOST.sentence) < words.index("Without a good copy")
    assert "Alarms" not in Reader(render_page(run())).words


def test_the_page_says_what_was_not_judged() -> None:
    why = "Not every course was judged: the archive cannot be reached"
    assert why in Reader(render_page(run(not_judged=why))).words


@given(texts)
def test_no_text_of_an_alarm_breaks_out(text: str) -> None:
    hostile = replace(LOST, sentence=text, next_step=text, context=f"course:{text}", name=text or None)
    plain = replace(LOST, name="x" if text else None)
    assert Reader(render_page(run(hostile))).skeleton == Reader(render_page(run(plain))).skeleton
    assert (
        Reader(message(run(hostile)).html.encode()).skeleton
        == Reader(message(run(plain)).html.encode()).skeleton
    )


class TestAReport:
    RUN = RunInfo("nightly", "scheduled__1", "export", date(2026, 11, 2), map_index=0, try_number=1)

    @pytest.fixture
    def store(self, tmp_path: Path) -> FileStore:
        return FileStore(tmp_path.as_uri(), tmp_path)

    def gathered(self, store: FileStore) -> run_report.RunReport:
        _, after = lay_nights(store, FULL, NOTHING)
        item = Item("course:101", "common_cartridge", State.READY, key=after.package.key, export_id=501)
        item.end(Outcome.EMPTY, None)
        store_batch_report(store, [item], self.RUN, started_at=1.7e9)
        return gather_run_report(store, self.RUN, [("course:101", "common_cartridge")])

    def test_judges_its_courses_and_holds_what_was_there_before(
        self, store: FileStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("canvas_exports.core.archive.alarms.hold_copies.LATE", timedelta(days=36500))
        found = self.gathered(store)
        (alarm,) = found.view.alarms
        assert alarm.code == "course_emptied"
        assert summary_of(store, found.receipt.report).alarms == (alarm,)
        assert [each.alarm for each in open_alarms(store)] == [alarm]
        assert "was emptied" in found.table
        assert b"was emptied" in found.page
        assert json.loads(store.read(found.receipt.report))["alarms"][0]["context"] == "course:101"

    def test_is_written_although_judging_fails(
        self, store: FileStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> None:
            raise RuntimeError("a mistake of the program")

        monkeypatch.setattr("canvas_exports.core.archive.alarms.after_run.judge_course", broken)
        found = self.gathered(store)
        assert found.view.alarms == ()
        assert found.view.not_judged.startswith("Not every course was judged")
        assert store.stat(found.receipt.report) is not None
