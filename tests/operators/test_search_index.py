"""The task that updates the search index does so within its time, and says what it did."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.airflow.task_runner import TaskRun
from tests.support.archives.holdings import lay, manifest
from tests.support.archives.stored import stored
from tests.support.packages.build import zipped
from tests.support.packages.courses import course

from canvas_exports.core.archive.search.results import SearchQuery
from canvas_exports.core.archive.search.search import search_archive
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.store import Store
from canvas_exports.operators.search_index import CanvasSearchIndexOperator


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store((tmp_path / "archive").as_uri()) as opened:
        yield opened


def task(store: Store, **arguments: Any) -> TaskRun:
    return TaskRun(
        lambda: CanvasSearchIndexOperator(task_id="search_index", archive=store.uri, **arguments), {}
    )


def test_the_text_of_new_packages_is_found_afterwards(store: Store, tmp_path: Path) -> None:
    stored(store, 101, data=zipped(course(page=b"<p>The nitrogen cycle</p>").members()))
    lay(store, manifest("course:102"))  # no zip
    task_run = task(store)
    assert task_run.run_segment() == "success"
    assert {name: task_run.receipt[name] for name in ("added", "problems", "denied", "left")} == {
        "added": 2,
        "problems": 1,
        "denied": 0,
        "left": 0,
    }
    (found,) = search_archive(store, SearchQuery('"nitrogen cycle"'), folder=tmp_path / "cache").courses
    assert found.canvas_id == 101
    again = task(store)
    assert again.run_segment() == "success"
    assert again.receipt["added"] == 0


def test_what_is_over_its_time_is_left_for_the_next_run(store: Store) -> None:
    stored(store, 101)
    task_run = task(store, max_time="PT0.000001S")
    assert task_run.run_segment() == "success"
    assert (task_run.receipt["added"], task_run.receipt["left"]) == (0, 1)


@pytest.mark.parametrize("arguments", [{}, {"max_time": "soon"}, {"allow_empty": "perhaps"}])
def test_no_archive_and_bad_input_fail_for_good(store: Store, arguments: dict[str, Any]) -> None:
    assert task(store, **arguments).run_segment() == "failed"


def test_an_empty_archive_may_be_allowed(store: Store) -> None:
    assert task(store, allow_empty=True).run_segment() == "success"
