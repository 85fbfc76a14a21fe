"""The task ``retention``: the plan in the log and in the archive, and deletion only where it was asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.airflow.task_runner import TaskRun
from tests.support.archives.holdings import lay, manifest

from canvas_exports.core.archive.key_patterns import KeyPatterns
from canvas_exports.core.archive.retention import apply as applying
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import ArchiveUnavailableError, LockedError
from canvas_exports.operators.retention import CanvasRetentionOperator


@pytest.fixture
def archive(tmp_path: Path) -> FileStore:
    """Four nights of one course, made by the DAG ``nightly``."""
    store = FileStore(tmp_path.as_uri(), tmp_path)
    for day in range(4):
        lay(store, manifest(day=day, export_id=501 + day))
    return store


def task(archive: FileStore, **arguments: Any) -> TaskRun:
    given: dict[str, Any] = {"keep": {"daily": 2}, "backup": "nightly", **arguments}
    return TaskRun(lambda: CanvasRetentionOperator(task_id="retention", archive=archive.uri, **given), {})


def left(archive: FileStore) -> set[str]:
    return {info.key.rpartition("-")[2] for info in archive.list("courses/") if info.key.endswith(".json")}


def plan(archive: FileStore) -> dict[str, Any]:
    (key,) = (info.key for info in archive.list("runs/") if info.key.endswith("/retention/retention.json"))
    assert KeyPatterns().owns(key)
    document: dict[str, Any] = json.loads(archive.read(key))
    assert problem("retention-1", document) is None
    return document


ALL = {"501.json", "502.json", "503.json", "504.json"}
NEWEST = {"503.json", "504.json"}


def test_without_apply_it_only_tells(archive: FileStore, capsys: pytest.CaptureFixture[str]) -> None:
    task_run = task(archive)
    assert task_run.run_segment() == "success"
    assert left(archive) == ALL
    assert (task_run.receipt["delete"], task_run.receipt["applied"]) == (2, None)
    assert plan(archive)["totals"]["applied"] is None
    told = capsys.readouterr().out
    assert "4 copies: 2 to delete, 2 to keep. The deletion frees 18 B." in told
    assert "Nothing is deleted: this is only the plan." in told


def test_with_apply_it_deletes_and_writes_down_what(archive: FileStore) -> None:
    task_run = task(archive, apply=True)
    assert task_run.run_segment() == "success"
    assert left(archive) == NEWEST
    assert task_run.receipt["applied"] == {"copies": 2, "packages": 2, "records": 0, "bytes": 18, "left": 0}
    document = plan(archive)
    assert document["totals"]["applied"] == task_run.receipt["applied"]
    assert document["backup"] == "nightly"
    (context,) = document["contexts"]
    assert [(copy["decision"], copy["reasons"]) for copy in context["copies"]] == [
        ("delete", []),
        ("delete", []),
    ]
    assert context["keep"] == 2


def test_the_plan_is_in_the_archive_before_the_first_deletion(
    archive: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def apply(_store: Any, _plan: Any) -> Any:
        assert plan(archive)["totals"]["delete"] == 2
        raise ArchiveUnavailableError("down")

    monkeypatch.setattr(applying, "apply_plan", apply)
    task_run = task(archive, apply=True)
    task_run.max_tries = 1
    assert task_run.run_segment() == "up_for_retry"


def test_run_again_it_deletes_nothing_more(archive: FileStore) -> None:
    task(archive, apply=True).run_segment()
    task_run = task(archive, apply=True)
    assert task_run.run_segment() == "success"
    assert task_run.receipt["applied"]["copies"] == 0
    assert left(archive) == NEWEST


def test_copies_of_another_backup_are_none_of_its_business(archive: FileStore) -> None:
    task_run = task(archive, apply=True, backup=None)
    assert task_run.run_segment() == "success"
    assert left(archive) == ALL
    assert task_run.receipt["copies"] == 0
    assert plan(archive)["backup"] == "campus_backup"


def test_a_lock_that_the_plan_did_not_know_is_reported_and_nothing_fails(
    archive: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete = FileStore.delete

    def locked(self: FileStore, key: str) -> None:
        if "-501." in key:
            raise LockedError("it is locked", key=key)
        delete(self, key)

    monkeypatch.setattr(FileStore, "delete", locked)
    task_run = task(archive, apply=True)
    assert task_run.run_segment() == "success"
    assert left(archive) == NEWEST | {"501.json"}
    assert task_run.receipt["applied"]["left"] == 1
    assert any("501.json was not deleted: it is locked" in note for note in plan(archive)["notes"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"keep": {}}, "keep: a policy without a rule"),
        ({"keep": {"daily": "2"}}, "daily: '2' is not a whole number"),
        ({"apply": "yes"}, "apply: 'yes' is not a truth value"),
        ({"timezone": "Nowhere"}, "timezone: 'Nowhere' is not a time zone"),
    ],
)
def test_bad_input_fails_without_a_retry_and_deletes_nothing(
    archive: FileStore, arguments: dict[str, Any], said: str
) -> None:
    task_run = task(archive, **arguments)
    task_run.max_tries = 3
    assert task_run.run_segment() == "failed"
    assert said in str(task_run.error)
    assert left(archive) == ALL
