"""What happened to one context, in order of time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.archives.holdings import lay, manifest, note
from tests.support.archives.run_reports import NIGHT, outcome, report

from canvas_exports.core.archive.catalog.history import Event, history
from canvas_exports.core.archive.catalog.read import copies_of
from canvas_exports.core.archive.catalog.runs import reported_outcomes, reports
from canvas_exports.core.archive.json_documents import plain
from canvas_exports.core.archive.records import RecordKind
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.storage.local import FileStore


@pytest.fixture
def archive(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path.as_uri(), tmp_path)


def of(archive: FileStore) -> list[Event]:
    return history(copies_of(archive, "course", 101), reported_outcomes(archive, reports(archive)))


def brief(events: list[Event]) -> list[tuple[str, str, str]]:
    return [(event.what, event.result, event.detail) for event in events]


def test_copies_records_and_runs_in_order_of_time(archive: FileStore) -> None:
    first = lay(archive, manifest(day=0, verdict=Verdict.INCOMPLETE))
    second = lay(archive, manifest(day=3, export_id=502))
    lay(archive, manifest(day=5, export_id=503), names=second)
    note(archive, second, day=4)
    note(archive, first, day=6, kind=RecordKind.HOLD, detail="legal", result="set")
    note(archive, second, day=7, kind=RecordKind.DRILL, detail="course", result="passed")
    report(archive, outcome("course:101", "failed", "Canvas could not"), outcome("course:7", "failed"))
    assert brief(of(archive)) == [
        ("copy", "incomplete", "2 files missing"),
        ("copy", "whole", ""),
        ("verified", "intact", "full"),
        ("unchanged", "whole", "as on 2026-11-04"),
        ("hold", "set", "legal"),
        ("restore drill", "passed", "course"),
        ("run", "failed", "Canvas could not"),
    ]


def test_a_run_whose_copy_is_there_is_not_listed_twice(archive: FileStore) -> None:
    lay(archive, manifest())
    report(archive, outcome("course:101", "stored", export_id=501))
    assert [event.what for event in of(archive)] == ["copy"]


def test_of_a_course_that_was_never_stored_the_runs_tell(archive: FileStore) -> None:
    report(archive, outcome("course:101", "denied"), day=NIGHT - timedelta(days=1))
    report(archive, outcome("course:101", "failed"))
    assert sorted(event.result for event in of(archive)) == ["denied", "failed"]


def test_what_has_no_time_comes_last(archive: FileStore) -> None:
    lay(archive, manifest(), package=None)
    archive.replace("courses/101/lost.json", b"no JSON")
    assert [(event.what, event.result, event.at is None) for event in of(archive)] == [
        ("copy", "whole", False),
        ("copy", "vanished", True),
        ("unreadable", "unknown", True),
    ]


def test_as_json_it_says_the_same(archive: FileStore) -> None:
    lay(archive, manifest())
    (event,) = of(archive)
    assert plain(event) == {
        "at": "2026-11-01T02:00:00Z",
        "what": "copy",
        "result": "whole",
        "detail": "",
        "export_type": "common_cartridge",
        "key": "courses/101/20261101T020000Z-common_cartridge-501.json",
        "size": 9,
    }
