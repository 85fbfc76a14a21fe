"""``canvas-archive find``: courses by what people call them."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.support.archives.holdings import lay, manifest

from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.storage.local import FileStore


@pytest.fixture
def ask(tmp_path: Path, run_command: Any) -> Any:
    store = FileStore(tmp_path.as_uri(), tmp_path)
    biology = {
        "name": "Marine Biology",
        "course_code": "BIO 101",
        "sis_id": "2026-BIO-101",
        "term": "Fall 2026",
    }
    lay(store, manifest("course:101", facts={**biology, "name": "Biology of the Sea"}))
    lay(store, manifest("course:101", day=2, export_id=502, facts=biology))
    lay(
        store,
        manifest(
            "course:102",
            day=1,
            verdict=Verdict.INCOMPLETE,
            facts={"name": "Biology II", "course_code": "BIO 102", "term": "Spring 2027"},
        ),
    )
    lay(store, manifest("course:1010", facts={"name": "Straße"}))
    lay(store, manifest("group:101", facts={"name": "Divers"}))
    return partial(run_command, store.uri, "find")


def found(ask: Any, *words: str) -> list[str]:
    return [each["context"] for each in json.loads(ask(*words, "--json")[1])["courses"]]


@pytest.mark.parametrize(
    ("words", "courses"),
    [
        (["biology"], ["course:101", "course:102"]),
        (["BIO 101"], ["course:101"]),
        (["101", "marine"], ["course:101"]),
        (["of the sea"], ["course:101"]),
        (["2026-bio"], ["course:101"]),
        (["101"], ["course:101"]),
        (["1010"], ["course:1010"]),
        (["group:101"], ["group:101"]),
        (["divers"], ["group:101"]),
        (["STRASSE"], ["course:1010"]),
        (["biology", "--term", "spring 2027"], ["course:102"]),
        (["chemistry"], []),
    ],
)
def test_words_and_numbers(ask: Any, words: list[str], courses: list[str]) -> None:
    assert found(ask, *words) == courses


def test_a_line_a_course_with_the_newest_name(ask: Any) -> None:
    status, text = ask("bio")
    assert status == 0
    lines = text.splitlines()
    assert "Marine Biology" in lines[2]
    assert lines[2].split()[-5:] == ["2", "18", "B", "2026-11-03", "yes"]
    assert lines[3].split()[-5:] == ["1", "9", "B", "2026-11-02", "no"]
    assert lines[-1] == "2 courses."


def test_nothing_found_exits_with_1(ask: Any) -> None:
    assert ask("chemistry") == (1, "No course of this archive matches 'chemistry'.\n")


def test_an_empty_text_is_an_error(ask: Any) -> None:
    assert ask(" ")[0] == 2
