from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.airflow.task_runner import TaskRun
from tests.support.archives.stored import package, rotten, spoil, stored

from canvas_exports.core.archive.records import read_record_name
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.store import Store
from canvas_exports.operators.verify import CanvasVerifyOperator


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"file://{tmp_path}") as opened:
        yield opened


def task(store: Store, **arguments: Any) -> TaskRun:
    return TaskRun(lambda: CanvasVerifyOperator(task_id="verify", archive=store.uri, **arguments), {})


def report(folder: Path) -> dict[str, str]:
    (path,) = folder.glob("runs/*/*/*/verification.json")
    return {row["context"]: row["outcome"] for row in json.loads(path.read_text())["outcomes"]}


def recorded(store: Store) -> list[str]:
    names = (read_record_name(info.key) for info in store.list("courses/"))
    return sorted(name.result for name in names if name is not None)


def test_an_intact_archive_is_a_green_task_with_a_report(store: Store, tmp_path: Path) -> None:
    stored(store, 101)
    stored(store, 102)
    task_run = task(store)
    assert task_run.run_segment() == "success"
    assert report(tmp_path) == {"course:101": "intact", "course:102": "intact"}
    assert task_run.receipt["results"] == {"intact": 2}
    assert task_run.receipt["left"] == 0


def test_damage_fails_the_task_without_a_retry_after_everything_was_looked_at(
    store: Store, tmp_path: Path
) -> None:
    spoil(store, stored(store, 101).package.key, rotten(package()))
    store.delete(stored(store, 102).package.key)
    stored(store, 103)
    task_run = task(store)
    task_run.max_tries = 3
    assert task_run.run_segment() == "failed"
    assert "2 stored packages are not what was stored, among them of course:101, course:102" in str(
        task_run.error
    )
    assert report(tmp_path) == {
        "course:101": "damaged",
        "course:102": "vanished",
        "course:103": "intact",
    }


def test_damage_may_be_no_failure(store: Store) -> None:
    store.delete(stored(store, 101).package.key)
    assert task(store, fail_on_damage=False).run_segment() == "success"
    assert recorded(store) == ["vanished"]


def test_what_a_form_sends_is_understood(store: Store) -> None:
    stored(store, 101)
    stored(store, 102)
    task_run = task(store, level="directory", max_gigabytes=1e-9, max_time="PT1H", parallel=1)
    assert task_run.run_segment() == "success"
    assert task_run.receipt["left"] == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"level": "deep"}, "level: 'deep' is not a level. Accepted: directory, full."),
        ({"max_gigabytes": 0}, "max_gigabytes"),
        ({"max_gigabytes": "many"}, "max_gigabytes: 'many' is not a number"),
        ({"max_time": "4 hours"}, "max_time: '4 hours' is not a length of time"),
        ({"parallel": 17}, "parallel: 17 is out of range. Accepted: 1 to 16."),
        ({"parallel": 1.5}, "parallel: 1.5 is out of range"),
    ],
)
def test_bad_input_fails_before_anything_is_read(store: Store, arguments: Any, told: str) -> None:
    stored(store, 101)
    task_run = task(store, **arguments)
    assert task_run.run_segment() == "failed"
    assert told in str(task_run.error)
    assert recorded(store) == []
