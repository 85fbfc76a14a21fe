"""A task that holds copies writes what the command writes, and a retry writes nothing more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.airflow.task_runner import TaskRun
from tests.support.archives.stored import stored

from canvas_exports.core.archive.catalog.read import copies_of
from canvas_exports.core.archive.retention.holds import tags_on
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.store import Store
from canvas_exports.operators.hold import CanvasHoldOperator


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"file://{tmp_path}") as opened:
        yield opened


def task(store: Store, **arguments: Any) -> TaskRun:
    given = {"course": "101", "tag": "legal", **arguments}
    return TaskRun(lambda: CanvasHoldOperator(task_id="hold", archive=store.uri, **given), {})


def tags(store: Store, course: int = 101) -> list[tuple[str, ...]]:
    return [tags_on(copy.records) for copy in copies_of(store, "course", course).copies]


def test_all_copies_of_the_course_are_held_and_no_others(store: Store) -> None:
    for day in (0, 1):
        stored(store, 101, day=day)
    stored(store, 102)
    task_run = task(store)
    assert task_run.run_segment() == "success"
    assert len(task_run.receipt["records"]) == 2
    assert tags(store) == [("legal",), ("legal",)]
    assert tags(store, 102) == [()]


def test_a_retry_writes_nothing_more(store: Store) -> None:
    stored(store, 101)
    assert task(store).run_segment() == "success"
    again = task(store)
    assert again.run_segment() == "success"
    assert again.receipt["records"] == []


def test_one_copy(store: Store) -> None:
    first = stored(store, 101)
    stored(store, 101, day=1)
    (key,) = [
        copy.key for copy in copies_of(store, "course", 101).copies if copy.package.key == first.package.key
    ]
    assert task(store, copy=key).run_segment() == "success"
    assert tags(store) == [("legal",), ()]


def test_the_hold_ends(store: Store) -> None:
    stored(store, 101)
    assert task(store, course="course:101").run_segment() == "success"
    assert task(store, lift="True").run_segment() == "success"
    assert tags(store) == [()]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"tag": "Legal Dept"}, "tag: 'Legal Dept' is not a tag"),
        ({"tag": ""}, "tag: '' is not a tag"),
        ({"course": ""}, "course: is missing"),
        ({"course": "999"}, "course: the archive has no such copy of course:999"),
        ({"copy": "courses/101/other.json"}, "copy: the archive has no such copy of course:101"),
        ({"lift": "perhaps"}, "lift"),
    ],
)
def test_bad_input_is_one_sentence_and_no_retry(store: Store, arguments: dict[str, Any], told: str) -> None:
    stored(store, 101)
    task_run = task(store, **arguments)
    task_run.max_tries = 3
    assert task_run.run_segment() == "failed"
    assert told in str(task_run.error)
    assert tags(store) == [()]
