from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.airflow.task_runner import TaskRun
from tests.support.exports.batch_reports import batch

from canvas_exports.core.archive.key_patterns import KeyPatterns
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import ObjectInfo
from canvas_exports.errors import ArchiveUnavailableError
from canvas_exports.observability import alarm_gauges, promise_gauges
from canvas_exports.operators.run_report import CanvasRunReportOperator
from canvas_exports.operators.task_support import report_xcom
from canvas_exports.operators.task_support.report_xcom import PAGE_XCOM, unpack


def task(folder: Path, **arguments: Any) -> TaskRun:
    return TaskRun(
        lambda: CanvasRunReportOperator(task_id="report", archive=folder.as_uri(), **arguments), {}
    )


def report(folder: Path) -> dict[str, str]:
    (path,) = folder.glob("runs/2026-11-23/**/report.json")
    return {row["context"]: row["outcome"] for row in json.loads(path.read_text())["outcomes"]}


def test_the_batches_become_one_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    batch(tmp_path, 0, c1=Outcome.STORED, c2=Outcome.EMPTY)
    batch(tmp_path, 1, c3=Outcome.STORED)
    task_run = task(tmp_path, batches=[["course:1", "course:2"], ["course:3"]])
    assert task_run.run_segment() == "success"
    assert report(tmp_path) == {"course:1": "stored", "course:2": "empty", "course:3": "stored"}
    assert task_run.receipt["outcomes"] == {"stored": 2, "empty": 1}
    assert task_run.receipt["bytes"] == 30
    assert "OUTCOME" in capsys.readouterr().out


def test_a_context_that_no_task_reported_is_interrupted(tmp_path: Path) -> None:
    batch(tmp_path, 0, c1=Outcome.STORED)
    task_run = task(tmp_path, batches=[["course:1"], ["course:2"]], fail_on="never")
    assert task_run.run_segment() == "success"
    assert report(tmp_path) == {"course:1": "stored", "course:2": "interrupted"}


def test_the_page_and_the_table_name_the_batch_of_a_context_even_if_its_task_died(tmp_path: Path) -> None:
    task_run = task(tmp_path, batches=[["course:1", "course:2"], ["course:3"]], fail_on="never")
    assert task_run.run_segment() == "success"
    (table,) = tmp_path.rglob("report.csv")
    rows = list(csv.DictReader(table.read_text(encoding="utf-8-sig").splitlines()))
    assert {row["context"]: row["batch"] for row in rows} == {
        "course:1": "course:1 and 1 more",
        "course:2": "course:1 and 1 more",
        "course:3": "course:3",
    }
    (page,) = tmp_path.rglob("report.html")
    assert '"course:1 and 1 more"' in page.read_text(encoding="utf-8")


def test_without_any_batch_there_is_still_a_report(tmp_path: Path) -> None:
    task_run = task(tmp_path, batches=None)
    assert task_run.run_segment() == "success"
    assert report(tmp_path) == {}


def test_the_failure_policy_judges_the_whole_run_without_a_retry(tmp_path: Path) -> None:
    batch(tmp_path, 0, c1=Outcome.STORED, c2=Outcome.GONE)
    task_run = task(tmp_path, fail_on="25%")
    task_run.max_tries = 3
    assert task_run.run_segment() == "failed"
    assert "1 of 2 exports have no whole copy (1 gone)" in str(task_run.error)
    assert report(tmp_path) == {"course:1": "stored", "course:2": "gone"}, "the report is complete either way"


def test_run_again_it_replaces_its_report(tmp_path: Path) -> None:
    batch(tmp_path, 0, c1=Outcome.INTERRUPTED)
    task(tmp_path, fail_on="never").run_segment()
    batch(tmp_path, 0, c1=Outcome.STORED)
    task(tmp_path).run_segment()
    assert report(tmp_path) == {"course:1": "stored"}


def test_a_bad_policy_is_named(tmp_path: Path) -> None:
    task_run = task(tmp_path, fail_on="maybe")
    assert task_run.run_segment() == "failed"
    assert "fail_on" in str(task_run.error)


def test_a_page_too_large_for_an_xcom_is_linked_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_xcom, "MOST_CARRIED", 10)
    task_run = task(tmp_path, batches=[])
    assert task_run.run_segment() == "success"
    assert PAGE_XCOM not in task_run.supervisor.xcoms
    assert str(getattr(task_run.operator, "report_url", None)).endswith("/report.html")


