"""A night in which nothing has changed: what Canvas is asked, counted by the sandbox, from the list to the report."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import BaseOperator
from tests.support.airflow.task_runner import TaskRun

from canvas_exports.operators.content_export import CanvasContentExportOperator
from canvas_exports.operators.list_courses import CanvasListCoursesOperator
from canvas_exports.operators.run_report import CanvasRunReportOperator
from canvas_sandbox import Course, NewQuizzes, Sandbox, Switches
from canvas_sandbox.content.edit_kinds import EditKind

COURSES = 60
MOST_REQUESTS = 0.3  # for a course that has not changed
LARGE = 130  # files: more than one page of GraphQL


@pytest.fixture
def campus() -> Iterator[Sandbox]:
    courses = [
        Course(id=number, size=1_000, files=LARGE if number % 3 == 0 else None)
        for number in range(100, 100 + COURSES)
    ]
    switches = Switches(job_workers=20, duration=0.1, new_quizzes=NewQuizzes.NONE)
    with Sandbox(courses, switches=switches) as sandbox:
        yield sandbox


class Nights:
    """The tasks of a backup of the whole account, night after night."""

    def __init__(self, canvas: Sandbox, folder: Path) -> None:
        self.canvas = canvas
        self.folder = folder
        self.count = 0

    def night(self) -> tuple[Counter[str], Counter[str]]:
        """The outcomes of the next night, and what Canvas was asked during it."""
        self.count += 1
        self.canvas.advance(86_400)
        before = len(self.canvas.requests)
        listed = self._task(CanvasListCoursesOperator, account="1", batch_size=COURSES, skip_unchanged="P7D")
        for batch in listed:
            self._task(
                CanvasContentExportOperator,
                courses=batch,
                skip_unchanged="P7D",
                deferrable=False,
                poll_shortest=0.2,
            )
        self._task(CanvasRunReportOperator, batches=listed, fail_on="never")
        (path,) = self.folder.glob(f"runs/*/*/*night-{self.count}*/report.json")
        report = json.loads(path.read_text())
        asked = Counter(
            f"{each.method} {each.path}"
            for each in self.canvas.requests[before:]
            if each.listener == "canvas"
        )
        return Counter(row["outcome"] for row in report["outcomes"]), asked

    def _task(self, operator: type[BaseOperator], **arguments: Any) -> Any:
        connections = {
            "canvas_default": {"conn_type": "canvas", "host": self.canvas.url, "password": self.canvas.token}
        }
        values = {"task_id": operator.__name__, "archive": self.folder.as_uri(), **arguments}
        task = TaskRun(lambda: operator(**values), connections, run_id=f"night-{self.count}")
        assert task.run_to_end() == "success"
        return task.receipt


def test_an_unchanged_course_costs_canvas_less_than_a_third_of_a_request(
    campus: Sandbox, tmp_path: Path
) -> None:
    nights = Nights(campus, tmp_path)
    assert nights.night()[0] == {"stored": COURSES}
    outcomes, asked = nights.night()
    assert outcomes == {"unchanged": COURSES}
    assert not any("content_exports" in request for request in asked)
    assert asked["POST /api/graphql"] == COURSES / 10
    assert asked.total() <= MOST_REQUESTS * COURSES, asked
    manifests = [json.loads(path.read_text()) for path in tmp_path.glob("courses/100/*.json")]
    assert {manifest["probe"]["source"] for manifest in manifests} == {"list"}


def test_only_what_changed_is_exported(campus: Sandbox, tmp_path: Path) -> None:
    nights = Nights(campus, tmp_path)
    nights.night()
    campus.advance(3600)
    for number, kind in (
        (101, EditKind.PAGE_SAVED),
        (102, EditKind.MODULE_ITEM_REMOVED),
        (103, EditKind.RUBRIC_EDITED),
    ):
        campus.make_edit(number, kind)
    outcomes, asked = nights.night()
    assert outcomes == {"stored": 3, "unchanged": COURSES - 3}
    exports = {request for request in asked if request.startswith("POST") and "content_exports" in request}
    assert exports == {f"POST /api/v1/courses/{number}/content_exports" for number in (101, 102, 103)}
