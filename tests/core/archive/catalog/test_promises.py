"""What backups promise, as run reports record it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.support.archives.holdings import DAY, START, lay, manifest
from tests.support.archives.run_reports import NIGHT, outcome, report

from canvas_exports.core.archive.catalog.coverage import Gap, coverage
from canvas_exports.core.archive.catalog.promises import read_promises
from canvas_exports.core.archive.catalog.read import every_context
from canvas_exports.core.archive.catalog.runs import recent, reported_outcomes, reports
from canvas_exports.core.storage.local import FileStore

TYPE = "common_cartridge"


def promised(store: FileStore) -> dict[tuple[str, str], timedelta]:
    return dict(read_promises(store, recent(reports(store))).by_context)


def test_the_newest_report_of_a_backup_that_lists_a_course_decides(tmp_path: Path) -> None:
    store = FileStore(tmp_path.as_uri(), tmp_path)
    report(
        store, outcome("course:1", "stored"), outcome("course:2", "stored"), day=NIGHT - DAY, max_age=9 * DAY
    )
    report(store, outcome("course:1", "failed"), max_age=2 * DAY)
    assert promised(store) == {("course:1", TYPE): 2 * DAY, ("course:2", TYPE): 9 * DAY}


def test_a_promise_that_is_withdrawn_is_none(tmp_path: Path) -> None:
    store = FileStore(tmp_path.as_uri(), tmp_path)
    report(store, outcome("course:1", "stored"), day=NIGHT - DAY, max_age=2 * DAY)
    report(store, outcome("course:1", "stored"))
    assert promised(store) == {}


def test_of_two_backups_the_shorter_promise_counts(tmp_path: Path) -> None:
    store = FileStore(tmp_path.as_uri(), tmp_path)
    report(store, outcome("course:1", "stored"), max_age=8 * DAY)
    report(store, outcome("course:1", "stored"), day=NIGHT - 3 * DAY, dag_id="weekly", max_age=2 * DAY)
    assert promised(store) == {("course:1", TYPE): 2 * DAY}


def test_reports_of_earlier_releases_and_of_hostile_hands_promise_nothing(tmp_path: Path) -> None:
    store = FileStore(tmp_path.as_uri(), tmp_path)
    key = report(store, outcome("course:1", "stored"), max_age=2 * DAY)
    document = (tmp_path / key).read_bytes()
    for text in (b'"P999999999999D"', b'"two days"', b"null", b'"PT1S"', b'"' + b"9" * 5000 + b'"'):
        (tmp_path / key).write_bytes(document.replace(b'"P2D"', text))
        assert promised(store) == {}
    (tmp_path / key).write_bytes(document.replace(b'"P2D"', b"7"))
    assert promised(store) == {}, "a report that is none is passed over"


def gaps(store: FileStore, days: float, expected: list[str] | None = None) -> dict[str, Gap]:
    latest = recent(reports(store))
    found = coverage(
        every_context(store),
        expected=expected,
        outcomes=reported_outcomes(store, latest),
        promises=read_promises(store, latest),
        now=START + days * DAY,
    )
    return {gap.context: gap for gap in found.gaps}


def test_a_copy_that_is_older_than_promised_is_a_gap_with_its_reason(tmp_path: Path) -> None:
    store = FileStore(tmp_path.as_uri(), tmp_path)
    sis = {"name": "Biology", "sis_id": "BIO-101"}
    lay(store, manifest("course:101", facts=sis))
    lay(store, manifest("course:102", export_id=502))
    report(store, outcome("course:sis_course_id:BIO-101", "failed", "Canvas was down"), max_age=2 * DAY)
    for expected in (None, ["course:101", "course:102"], ["course:sis_course_id:BIO-101"]):
        assert gaps(store, 2, expected) == {}
        (gap,) = gaps(store, 3, expected).values()
        assert gap.gap_reason.value == "old"
        assert gap.why == "the newest proven copy is 3 days old, promised: 2 days"
        if expected != ["course:101", "course:102"]:  # else the report names the course otherwise
            assert (gap.outcome, gap.reason) == ("failed", "Canvas was down")
