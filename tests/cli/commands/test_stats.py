"""``canvas-archive stats``, and the same numbers in every other subcommand."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.support.archives.holdings import lay, manifest, note

from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.storage.local import FileStore


@pytest.fixture
def archive(tmp_path: Path) -> FileStore:
    store = FileStore(tmp_path.as_uri(), tmp_path)
    fall = {"name": "A", "term": "Fall 2026"}
    first = lay(store, manifest("course:101", facts={"name": "A", "term": "Spring 2026"}))
    lay(store, manifest("course:101", day=1, export_id=502, facts=fall), names=first)
    lay(store, manifest("course:101", day=2, export_id=503, export_type="qti", facts=fall))
    lay(store, manifest("course:102", verdict=Verdict.INCOMPLETE, facts=fall))
    note(store, lay(store, manifest("course:103", day=9)), day=10, result="damaged")
    lay(store, manifest("group:7"), package=None)
    return store


@pytest.fixture
def ask(archive: FileStore, run_command: Any) -> Any:
    return partial(run_command, archive.uri)


def test_a_line_for_each_term_and_type(ask: Any) -> None:
    status, text = ask("stats")
    assert status == 0
    lines = text.splitlines()
    assert [line.split()[:9] for line in lines[2:5]] == [
        ["Fall", "2026", "qti", "1", "1", "1", "1", "9", "B"],
        ["Fall", "2026", "common_cartridge", "2", "1", "3", "2", "18", "B"],
        ["(no", "term)", "common_cartridge", "2", "0", "2", "1", "9", "B"],
    ]
    assert lines[-1] == "4 courses: 6 copies in 4 packages, 36 B."


def test_as_json(ask: Any, archive: FileStore) -> None:
    archive.put("courses/101/broken.json", [b"{"])
    document = json.loads(ask("stats", "--json")[1])
    assert document["totals"] == {
        "contexts": 4,
        "good": 2,
        "none": 3,
        "copies": 6,
        "packages": 4,
        "bytes": 36,
        "oldest": "2026-11-01T02:00:00Z",
        "newest": "2026-11-10T02:00:00Z",
    }
    assert [(each["term"], each["export_type"]) for each in document["groups"]] == [
        ("Fall 2026", "qti"),
        ("Fall 2026", "common_cartridge"),
        (None, "common_cartridge"),
    ]
    assert [each["key"] for each in document["unreadable"]] == ["courses/101/broken.json"]


def test_every_subcommand_has_the_same_numbers(ask: Any) -> None:
    totals = json.loads(ask("stats", "--json")[1])["totals"]
    ages = json.loads(ask("ages", "--json")[1])
    assert (sum(ages["counts"].values()), ages["none"]) == (totals["good"], totals["none"])
    missing = json.loads(ask("missing", "--json")[1])
    assert (missing["good"], missing["judged"]) == (totals["good"], totals["good"] + totals["none"])
    listed = [
        json.loads(ask("list", name, "--json")[1])["totals"] for name in ("101", "102", "103", "group:7")
    ]
    for number in ("contexts", "good", "none", "copies", "packages", "bytes"):
        assert sum(each[number] for each in listed) == totals[number], number
    found = json.loads(ask("find", "a", "--json")[1])["courses"]
    assert [each["bytes"] for each in found if each["context"] == "course:101"] == [listed[0]["bytes"]]
    kept = json.loads(ask("retention", "--keep-last", "9", "--json")[1])["totals"]
    assert (kept["contexts"], kept["copies"]) == (totals["contexts"], totals["copies"])
