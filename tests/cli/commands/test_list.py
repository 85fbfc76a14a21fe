"""``canvas-archive list``: the copies of a course, the newest first."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.support.archives.holdings import lay, manifest, note

from canvas_exports.core.archive.records import RecordKind
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.storage.local import FileStore


@pytest.fixture
def archive(tmp_path: Path) -> FileStore:
    """A course that changed once, was found damaged once, is incomplete now, and has a quiz export."""
    store = FileStore(tmp_path.as_uri(), tmp_path)
    facts = {"name": "Biology", "course_code": "BIO 101", "sis_id": "BIO-101"}
    first = lay(store, manifest(export_id=501, facts=facts))
    lay(store, manifest(day=1, export_id=502, facts=facts), names=first)
    note(store, first, day=2)
    note(store, first, day=2, kind=RecordKind.HOLD, detail="legal", result="set")
    note(store, lay(store, manifest(day=3, export_id=503, facts=facts)), day=4, result="damaged")
    lay(store, manifest(day=5, export_id=504, verdict=Verdict.INCOMPLETE, facts=facts))
    lay(store, manifest(day=6, export_id=505, export_type="qti", facts=facts))
    lay(store, manifest(day=7, export_id=506, facts=facts), package=None)
    return store


@pytest.fixture
def ask(archive: FileStore, run_command: Any) -> Any:
    return partial(run_command, archive.uri, "list")


def test_the_newest_copy_comes_first_with_its_state(ask: Any) -> None:
    status, text = ask("BIO 101")
    assert status == 0
    lines = text.splitlines()
    assert [line.split()[1:4] for line in lines[2:8]] == [
        ["506", "common_cartridge", "vanished"],
        ["505", "qti", "proven"],
        ["504", "common_cartridge", "incomplete"],
        ["503", "common_cartridge", "damaged"],
        ["502", "common_cartridge", "proven"],
        ["501", "common_cartridge", "proven"],
    ]
    assert lines[-1] == "course:101: 6 copies in 4 packages, 36 B."


def test_an_unchanged_copy_names_the_day_of_its_package(ask: Any) -> None:
    lines = ask("101")[1].splitlines()
    assert lines[6].split()[-4:-1] == ["2026-11-01", "2026-11-03", "legal"]
    assert lines[6].split()[-1] == lines[7].split()[-1]


def test_as_json_of_one_type(ask: Any) -> None:
    status, text = ask("101", "--type", "qti", "--json")
    document = json.loads(text)
    assert status == 0
    (copy,) = document["copies"]
    assert (copy["export_id"], copy["result"], copy["proven"], copy["held"]) == (505, "proven", True, [])
    assert (document["totals"]["copies"], document["totals"]["bytes"]) == (1, 9)
    held = json.loads(ask("101", "--json")[1])["copies"][-1]
    assert (held["verified"]["result"], held["held"]) == ("intact", ["legal"])


@pytest.mark.parametrize("arguments", [["999"], ["101", "--type", "zip"]])
def test_a_course_without_copies_is_an_error(ask: Any, arguments: list[str]) -> None:
    status, text = ask(*arguments)
    assert status == 2
    assert text.startswith("canvas-archive: COURSE: the archive holds no copy")


def test_a_manifest_that_cannot_be_read_is_named(ask: Any, archive: FileStore) -> None:
    archive.put("courses/101/broken.json", [b"{"])
    status, text = ask("101")
    assert status == 0
    assert text.splitlines()[-1].startswith("courses/101/broken.json cannot be read")
