from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canvas_exports.core.archive.merging import Merger
from canvas_exports.core.archive.run_report import (
    MOST_ROWS,
    OutcomeRecord,
    batch_document,
    records_of,
    run_document,
    table,
)
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.archive.sweep import Swept
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.errors import ArchiveError

NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
RUN = RunFacts("canvas_exports/1.0", "nightly", "manual__1", "export", 3, 1)


def record(course: int = 101, **changes: Any) -> OutcomeRecord:
    known: dict[str, Any] = {
        "context": f"course:{course}",
        "export_type": "common_cartridge",
        "outcome": "stored",
        "reason": "proven whole",
        "name": "Biology",
        "export_id": 500 + course,
        "key": f"courses/{course}/20261123T020000Z-common_cartridge-{500 + course}.imscc",
        "size": 1_234_567,
        "seconds": 42.4,
        "finished_at": NOON,
    }
    return OutcomeRecord(**(known | changes))


GONE = record(
    9,
    outcome="gone",
    reason="Canvas says this course does not exist",
    next_step="remove it from the list, or restore the course",
    problem=True,
    size=None,
    key=None,
    seconds=None,
)
INCOMPLETE = record(
    10, outcome="incomplete", reason="2 files are missing", findings="2 files missing", problem=True
)


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


def test_a_run_without_batches_has_a_report_too() -> None:
    merged = merge([])
    assert merged["totals"] == {"contexts": 0, "problems": 0, "bytes": 0, "outcomes": {}}
    assert merged["outcomes"] == []


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


def test_the_table_puts_problems_first_and_lines_up() -> None:
    text = table([record(101), INCOMPLETE, GONE])
    lines = text.splitlines()
    assert lines[0].split() == ["CONTEXT", "OUTCOME", "SIZE", "TIME", "DETAIL"]
    assert [line.split()[0] for line in lines[2:5]] == ["course:9", "course:10", "course:101"]
    detail = lines[0].index("DETAIL")
    assert lines[2][detail:] == "Canvas says this course does not exist"
    assert lines[3][detail:] == "2 files are missing; 2 files missing"
    assert lines[4][detail:].startswith("courses/101/")
    assert "1.2 MB" in lines[3]
    assert "42 s" in lines[3]
    assert lines[6] == "3 exports: 1 gone, 1 incomplete, 1 stored; 2.5 MB stored"
    assert lines[7] == "course:9: remove it from the list, or restore the course"


def test_the_table_names_export_types_where_there_are_several() -> None:
    several = [record(101), replace(record(101), export_type="zip")]
    assert table(several).splitlines()[0].split()[:3] == ["CONTEXT", "TYPE", "OUTCOME"]


def test_a_next_step_is_said_once_for_all_it_is_for() -> None:
    records = [record(number, next_step="ask for the right", problem=True) for number in range(1, 9)]
    assert table(records).splitlines()[-1] == (
        "course:1, course:2, course:3, course:4, course:5 and 3 more: ask for the right"
    )


def test_the_table_of_a_large_run_is_cut_and_its_totals_are_not() -> None:
    records = [record(number) for number in range(1, MOST_ROWS + 1001)]
    lines = table([*records, GONE]).splitlines()
    assert len(lines) < MOST_ROWS + 10
    assert "course:9" in lines[2]
    assert "and 1,001 more, all of which are in the report" in lines
    assert any(line.startswith(f"{MOST_ROWS + 1001:,} exports: ") for line in lines)


def test_the_table_of_nothing_says_so() -> None:
    assert table([]).splitlines()[-1] == "0 exports: nothing to do; 0 B stored"


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_949, "99.9 kB"),
        (99_960, "100 kB"),
        (5 * 10**9, "5.0 GB"),
        (10**16, "10000 TB"),
    ],
)
def test_sizes_are_short(size: int, shown: str) -> None:
    assert shown in table([record(size=size)]).splitlines()[2]


ROWS = st.builds(
    OutcomeRecord,
    context=st.from_regex(r"course:[0-9]{1,19}", fullmatch=True),
    export_type=st.sampled_from(["common_cartridge", "qti", "zip"]),
    outcome=st.sampled_from(["stored", "gone", "interrupted"]),
    reason=st.text("ab ", max_size=300),
    next_step=st.none() | st.text("ab ", min_size=1, max_size=300),
    problem=st.booleans(),
    name=st.none() | st.text("ab é", max_size=100),
    size=st.none() | st.integers(0, 10**15),
    findings=st.none() | st.text("ab", max_size=300),
    seconds=st.none() | st.floats(0, 10**7),
)


@settings(max_examples=60)
@given(rows=st.lists(ROWS, max_size=6), width=st.integers(100, 200))
def test_no_line_is_wider_than_asked_for(rows: list[OutcomeRecord], width: int) -> None:
    lines = table(rows, width=width).splitlines()
    assert all(len(line) <= width for line in lines)
    assert len(lines) >= len(rows) + 4