def test_page_and_table_lie_beside_the_report_and_are_ours(tmp_path: Path) -> None:
    batch(tmp_path, 0, c1=Outcome.STORED, c2=Outcome.GONE)
    task(tmp_path, fail_on="never").run_segment()
    (folder,) = tmp_path.glob("runs/2026-11-23/*/*")
    assert {path.name for path in folder.glob("report.*")} == {"report.json", "report.csv", "report.html"}
    assert all(KeyPatterns().owns(path.relative_to(tmp_path).as_posix()) for path in folder.glob("report.*"))
    assert "1 of 2 exports ended without a good copy" in (folder / "report.html").read_text()
    assert (folder / "report.csv").read_text("utf-8-sig").count("course:") == 2


def test_an_archive_that_fails_while_it_is_looked_at_still_gets_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = FileStore.list

    def failing(store: FileStore, prefix: str = "") -> Iterator[ObjectInfo]:
        if prefix.startswith("courses/") or ("/campus_backup/" in prefix and prefix.count("/") == 3):
            raise ArchiveUnavailableError("the disk is gone")
        return listing(store, prefix)

    batch(tmp_path, 0, c1=Outcome.STORED)
    monkeypatch.setattr(FileStore, "list", failing)
    task_run = task(tmp_path, sweep_after="never")
    assert task_run.run_segment() == "success"
    (page,) = tmp_path.glob("runs/**/report.html")
    assert "were not checked: the disk is gone" in page.read_text()
    assert report(tmp_path) == {"course:1": "stored"}


def test_the_link_leads_to_the_report(tmp_path: Path) -> None:
    task_run = task(tmp_path, batches=[])
    task_run.run_segment()
    link = task_run.supervisor.xcoms["_link_RunReportLink"]
    assert link.endswith("/canvas_exports/dags/campus_backup/tasks/report/runs/manual__2026-11-23")
    assert (
        unpack(task_run.supervisor.xcoms[PAGE_XCOM])
        == next(tmp_path.glob("runs/**/report.html")).read_bytes()
    )


def test_a_promise_is_recorded_shown_and_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: dict[str, tuple[float, object]] = {}

    class Stats:
        def gauge(self, stat: str, value: float, *, tags: object = None) -> None:
            sent[stat] = (value, tags)

    monkeypatch.setattr(promise_gauges, "task_stats", Stats())
    batch(tmp_path, 0, c1=Outcome.STORED, c2=Outcome.GONE)
    assert task(tmp_path, fail_on="never", max_age="P2D").run_segment() == "success"
    (document,) = tmp_path.glob("runs/**/report.json")
    assert json.loads(document.read_bytes())["max_age"] == "P2D"
    page = document.with_name("report.html").read_text()
    assert "2 days; kept for 1, missed for 1" in page
    rows = list(csv.DictReader(document.with_name("report.csv").read_text("utf-8-sig").splitlines()))
    assert {row["context"]: row["promise"] for row in rows} == {"course:1": "kept", "course:2": "missed"}
    tags = {"dag_id": "campus_backup"}
    assert sent == {
        "canvas_exports.promises.kept": (1, tags),
        "canvas_exports.promises.missed": (1, tags),
    }


def test_the_number_of_alarms_is_measured_also_when_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: dict[str, tuple[float, object]] = {}

    class Stats:
        def gauge(self, stat: str, value: float, *, tags: object = None) -> None:
            sent[stat] = (value, tags)

    monkeypatch.setattr(alarm_gauges, "task_stats", Stats())
    batch(tmp_path, 0, c1=Outcome.STORED)
    assert task(tmp_path).run_segment() == "success"
    assert sent == {"canvas_exports.alarms": (0, {"dag_id": "campus_backup"})}


def test_without_a_promise_nothing_of_it_is_shown_or_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promise_gauges, "task_stats", None)
    batch(tmp_path, 0, c1=Outcome.STORED)
    assert task(tmp_path).run_segment() == "success"
    (document,) = tmp_path.glob("runs/**/report.json")
    assert "max_age" not in json.loads(document.read_bytes())
    assert "promised" not in document.with_name("report.html").read_text().partition("<script")[0]
