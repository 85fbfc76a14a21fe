"""A task that asks an address without an archive is red, at once and with the address, unless it may be empty."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.airflow.task_runner import TaskRun
from tests.support.archives.holdings import lay, manifest

from canvas_exports.core.storage.local import FileStore
from canvas_exports.operators.archive_gate import CanvasArchiveGateOperator
from canvas_exports.operators.retention import CanvasRetentionOperator
from canvas_exports.operators.verify import CanvasVerifyOperator

TASKS: dict[str, Callable[..., Any]] = {
    "verify": lambda uri, **more: CanvasVerifyOperator(task_id="verify", archive=uri, **more),
    "retention": lambda uri, **more: CanvasRetentionOperator(
        task_id="retention", archive=uri, keep={"last": 1}, apply=True, **more
    ),
    "gate": lambda uri, **more: CanvasArchiveGateOperator(task_id="gate", archive=uri, courses=[101], **more),
    "gate of many": lambda uri, **more: CanvasArchiveGateOperator(
        task_id="gate", archive=uri, courses=range(1, 200), **more
    ),
}


@pytest.mark.parametrize("build", TASKS.values(), ids=TASKS)
@pytest.mark.parametrize("folder", ["empty", "absent"])
def test_no_archive_here(tmp_path: Path, build: Callable[..., Any], folder: str) -> None:
    (tmp_path / "empty").mkdir()
    uri = (tmp_path / folder).as_uri()
    task_run = TaskRun(lambda: build(uri), {})
    task_run.max_tries = 3
    assert task_run.run_segment() == "failed"
    assert str(task_run.error).startswith(f"no archive here: {uri}: ")
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize("name", ["verify", "retention"])
def test_an_empty_one_may_be_allowed(tmp_path: Path, name: str) -> None:
    task_run = TaskRun(
        lambda: TASKS[name](tmp_path.as_uri(), allow_empty="True"), {}
    )  # as a template renders it
    assert task_run.run_segment() == "success"


@pytest.mark.parametrize("name", TASKS)
def test_neither_true_nor_false_is_bad_input(tmp_path: Path, name: str) -> None:
    task_run = TaskRun(lambda: TASKS[name](tmp_path.as_uri(), allow_empty="perhaps"), {})
    assert task_run.run_segment() == "failed"
    assert "allow_empty" in str(task_run.error)


def test_of_several_archives_each_has_to_be_one(tmp_path: Path) -> None:
    one, other = (FileStore((tmp_path / name).as_uri(), tmp_path / name) for name in ("one", "other"))
    lay(one, manifest("course:101"))

    def gate(**more: Any) -> TaskRun:
        asked = {"level": "directory", "max_age": "P9999D", "min_archives": 1, "also_archives": [other.uri]}
        return TaskRun(lambda: TASKS["gate"](one.uri, **asked, **more), {})

    task_run = gate()
    assert task_run.run_segment() == "failed"
    assert str(task_run.error).startswith(f"no archive here: {other.uri}")
    assert gate(allow_empty=True).run_segment() == "success"
    lay(other, manifest("course:102"))
    assert gate().run_segment() == "success"
