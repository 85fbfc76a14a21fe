"""The buttons of a task lead to pages that a person can read."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
from tests.support.airflow.task_runner import TaskRun

from canvas_exports.core.model.contexts import Context
from canvas_exports.operators.content_export import CanvasContentExportOperator
from canvas_exports.operators.links import CanvasLink, RunReportLink, context_url, report_url
from canvas_sandbox import Sandbox


def followed(canvas: Sandbox, folder: Path, courses: list[str]) -> str:
    """The page behind the Canvas button of an export of these courses, as a browser gets it."""
    task_run = TaskRun(
        lambda: CanvasContentExportOperator(
            task_id="export", courses=courses, archive=folder.as_uri(), poll_shortest=0.2
        ),
        {"canvas_default": {"conn_type": "canvas", "host": canvas.url, "password": canvas.token}},
    )
    assert task_run.run_segment() == "success"
    url = CanvasLink().get_link(task_run.operator, ti_key=None)
    answer = requests.get(url, headers={"Accept": "text/html"}, timeout=20)
    assert answer.status_code == 200, url
    assert answer.headers["Content-Type"].startswith("text/html")
    return answer.text


@pytest.mark.parametrize("course", ["101", "sis_course_id:BIO/101"])
def test_the_button_of_one_course_opens_that_course(canvas: Sandbox, tmp_path: Path, course: str) -> None:
    assert "<h1>Biology 101</h1>" in followed(canvas, tmp_path, [course])


def test_the_button_of_a_batch_opens_canvas(canvas: Sandbox, tmp_path: Path) -> None:
    assert "Biology 101" in followed(canvas, tmp_path, ["100", "101"])


def test_whatever_a_course_is_called_its_address_is_one() -> None:
    course = Context.parse("sis_course_id:MATH 2/201.A#1?é")
    url = context_url("https://canvas.example", course)
    assert url == "https://canvas.example/courses/sis_course_id:MATH%202%2F201%2EA%231%3F%C3%A9"


@pytest.mark.parametrize(
    ("archive", "opens"),
    [
        ("s3://campus-backups/canvas", True),
        ("gs://campus-backups/canvas", True),
        ("file:///srv/canvas", False),
        ("az://campus-backups/canvas", False),
        ("sftp://backup.example.edu/canvas", False),
    ],
)
def test_the_button_of_a_report_is_there_only_if_a_browser_opens_what_it_leads_to(
    archive: str, *, opens: bool
) -> None:
    task = SimpleNamespace(report_url=report_url(archive, "runs/2026-11-23/batches/export-0.json"))
    address = RunReportLink().get_link(task, ti_key=None)
    assert bool(address) is opens
    assert not opens or address.startswith("https://console.")


@pytest.mark.parametrize(
    "page", ["https://airflow.example.edu/canvas_exports/dags/x", "/canvas_exports/dags/x"]
)
def test_the_button_of_a_report_opens_the_page_in_airflow_with_and_without_a_base_url(page: str) -> None:
    assert RunReportLink().get_link(SimpleNamespace(report_url=page), ti_key=None) == page
