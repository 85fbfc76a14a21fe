from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from tests.support.airflow.task_runner import TaskRun
from tests.support.archives import holdings
from tests.support.archives.holdings import lay, manifest, note

from canvas_exports.core.archive.key_patterns import KeyPatterns
from canvas_exports.core.export.planning.batch_plan import write_plan
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.model.runs import RunInfo
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import ArchiveUnavailableError
from canvas_exports.operators.archive_gate import CanvasArchiveGateOperator
from canvas_exports.operators.content_export import CanvasContentExportOperator
from canvas_exports.operators.verify import CanvasVerifyOperator
from canvas_sandbox import Sandbox


@pytest.fixture(autouse=True)
def recently(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies are made from yesterday on."""
    start = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=1)
    monkeypatch.setattr(holdings, "START", start)


@pytest.fixture
def archives(tmp_path: Path) -> list[FileStore]:
    return [FileStore((tmp_path / name).as_uri(), tmp_path / name) for name in ("a", "b")]


def good(store: FileStore, course: int, **facts: Any) -> None:
    note(store, lay(store, manifest(f"course:{course}", **facts)), day=0)


def task(*archives: FileStore, **arguments: Any) -> TaskRun:
    first, *others = [store.uri for store in archives]
    return TaskRun(
        lambda: CanvasArchiveGateOperator(task_id="gate", archive=first, also_archives=others, **arguments),
        {},
    )


def answer(store: FileStore) -> dict[str, Any]:
    (key,) = (info.key for info in store.list("runs/") if "/gates/" in info.key)
    assert KeyPatterns().owns(key)
    document: dict[str, Any] = json.loads(store.read(key))
    return document


def test_it_opens_when_every_course_has_its_copy_in_every_archive(archives: list[FileStore]) -> None:
    for store in archives:
        good(store, 101)
        good(store, 102)
    task_run = task(*archives, courses=["101", "course:102"])
    assert task_run.run_segment() == "success"
    assert task_run.receipt["checked"] == 2
    assert answer(archives[0])["missing"] == []
    assert not list(archives[1].list("runs/")), "the answer lies in the first archive"


def test_it_stays_shut_and_names_who_is_missing_and_why(
    archives: list[FileStore], capsys: pytest.CaptureFixture[str]
) -> None:
    good(archives[0], 101)
    good(archives[0], 102, verdict=Verdict.INCOMPLETE)
    task_run = task(archives[0], courses=[101, 102, 103])
    task_run.max_tries = 3
    assert task_run.run_segment() == "failed", "no retry would change it"
    assert "2 of 3 courses do not have the required copies: course:102, course:103" in str(task_run.error)
    assert [(one["context"], one["why"][0]["reason"]) for one in answer(archives[0])["missing"]] == [
        ("course:102", "its newest copy is incomplete"),
        ("course:103", "the archive holds no copy"),
    ]
    assert "WHY NOT" in capsys.readouterr().out


def test_one_archive_may_be_enough(archives: list[FileStore]) -> None:
    good(archives[0], 102)
    good(archives[1], 101)
    assert task(*archives, courses=[101]).run_segment() == "failed"
    assert task(*archives, courses=[101], min_archives=1).run_segment() == "success"


def test_the_level_and_the_age_are_chosen(archives: list[FileStore]) -> None:
    lay(archives[0], manifest("course:101"))
    assert task(archives[0], courses=[101]).run_segment() == "failed"
    assert task(archives[0], courses=[101], level="directory").run_segment() == "success"
    assert task(archives[0], courses=[101], level="directory", max_age="PT1H").run_segment() == "failed"


def test_it_takes_the_plan_of_the_list_task(archives: list[FileStore]) -> None:
    good(archives[0], 101)
    run = RunInfo("end_of_term", "manual__1", "list", date(2026, 11, 23))
    contexts = [Context.parse(101), Context.parse(102)]
    references = [one.to_json() for one in write_plan(archives[0], run, contexts, 1)]
    assert task(archives[0], batches=references[:1]).run_segment() == "success"
    task_run = task(archives[0], batches=references)
    assert task_run.run_segment() == "failed"
    assert "course:102" in str(task_run.error)


def test_it_takes_a_course_list(archives: list[FileStore], tmp_path: Path) -> None:
    good(archives[0], 101)
    (tmp_path / "courses.csv").write_text("canvas_course_id\n101\n")
    assert task(archives[0], course_list=str(tmp_path / "courses.csv")).run_segment() == "success"


@pytest.mark.parametrize("count", [20, 120])
def test_many_courses_are_answered_as_few_are(archives: list[FileStore], count: int) -> None:
    for number in range(1, count):
        good(archives[0], number)
    task_run = task(archives[0], courses=range(1, count + 1))
    assert task_run.run_segment() == "failed"
    assert [one["context"] for one in answer(archives[0])["missing"]] == [f"course:{count}"]


def test_what_it_returns_and_raises_stays_small(archives: list[FileStore]) -> None:
    good(archives[0], 999)
    task_run = task(archives[0], courses=range(1, 501))
    assert task_run.run_segment() == "failed"
    assert len(str(task_run.error)) < 500
    assert len(answer(archives[0])["missing"]) == 500


@pytest.mark.parametrize(
    ("arguments", "blamed"),
    [
        ({}, "courses: there is no course"),
        ({"courses": ["sis_course_id:BIO"]}, "is not a Canvas number"),
        ({"courses": ["x y"]}, "courses"),
        ({"courses": [1], "level": "deep"}, "level"),
        ({"courses": [1], "max_age": "soon"}, "max_age"),
        ({"courses": [1], "max_age": timedelta(0)}, "max_age"),
        ({"courses": [1], "min_archives": 2}, "min_archives"),
        ({"courses": [1], "min_archives": "many"}, "min_archives"),
        ({"courses": [1], "export_type": "imscc"}, "export_type"),
    ],
)
def test_bad_input_is_named_and_opens_nothing(
    archives: list[FileStore], arguments: dict[str, Any], blamed: str
) -> None:
    good(archives[0], 1)
    task_run = task(archives[0], **arguments)
    task_run.max_tries = 3
    assert task_run.run_segment() == "failed"
    assert blamed in str(task_run.error)


def test_an_archive_may_bring_its_own_connection(archives: list[FileStore]) -> None:
    for store in archives:
        good(store, 101)
    place = {"archive": archives[1].uri, "archive_conn_id": "campus_files"}
    task_run = TaskRun(
        lambda: CanvasArchiveGateOperator(
            task_id="gate", archive=archives[0].uri, also_archives=[place], courses=[101]
        ),
        {"campus_files": {"conn_type": "fs"}},
    )
    assert task_run.run_segment() == "success"


def test_what_a_night_stored_and_proved_opens_it_and_what_it_could_not_store_shuts_it(
    canvas: Sandbox, tmp_path: Path
) -> None:
    """The real pipeline: exported by the operator, verified by the operator, asked by the gate."""
    archive = tmp_path.as_uri()
    connections = {"canvas_default": {"conn_type": "canvas", "host": canvas.url, "password": canvas.token}}

    def lives(operator: Callable[[], Any]) -> TaskRun:
        task_run = TaskRun(operator, connections)
        task_run.run_to_end()
        return task_run

    def gate(**arguments: Any) -> TaskRun:
        return lives(lambda: CanvasArchiveGateOperator(task_id="gate", archive=archive, **arguments))

    lives(
        lambda: CanvasContentExportOperator(
            task_id="export",
            courses=["100", "101", "102", "106"],
            archive=archive,
            deferrable=False,
            poll_shortest=0.2,
            fail_on="never",
        )
    )
    assert gate(courses=[100, 101], level="directory").receipt["checked"] == 2
    shut = gate(courses=[100, 101])
    assert "2 of 2 courses" in str(shut.error), "they were never proven to the level full"
    lives(lambda: CanvasVerifyOperator(task_id="verify", archive=archive, level="full"))
    assert gate(courses=[100, 101]).receipt["checked"] == 2
    assert "course:102, course:106" in str(gate(courses=[100, 102, 106]).error)
    assert gate(courses=[100, 106], accept_empty=True).receipt["checked"] == 2
    (package,) = tmp_path.glob("courses/101/*.imscc")
    package.unlink()
    assert "1 of 2 courses" in str(gate(courses=[100, 101]).error)


def test_an_archive_that_cannot_be_reached_opens_nothing_and_is_asked_again(
    archives: list[FileStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    good(archives[0], 101)

    def fail(*_: object) -> Iterator[Any]:
        raise ArchiveUnavailableError("slow down")

    task_run = task(archives[0], courses=[101])
    task_run.max_tries = 1
    whole: Callable[..., Any] = FileStore.list
    monkeypatch.setattr(FileStore, "list", fail)
    assert task_run.run_segment() == "up_for_retry"
    monkeypatch.setattr(FileStore, "list", whole)
    task_run.retry()
    assert task_run.run_segment() == "success"
