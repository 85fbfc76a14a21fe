"""The task ``publish``: the site of a backup, with the credentials of its archive, and never within it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.airflow.task_runner import TaskRun
from tests.support.archives.stored import spoil, stored
from tests.support.packages.build import zipped
from tests.support.packages.courses import course

from canvas_exports.core.storage.local import FileStore
from canvas_exports.operators.publish import CanvasPublishOperator


@pytest.fixture
def archive(tmp_path: Path) -> FileStore:
    root = tmp_path / "archive"
    return FileStore(root.as_uri(), root)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path / "site"


def task(archive: FileStore, site: str, **arguments: Any) -> TaskRun:
    given: dict[str, Any] = {"backup": "nightly", **arguments}
    return TaskRun(
        lambda: CanvasPublishOperator(task_id="publish", archive=archive.uri, site=site, **given), {}
    )


def store_course(archive: FileStore, number: int = 101) -> str:
    return stored(archive, number, data=zipped(course().members())).package.key


def test_the_courses_of_the_backup_are_published(archive: FileStore, site: Path) -> None:
    store_course(archive)
    task_run = task(archive, site.as_uri())
    assert task_run.run_segment() == "success"
    assert task_run.receipt["written"] == 1
    assert "courses/101/" in (site / "index.html").read_text()
    again = task(archive, site.as_uri())
    assert again.run_segment() == "success"
    assert (again.receipt["written"], again.receipt["unchanged"]) == (0, 1)


@pytest.mark.parametrize(("backup", "written"), [("another", 0), ("*", 1)])
def test_those_of_another_backup_only_if_they_are_asked_for(
    archive: FileStore, site: Path, backup: str, written: int
) -> None:
    store_course(archive)
    task_run = task(archive, site.as_uri(), backup=backup)
    assert task_run.run_segment() == "success"
    assert task_run.receipt["written"] == written


def test_the_site_is_not_within_the_archive(archive: FileStore, capsys: pytest.CaptureFixture[str]) -> None:
    store_course(archive)
    before = sorted(info.key for info in archive.list("courses/"))
    assert task(archive, f"{archive.uri}/courses/site").run_segment() == "failed"
    assert "must not lie within each other" in capsys.readouterr().out
    assert sorted(info.key for info in archive.list("courses/")) == before


def test_a_course_that_cannot_be_read_fails_the_task_after_all_others(archive: FileStore, site: Path) -> None:
    key = store_course(archive)
    store_course(archive, 102)
    spoil(archive, key, b"x" * len(archive.read(key)))
    assert task(archive, site.as_uri()).run_segment() == "failed"
    assert "courses/102/" in (site / "index.html").read_text()


@pytest.mark.usefixtures("site")
def test_an_address_is_needed(archive: FileStore) -> None:
    store_course(archive)
    assert task(archive, " ").run_segment() == "failed"
