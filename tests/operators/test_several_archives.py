"""One batch, several archives: a night that one of them misses is not lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.airflow.export_task import CANVAS, exported, outcomes, packages
from tests.support.airflow.task_runner import NEEDS_STATE_STORE, TaskRun

from canvas_exports.errors import InputError
from canvas_exports.hooks.archive_replicas import named_archives
from canvas_exports.operators.content_export import CanvasContentExportOperator
from canvas_exports.operators.list_courses import CanvasListCoursesOperator
from canvas_exports.operators.run_report import CanvasRunReportOperator
from canvas_sandbox import Course, Sandbox, Switches


@pytest.fixture
def canvas() -> Any:
    with Sandbox([Course(id=100), Course(id=101)], switches=Switches(duration=0.2)) as sandbox:
        yield sandbox


def life_of(
    canvas: Sandbox, operator: Any, folders: list[Path], retries: int = 0, **arguments: Any
) -> TaskRun:
    connections = {CANVAS: {"conn_type": "canvas", "host": canvas.url, "password": canvas.token}}
    archives = {"archive": folders[0].as_uri(), "also_archives": [each.as_uri() for each in folders[1:]]}
    return TaskRun(lambda: operator(retries=retries, **archives, **arguments), connections, retries)


def export(canvas: Sandbox, folders: list[Path], retries: int = 0) -> TaskRun:
    return life_of(
        canvas,
        CanvasContentExportOperator,
        folders,
        retries,
        task_id="export",
        courses=["100", "101"],
        deferrable=True,
        poll_shortest=0.2,
        poll_longest=0.5,
    )


ALL = {"100": 1, "101": 1}


def test_each_archive_has_every_package_and_the_report(canvas: Sandbox, tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    task_run = export(canvas, folders)
    assert task_run.run_to_end() == "success"
    assert task_run.receipt["outcomes"] == {"stored": 2}
    assert [packages(folder) for folder in folders] == [ALL, ALL]
    assert [len(list(folder.glob("runs/**/batches/*.json"))) for folder in folders] == [1, 1]


@pytest.mark.parametrize(
    "at", [pytest.param(0, id="the first", marks=NEEDS_STATE_STORE), pytest.param(1, id="another")]
)
def test_an_archive_that_is_out_of_reach_costs_a_retry_and_no_export(
    canvas: Sandbox, tmp_path: Path, at: int
) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    folders[at].write_text("a file where the folder should be")
    task_run = export(canvas, folders, retries=1)
    assert task_run.run_to_end() == "up_for_retry"
    assert set(outcomes(task_run).values()) == {"degraded"}
    assert packages(folders[1 - at]) == ALL
    folders[at].unlink()
    task_run.retry()
    assert task_run.run_to_end() == "success"
    assert [packages(folder) for folder in folders] == [ALL, ALL]
    assert exported(canvas) == {100: 1, 101: 1}


def test_after_the_last_retry_it_fails_and_says_what_is_missing_where(
    canvas: Sandbox, tmp_path: Path
) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    folders[1].write_text("a file where the folder should be")
    task_run = export(canvas, folders)
    assert task_run.run_to_end() == "failed"
    assert "no whole copy in every archive (2 degraded)" in str(task_run.error)
    assert folders[1].as_uri() in str(task_run.checkpoint)


def test_where_no_archive_can_be_written_to_nothing_is_created(canvas: Sandbox, tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.write_text("a file where the folder should be")
    assert export(canvas, folders).run_to_end() == "failed"
    assert canvas.exports == []


def test_the_plan_and_the_report_of_a_run_need_only_one_archive(canvas: Sandbox, tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    folders[0].write_text("a file where the folder should be")
    listing = life_of(canvas, CanvasListCoursesOperator, folders, task_id="list", courses=["100", "101"])
    assert listing.run_to_end() == "success"
    batches = listing.receipt
    report = life_of(
        canvas, CanvasRunReportOperator, folders, task_id="report", batches=batches, fail_on="never"
    )
    folders[0].unlink()
    assert report.run_to_end() == "success"
    for folder in folders:
        assert len(list(folder.glob("runs/**/plan/0.jsonl"))) == 1
        assert len(list(folder.glob("runs/**/report.json"))) == 1


@pytest.mark.parametrize(
    ("also", "problem"),
    [
        (7, "not a list"),
        ([7], "names no archive"),
        ([{"archive_conn_id": "x"}], "names no archive"),
        ([{"archive": "gs://b", "conn": "x"}], "names no archive"),
        (["s3://bucket/canvas/"], "named twice"),
    ],
)
def test_what_is_no_archive_is_refused(also: Any, problem: str) -> None:
    with pytest.raises(InputError, match=f"also_archives: .*{problem}"):
        named_archives("s3://bucket/canvas", None, also)


def test_an_archive_without_a_connection_has_that_of_the_first() -> None:
    also = ["gs://b", {"archive": "az://c", "archive_conn_id": "azure"}]
    assert named_archives("s3://a", "aws", also) == [
        ("s3://a", "aws"),
        ("gs://b", "aws"),
        ("az://c", "azure"),
    ]
