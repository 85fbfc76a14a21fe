from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.archives.outcomes import GONE, INCOMPLETE, NOON, record

from canvas_exports.core.archive.run_report import (
    Merger,
    OutcomeRecord,
    batch_document,
    records_of,
    run_document,
)
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.archive.sweep import Swept
from canvas_exports.core.model.alarm import MOST_ALARMS, Alarm, AlarmCode, AlarmScope
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.errors import ArchiveError

RUN = RunFacts("canvas_exports/1.0", "nightly", "manual__1", "export", 3, 1)


def document(*records: OutcomeRecord, minutes: int = 0) -> dict[str, Any]:
    start = NOON + timedelta(minutes=minutes)
    return batch_document(records, run=RUN, started_at=start, finished_at=start + timedelta(minutes=1))


def merge(documents: list[dict[str, Any]]) -> dict[str, Any]:
    """The run report of some batches."""
    merger = Merger()
    for each in documents:
        merger.add(each)
    report: dict[str, Any] = json.loads(
        run_document(merger.records(), run=RUN, started_at=merger.started_at, finished_at=merger.finished_at)
    )
    assert problem("run-report-1", report) is None
    return report


def test_a_batch_document_says_what_became_of_every_context_problems_first() -> None:
    made = document(record(2), record(10), GONE, record(1))
    assert problem("run-report-1", made) is None
    assert [row["context"] for row in made["outcomes"]] == ["course:9", "course:1", "course:2", "course:10"]
    assert made["totals"] == {
        "contexts": 4,
        "problems": 1,
        "bytes": 3 * 1_234_567,
        "outcomes": {"stored": 3, "gone": 1},
    }
    assert (made["started_at"], made["finished_at"]) == ("2026-11-23T12:00:00Z", "2026-11-23T12:01:00Z")


def test_rows_survive_the_document() -> None:
    assert records_of(document(GONE, record(1), INCOMPLETE)) == [GONE, INCOMPLETE, record(1)]


def test_merging_adds_batches_up() -> None:
    merged = merge([document(record(1), minutes=5), document(record(2), GONE)])
    assert merged["kind"] == "run"
    assert merged["totals"]["contexts"] == 3
    assert (merged["started_at"], merged["finished_at"]) == ("2026-11-23T12:00:00Z", "2026-11-23T12:06:00Z")
    assert merged["run"]["dag_id"] == "nightly"
    assert merged["run"]["task_id"] is None
    assert merged["run"]["map_index"] is None


def test_of_two_outcomes_of_one_context_the_later_counts_in_any_order() -> None:
    early = document(record(1, outcome="interrupted", finished_at=NOON))
    late = document(record(1, finished_at=NOON + timedelta(hours=1)))
    for documents in ([early, late], [late, early]):
        assert [row["outcome"] for row in merge(documents)["outcomes"]] == ["stored"]


def test_an_outcome_without_a_time_yields_to_one_with() -> None:
    timeless = document(record(1, outcome="interrupted", finished_at=None))
    for documents in ([timeless, document(record(1))], [document(record(1)), timeless]):
        assert [row["outcome"] for row in merge(documents)["outcomes"]] == ["stored"]


def test_two_export_types_of_one_context_are_two_outcomes() -> None:
    assert merge([document(record(1), record(1, export_type="zip"))])["totals"]["contexts"] == 2


def test_of_two_without_a_time_the_later_document_counts_in_any_order() -> None:
    early = document(record(1, outcome="interrupted", finished_at=None))
    late = document(record(1, finished_at=None), minutes=5)
    for documents in ([early, late], [late, early]):
        assert [row["outcome"] for row in merge(documents)["outcomes"]] == ["stored"]


def test_rows_survive_the_report_of_the_run() -> None:
    assert records_of(merge([document(record(1), INCOMPLETE), document(GONE)])) == [
        GONE,
        INCOMPLETE,
        record(1),
    ]


def test_what_was_swept_stands_in_the_report() -> None:
    swept = Swept(packages=1, uploads=2, bytes=7, keys=["courses/1/x.zip"]).to_json()
    report = json.loads(run_document([], run=RUN, started_at=None, finished_at=None, swept=swept))
    assert problem("run-report-1", report) is None
    assert report["swept"] == {**swept, "trouble": None}
    with pytest.raises(ValueError, match="not a run report"):
        run_document([], run=RUN, started_at=None, finished_at=None, swept={"packages": "many"})


def test_what_is_no_report_is_refused() -> None:
    with pytest.raises(ArchiveError, match="not a run report"):
        merge([{"outcomes": []}])
    with pytest.raises(ValueError, match="not a run report"):
        document(record(size=-1))


@pytest.mark.parametrize(
    "row",
    [
        7,
        {},
        {"context": "course:1"},
        {"size": "large"},
        {"problem": "yes"},
        {"reason": None},
        {"finished_at": "yesterday"},
        {"finished_at": 7},
    ],
)
def test_a_row_that_is_none_is_refused(row: Any) -> None:
    damaged = document(record(1))
    sound = damaged["outcomes"][0]
    whole = isinstance(row, dict) and len(row) == 1 and "context" not in row
    damaged["outcomes"] = [{**sound, **row} if whole else row]
    with pytest.raises(ArchiveError, match=r"not a run report: .*row"):
        merge([damaged])


@pytest.mark.parametrize("rows", [None, 7, "rows"])
def test_a_report_without_rows_is_refused(rows: Any) -> None:
    with pytest.raises(ArchiveError, match="not a run report"):
        merge([{**document(record(1)), "outcomes": rows}])


class TestAlarms:
    ALARM = Alarm(
        AlarmCode.COURSE_SHRANK.value,
        AlarmScope.COURSE.value,
        "pages: 60 of 120 are left",
        "look at the course",
        context="course:101",
        name="BIO-101",
        evidence={"before": {"pages": 120}, "after": {"pages": 60}},
    )

    def written(self, alarms: list[Alarm]) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(
            run_document([record(1)], run=RUN, started_at=NOON, finished_at=NOON, alarms=alarms)
        )
        assert problem("run-report-1", made) is None
        return made

    def test_they_survive_the_document(self) -> None:
        assert [Alarm.from_json(each) for each in self.written([self.ALARM])["alarms"]] == [self.ALARM]

    def test_a_report_without_any_has_no_such_field(self) -> None:
        assert "alarms" not in self.written([])

    def test_as_many_are_written_as_readers_of_the_head_read(self) -> None:
        few = self.written([self.ALARM] * (MOST_ALARMS + 1))
        many = self.written([replace(self.ALARM, sentence="pages " * 150)] * MOST_ALARMS)
        assert len(few["alarms"]) == MOST_ALARMS
        assert 0 < len(many["alarms"]) < MOST_ALARMS
        assert len(json.dumps(many["alarms"])) < 64 * 1024 - 8 * 1024

    def test_every_code_has_a_scope(self) -> None:
        assert {code.scope for code in AlarmCode} == set(AlarmScope)
