"""Every row in a spreadsheet, none of them a formula."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from tests.support.reports.run_views import DAY, NOW, facts, record, row, view

from canvas_exports.core.archive.records import RecordKind
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.reports.page.csv_table import COLUMNS, csv_table, harmless
from canvas_exports.core.reports.page.view import RunView

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n@a",
    "  =cmd|' /C calc'!A0",
    "\uff1d1",
    '",=1',
    "\x00=1",
    "a\r\n=1",
]
texts = st.one_of(st.sampled_from(FORMULAS), st.text(st.characters(), max_size=60))


def read(run: RunView) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_table(run).decode("utf-8-sig"), newline="")))


@given(texts, texts, texts)
def test_no_text_breaks_out_of_its_cell_or_becomes_a_formula(name: str, reason: str, title: str) -> None:
    run = view([row(1, Outcome.GONE, name=name, reason=reason), row(2)], {1: facts(title=title)})
    rows = read(run)
    assert [each["context"] for each in rows] == ["course:1", "course:2"]
    for each in rows:
        assert list(each) == list(COLUMNS), "no cell more, no cell less"
        for cell in each.values():
            assert not cell.startswith(tuple("=+-@\t\r\n \uff1d\uff0b\uff0d\uff20"))
            assert "\n" not in cell
            assert "\r" not in cell
            assert "\x00" not in cell


@given(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=40))
def test_an_ordinary_text_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


def test_every_row_is_there_with_all_that_is_known() -> None:
    verified, drilled = record(RecordKind.VERIFY, 3, "intact"), record(RecordKind.DRILL, 9, "passed")
    known = {1: facts(verified=verified, drilled=drilled), 3: facts(good_at=None)}
    lost = [row(2, Outcome.FAILED), row(3, Outcome.DENIED)]
    by_context = {each["context"]: each for each in read(view([row(1), *lost], known))}
    first = by_context["course:1"]
    assert (first["good_copy"], first["good_copy_at"]) == ("yes", "2026-11-23T03:00:00Z")
    assert (first["last_verified_at"], first["last_verification"]) == ("2026-11-20T03:00:00Z", "full intact")
    assert (first["last_restored_at"], first["last_restore"]) == ("2026-11-14T03:00:00Z", "full passed")
    assert (first["size_bytes"], first["seconds"], first["problem"]) == ("1000", "1.0", "no")
    assert by_context["course:2"]["good_copy"] == "", "nobody looked"
    assert by_context["course:3"]["good_copy"] == "no"
    assert by_context["course:3"]["next_step"] == Outcome.DENIED.next_step


def test_a_run_of_any_size_is_there_as_a_whole() -> None:
    assert len(read(view([row(number) for number in range(1, 12_001)]))) == 12_000


def test_a_spreadsheet_sees_that_it_is_utf8() -> None:
    written = csv_table(view([row(1, name="Überblick")], finished_at=NOW))
    assert written.startswith(b"\xef\xbb\xbf")
    assert "Überblick" in written.decode()


def test_a_promise_is_told_of_each_course_also_of_those_whose_copies_were_not_checked() -> None:
    rows = [
        row(1),
        row(2, Outcome.UNCHANGED),
        row(3, Outcome.FAILED),
        row(4, Outcome.FAILED),
        row(5, Outcome.EMPTY),
    ]
    checked = {3: facts(good_at=NOW - 3 * DAY), 4: facts(good_at=NOW - DAY)}
    promised = replace(view(rows, checked), max_age=2 * DAY)
    told = {record.context: promised.keeps_promise(record) for record in promised.records}
    assert told == {"course:1": True, "course:2": True, "course:3": False, "course:4": True, "course:5": None}
    assert promised.promise == "2 days; kept for 3, missed for 1, not checked for 1"
    assert [cells["promise"] for cells in read(promised)].count("kept") == 3
