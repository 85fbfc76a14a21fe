"""Drills under Airflow's own task runner: the draw, and one drill."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.airflow.task_runner import TaskRun
from tests.support.exports.restore_rig import back_up, imports

from canvas_exports.core.canvas.api.migrations import MigrationRequest, MigrationType, PackageFile
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.storage.local import FileStore
from canvas_exports.operators.drill import CanvasDrawDrillsOperator, CanvasRestoreDrillOperator
from canvas_sandbox import Course, Fault, Sandbox, Switches
from canvas_sandbox.faults import FaultCounter

COPIES = (101, 102, 103)


@pytest.fixture
def canvas(tmp_path: Path) -> Iterator[Sandbox]:
    """Three courses with proven copies, and courses of every kind to restore into."""
    courses = [
        *(Course(id=number, name=f"Biology {number}", size=20_000) for number in COPIES),
        Course(id=300, sis_course_id="DRILL-1", state="claimed", size=0),
        Course(id=301, state="created", size=0),
        Course(id=302, state="available", size=0),
        Course(id=303, state="claimed", size=20_000),
        Course(id=304, state="claimed", size=0, faults=[Fault.IMPORT_STUCK]),
    ]
    switches = Switches(job_workers=20, duration=0.3, import_duration=0.3, throttle=False)
    with Sandbox(courses, switches=switches) as sandbox:
        with CanvasClient(sandbox.url, sandbox.token) as client:
            for number in COPIES:
                back_up(client, FileStore(tmp_path.as_uri(), tmp_path), number)
        yield sandbox


def task_run(operator: Any, canvas: Sandbox, retries: int = 0, **arguments: Any) -> TaskRun:
    connections = {"canvas_default": {"conn_type": "canvas", "host": canvas.url, "password": canvas.token}}
    return TaskRun(lambda: operator(task_id="task", retries=retries, **arguments), connections, retries)


def draw(canvas: Sandbox, folder: Path, **arguments: Any) -> TaskRun:
    task = task_run(CanvasDrawDrillsOperator, canvas, archive=folder.as_uri(), **{"into": [300], **arguments})
    task.run_segment()
    return task


def drill(canvas: Sandbox, folder: Path, retries: int = 0, **arguments: Any) -> TaskRun:
    quick = {"deferrable": True, "poll_shortest": 0.1, "poll_longest": 0.2}
    values = {"course": "course:101", "into": "300", "archive": folder.as_uri(), **quick, **arguments}
    return task_run(CanvasRestoreDrillOperator, canvas, retries, **values)


class TestDraw:
    def test_each_copy_gets_an_empty_course_of_its_own(self, canvas: Sandbox, tmp_path: Path) -> None:
        pairs = draw(canvas, tmp_path, into="sis_course_id:DRILL-1, 301\n999", count=5).receipt
        assert [pair["into"] for pair in pairs] == ["300", "301"]
        assert len({pair["course"] for pair in pairs}) == 2
        for pair in pairs:
            assert (tmp_path / pair["copy"]).exists()
            assert pair["copy"].startswith(pair["course"].replace("course:", "courses/"))
        assert canvas.migrations == []

    def test_the_same_seed_draws_the_same(self, canvas: Sandbox, tmp_path: Path) -> None:
        draws = [
            json.dumps(draw(canvas, tmp_path, into=[300, 301], count=2, seed=seed).receipt)
            for seed in ("a", "a", "b", "c", "d", "e")
        ]
        assert draws[0] == draws[1]
        assert len(set(draws)) > 1

    def test_a_course_that_is_restored_into_is_not_drawn(self, canvas: Sandbox, tmp_path: Path) -> None:
        pairs = draw(canvas, tmp_path, into=[300, 101, 102]).receipt
        assert [(pair["course"], pair["into"]) for pair in pairs] == [("course:103", "300")]

    @pytest.mark.parametrize(
        "course", [302, 303, 999], ids=["was published", "holds something", "is not there"]
    )
    def test_a_course_that_cannot_be_used_is_passed_over(
        self, canvas: Sandbox, tmp_path: Path, course: int
    ) -> None:
        assert [pair["into"] for pair in draw(canvas, tmp_path, into=[course, 301]).receipt] == ["301"]
        assert "no target course is usable" in str(draw(canvas, tmp_path, into=[course]).error)

    def test_a_course_into_which_something_is_imported_is_passed_over(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        where, file = Context.parse(304), PackageFile("a.imscc", 3)
        with CanvasClient(canvas.url, canvas.token) as client:
            made = client.create_migration(where, MigrationRequest(MigrationType.CARTRIDGE, file))
            assert made.ticket is not None
            client.upload(made.ticket, file, [b"PK!"])
        assert [pair["into"] for pair in draw(canvas, tmp_path, into=[304, 301]).receipt] == ["301"]

    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [
            ({"into": ""}, "Target courses: no target course is named"),
            ({"into": []}, "Target courses: no target course is named"),
            ({"into": ["group:7"]}, "Target courses: group:7 is not a course"),
            ({"into": "Biology"}, "Target courses: 'Biology'"),
            ({"count": 0}, "Number of drills: 0"),
            ({"count": "many"}, "Number of drills: 'many'"),
            ({"count": 101}, "Number of drills: 101"),
            ({"export_type": "qti"}, "no proven qti copy"),
        ],
    )
    def test_what_cannot_be_drawn_fails_for_good(
        self, canvas: Sandbox, tmp_path: Path, arguments: dict[str, Any], problem: str
    ) -> None:
        task = draw(canvas, tmp_path, **arguments)
        assert problem in str(task.error)
        assert task.receipt is None


class TestDrill:
    def test_a_drill_waits_without_a_worker_and_leaves_a_record(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        task = drill(canvas, tmp_path)
        assert task.run_segment() == "deferred"
        task.run_trigger()
        assert task.run_to_end() == "success"
        assert task.receipt["passed"]
        assert (tmp_path / task.receipt["record"]).exists()
        assert imports(canvas) == 1

    def test_a_drill_that_failed_is_a_task_that_failed(self, canvas: Sandbox, tmp_path: Path) -> None:
        canvas.world.courses[300].active_faults = FaultCounter([Fault.IMPORT_ERRORS])
        task = drill(canvas, tmp_path, retries=3)
        assert task.run_to_end() == "failed"
        assert "The drill failed: Canvas reported" in str(task.error)
        assert task.supervisor.xcoms["drill"]["differences"]
        assert list(tmp_path.glob("courses/101/*.drill-*-course-failed.json"))

    @pytest.mark.usefixtures("state_home")
    @pytest.mark.parametrize("write", [2, 4, 6, 7])
    def test_a_worker_killed_on_the_way_imports_once(
        self, canvas: Sandbox, tmp_path: Path, write: int
    ) -> None:
        task = drill(canvas, tmp_path, retries=2)
        task.supervisor.kill_after_writes = write
        assert task.run_to_end() == "killed"
        task.supervisor.kill_after_writes = None
        task.retry()
        assert task.run_to_end() == "success"
        assert imports(canvas) == 1
        assert len(list(tmp_path.glob("courses/101/*.drill-*.json"))) == 1

    def test_a_published_course_is_refused_and_nothing_recorded(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        task = drill(canvas, tmp_path, into=302, retries=3)
        assert task.run_to_end() == "failed"
        assert "never published" in str(task.error)
        assert list(tmp_path.glob("courses/*/*.drill-*.json")) == []

    def test_nothing_that_is_stored_between_two_processes_holds_a_link(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        task = drill(canvas, tmp_path)
        task.run_to_end()
        for text in (json.dumps(task.checkpoint), json.dumps(task.receipt)):
            assert "http" not in text
            assert canvas.token not in text
