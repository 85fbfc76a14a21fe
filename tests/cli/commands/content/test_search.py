"""``canvas-archive search-index`` and ``search``: from a stored package to the place in its text."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.support.archives.holdings import lay, manifest
from tests.support.archives.stored import stored
from tests.support.packages.build import zipped
from tests.support.packages.courses import course

from canvas_exports.core.storage.local import FileStore

TEXT = (
    b"<html><head><title>Soil\x1b[31m</title></head><body><p>The <b>nitrogen</b> cycle of [forests]</p>"
    b'<a href="https://www.Video.example.edu/watch">film</a></body></html>'
)


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    store = FileStore(tmp_path.as_uri(), tmp_path)
    for number, page in ((101, TEXT), (102, b"<p>Nothing of that</p>")):
        stored(store, number, data=zipped(course(page=page).members()))
    return store


@pytest.fixture
def ask(store: FileStore, run_command: Any) -> Any:
    return partial(run_command, store.uri)


def test_what_is_indexed_is_found_with_its_place(ask: Any, cache_folder: Path) -> None:
    status, text = ask("search-index")
    assert (status, text.startswith("2 packages added, with ")) == (0, True)
    status, text = ask("search", '"nitrogen cycle"')
    assert status == 0
    assert "course:101  Course 101" in text
    assert "The [nitrogen cycle] of [forests]" in text
    assert "copy of 2026-11-01" in text
    assert (
        "1 course. Searched 2 courses with 2 packages; the newest indexed copy is of 2026-11-01 02:00 UTC."
        in text
    )
    assert "\x1b" not in text
    assert list(cache_folder.rglob("*.sqlite3"))


def test_the_document_says_where_it_was_found(ask: Any) -> None:
    ask("search-index")
    status, text = ask("search", "nitrogen", "--host", "video.example.edu", "--kind", "page", "--json")
    found = json.loads(text)
    assert status == 0
    (item,) = found["courses"][0]["items"]
    assert item["kind"] == "page"
    assert [item["text"][begin:end] for begin, end in item["found_in_text"]] == ["nitrogen"]
    assert item["copies"][0]["manifest"].startswith("courses/101/")
    assert found["index"] == {"courses": 2, "copies": 2, "newest": "2026-11-01T02:00:00Z"}


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["welcome", "--course", "101"], 1),
        (["nitrogen", "--term", "Fall"], 1),
        (["nitrogen", "--all-copies", "--limit", "1", "--items", "1"], 0),
        (["--host", "example.edu"], 0),
        (["--host", "example.org"], 1),
        (["--tool", "nobody"], 1),
        ([], 2),
        (["!!!"], 2),
        (["--host", "no host"], 2),
    ],
)
def test_the_status_says_whether_something_was_found(ask: Any, arguments: list[str], status: int) -> None:
    ask("search-index")
    found, text = ask("search", *arguments)
    assert found == status, text
    assert "Traceback" not in text


def test_an_archive_without_an_index_says_what_to_do(ask: Any) -> None:
    status, text = ask("search", "nitrogen")
    assert status == 2
    assert "no search index" in text
    assert "search-index" in text


def test_a_package_that_cannot_be_opened_is_named(store: FileStore, ask: Any) -> None:
    bad = lay(store, manifest("course:103"))
    _, text = ask("search-index")
    assert f"{bad.package.key} is indexed without some or all of its text" in text
    assert json.loads(ask("search-index", "--json")[1])["known"] == 3


def test_a_budget_leaves_the_rest_for_later(ask: Any) -> None:
    found = json.loads(ask("search-index", "--minutes", "0.0000001", "--json")[1])
    assert (found["added"], found["left"]) == (0, 2)


def test_the_folder_of_the_database_can_be_chosen(ask: Any, tmp_path: Path, cache_folder: Path) -> None:
    ask("search-index")
    assert ask("search", "nitrogen", "--cache", str(tmp_path / "mine"))[0] == 0
    assert list((tmp_path / "mine").glob("*.sqlite3"))
    assert not list(cache_folder.rglob("*.sqlite3"))
