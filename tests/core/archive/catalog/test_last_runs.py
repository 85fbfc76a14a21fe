"""The last runs of a DAG, with few requests."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.support.archives.counting_store import Counting
from tests.support.archives.run_reports import NIGHT, outcome, report

from canvas_exports.core.archive.catalog.last_runs import MOST_DAYS, MOST_RUNS, last_runs
from canvas_exports.core.archive.catalog.runs import RunSummary

ONE = timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Counting:
    return Counting(tmp_path)


def ended(run: RunSummary) -> datetime:
    assert run.finished_at is not None
    return run.finished_at


def test_the_runs_of_this_dag_oldest_first(store: Counting) -> None:
    report(store, outcome("course:1", "stored"), outcome("course:2", "gone"), day=NIGHT - ONE)
    report(store, outcome("course:1", "stored"), day=NIGHT)
    report(store, outcome("course:1", "stored"), day=NIGHT, dag_id="another")
    report(store, outcome("course:1", "stored"), day=NIGHT + ONE)
    found = last_runs(store, dag_id="nightly", day=NIGHT).summaries
    assert [(ended(run).date(), run.contexts, run.problems, run.bytes) for run in found] == [
        (NIGHT - ONE, 2, 1, 9),
        (NIGHT, 1, 0, 9),
    ]


def test_several_runs_of_one_day_are_all_there(store: Counting) -> None:
    for name in ("a", "b"):
        report(store, outcome("course:1", "stored"), run_id=name)
    assert [run.run_id for run in last_runs(store, dag_id="nightly", day=NIGHT).summaries] == ["a", "b"]


def test_at_most_thirty_and_few_requests(store: Counting) -> None:
    for back in range(70):
        report(store, outcome("course:1", "stored"), day=NIGHT - back * ONE)
    found = last_runs(store, dag_id="nightly", day=NIGHT).summaries
    assert len(found) == MOST_RUNS
    assert ended(found[0]).date() == NIGHT - (MOST_RUNS - 1) * ONE
    assert len(store.listed) == len(store.got) == 31, "a month of nights, and the head of each report"


def test_a_weekly_backup_is_looked_for_over_three_months(store: Counting) -> None:
    for week in range(20):
        report(store, outcome("course:1", "stored"), day=NIGHT - 7 * week * ONE)
    assert len(last_runs(store, dag_id="nightly", day=NIGHT).summaries) == 1 + (MOST_DAYS - 1) // 7
    assert len(store.listed) == MOST_DAYS


def test_a_report_that_cannot_be_read_is_left_out(store: Counting) -> None:
    key = report(store, outcome("course:1", "stored"), day=NIGHT - ONE)
    store.replace(key, b"half a docum")
    report(store, outcome("course:1", "stored"))
    assert len(last_runs(store, dag_id="nightly", day=NIGHT).summaries) == 1


def test_nothing_else_of_a_run_is_read(store: Counting) -> None:
    key = report(store, outcome("course:1", "stored"))
    store.replace(key.replace("report.json", "batches/report.json"), b"{}")
    store.replace(key.replace("report.json", "report.html"), b"")
    last_runs(store, dag_id="nightly", day=NIGHT)
    assert store.got == [key]


def test_a_run_that_left_documents_and_no_report_is_named(store: Counting) -> None:
    report(store, outcome("course:1", "stored"))
    folder = f"runs/{NIGHT - ONE}/nightly/killed/"
    store.replace(f"{folder}batches/export-0.json", b"{}")
    assert last_runs(store, dag_id="nightly", day=NIGHT).without_report == {folder}
