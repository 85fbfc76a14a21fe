"""What runs did is read from their reports, however long, whatever became of one of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.support.archives.run_reports import NIGHT, outcome, report

from canvas_exports.core.archive.catalog.runs import (
    outcomes_of,
    recent,
    reported_outcomes,
    reports,
    summary_of,
)
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import Block
from canvas_exports.errors import ArchiveError, ArchiveUnavailableError, ObjectNotFoundError


class Archive(FileStore):
    """A folder that hands out small blocks and counts what is read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root.as_uri(), root)
        self.taken = 0

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        data = super().read(key, start, length)
        self.taken += len(data)
        return data

    def blocks(self, key: str) -> Iterator[Block]:
        data = super().read(key)
        return (memoryview(data)[at : at + 7] for at in range(0, len(data), 7))


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


class TestListing:
    def test_newest_first_and_nothing_but_reports(self, archive: Archive) -> None:
        older = report(archive, outcome("course:1", "stored"), day=NIGHT - timedelta(days=1))
        newer = report(archive, outcome("course:1", "stored"))
        archive.replace("runs/2026-11-23/nightly/run/batches/export-0.json", b"{}")
        archive.replace("runs/2026-02-30/nightly/run/report.json", b"{}")
        assert [found.key for found in reports(archive)] == [newer, older]

    def test_recent_is_counted_from_each_dags_newest(self, archive: Archive) -> None:
        for back in (0, 6, 7):
            report(archive, day=NIGHT - timedelta(days=back))
        old = date(2026, 1, 31)
        for back in (0, 8):
            report(archive, day=old - timedelta(days=back), dag_id="yearly")
        days = [found.day for found in recent(reports(archive))]
        assert days == [NIGHT, NIGHT - timedelta(days=6), old]


class TestOutcomes:
    def test_every_row_comes_back(self, archive: Archive) -> None:
        rows = [outcome(f"course:{number}", "denied", "ünïcode\nlines") for number in range(1, 50)]
        assert list(outcomes_of(archive, report(archive, *rows))) == rows

    def test_of_a_run_without_any(self, archive: Archive) -> None:
        assert list(outcomes_of(archive, report(archive))) == []

    def test_of_a_report_that_was_laid_out_anew(self, archive: Archive) -> None:
        key = report(archive, outcome("course:1", "stored"))
        archive.replace(key, json.dumps(json.loads(archive.read(key)), indent=4).encode())
        assert list(outcomes_of(archive, key)) == [outcome("course:1", "stored")]

    @pytest.mark.parametrize(
        "document",
        [
            b"",
            b"no JSON",
            b"[]",
            b"{}",
            b'{"outcomes": [{}]}',
            b'{"outcomes": [1]}',
            b"\xff",
            b'{"outcomes": [{"context": 1, "export_type": 2, "outcome": 3, "reason": 4}]}',
        ],
    )
    def test_of_what_is_no_report(self, archive: Archive, document: bytes) -> None:
        archive.replace("runs/2026-11-23/a/b/report.json", document)
        with pytest.raises(ArchiveError, match="not a run report"):
            list(outcomes_of(archive, "runs/2026-11-23/a/b/report.json"))

    def test_a_report_cut_short_is_not_taken_for_a_short_one(self, archive: Archive) -> None:
        key = report(archive, outcome("course:1", "stored"), outcome("course:2", "stored"))
        archive.replace(key, archive.read(key).rpartition(b",\n")[0])
        with pytest.raises(ArchiveError, match="ends early"):
            list(outcomes_of(archive, key))

    def test_of_no_report(self, archive: Archive) -> None:
        with pytest.raises(ObjectNotFoundError):
            list(outcomes_of(archive, "runs/2026-11-23/a/b/report.json"))

    def test_one_that_cannot_be_read_is_passed_over(self, archive: Archive) -> None:
        report(archive, outcome("course:1", "stored"))
        report(archive, outcome("course:2", "stored"), run_id="other")
        archive.replace("runs/2026-11-23/nightly/other/report.json", b"{")
        assert [one.record.context for one in reported_outcomes(archive, reports(archive))] == ["course:1"]

    def test_but_not_an_archive_that_fails(self, archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
        report(archive, outcome("course:1", "stored"))

        def fail(key: str) -> Iterator[Block]:
            raise ArchiveUnavailableError("slow down", key=key)

        monkeypatch.setattr(archive, "blocks", fail)
        with pytest.raises(ArchiveUnavailableError):
            list(reported_outcomes(archive, reports(archive)))


class TestSummary:
    def test_takes_one_small_read(self, archive: Archive) -> None:
        rows = [
            outcome(f"course:{number}", "denied" if number % 2 else "stored") for number in range(1, 1001)
        ]
        key = report(archive, *rows)
        archive.taken = 0
        summary = summary_of(archive, key)
        assert archive.taken == 64 * 1024
        assert (summary.dag_id, summary.run_id) == ("nightly", "run")
        assert (summary.contexts, summary.problems, summary.bytes) == (1000, 500, 4500)
        assert summary.outcomes == {"denied": 500, "stored": 500}

    def test_of_a_report_that_was_laid_out_anew(self, archive: Archive) -> None:
        key = report(archive, outcome("course:1", "stored"))
        before = summary_of(archive, key)
        archive.replace(key, json.dumps(json.loads(archive.read(key)), indent=4).encode())
        assert summary_of(archive, key) == before

    @pytest.mark.parametrize("document", [b"", b"{", b"[]", b"{}", b'{"run": 1, "totals": 2}'])
    def test_of_what_is_no_report(self, archive: Archive, document: bytes) -> None:
        archive.replace("runs/2026-11-23/a/b/report.json", document)
        with pytest.raises(ArchiveError, match="not a run report"):
            summary_of(archive, "runs/2026-11-23/a/b/report.json")

    def test_of_no_report(self, archive: Archive) -> None:
        with pytest.raises(ObjectNotFoundError):
            summary_of(archive, "runs/2026-11-23/a/b/report.json")
