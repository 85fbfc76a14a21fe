"""From the items of tasks to one report in which every export is named once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from canvas_exports.core.export.engine.items import Item, State
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.model.runs import RunInfo
from canvas_exports.core.reports.run_report import Receipt, gather_run_report, record, store_batch_report
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import UnreadableDocumentError

RUN = RunInfo("nightly", "manual__2026-11-23", "export", date(2026, 11, 23), map_index=0, try_number=2)
FOLDER = "runs/2026-11-23/nightly/manual__2026-11-23/"
CARTRIDGE = "common_cartridge"


def item(number: int, outcome: Outcome | None = Outcome.STORED, **values: Any) -> Item:
    made = Item(f"course:{number}", CARTRIDGE, State.READY, export_id=500 + number, **values)
    if outcome is not None:
        made.end(outcome, None if outcome.is_good else f"why {number}")
    return made


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path.as_uri(), tmp_path)


def written(store: FileStore, key: str) -> Any:
    return json.loads(store.read(key))


def test_a_row_says_all_that_is_known() -> None:
    row = record(item(1, Outcome.INCOMPLETE, key="courses/1/x.imscc", size=7, findings=3, label="BIO-1"))
    assert (row.context, row.export_type, row.export_id, row.name) == ("course:1", CARTRIDGE, 501, "BIO-1")
    assert (row.outcome, row.reason, row.problem) == ("incomplete", "why 1", True)
    assert (row.key, row.size, row.findings) == ("courses/1/x.imscc", 7, "3")
    assert row.next_step == Outcome.INCOMPLETE.next_step


def test_a_good_row_asks_for_nothing() -> None:
    row = record(item(1))
    assert (row.problem, row.next_step, row.findings) == (False, None, None)
    assert row.reason == Outcome.STORED.definition


def test_an_export_without_an_outcome_was_interrupted() -> None:
    row = record(item(1, None))
    assert (row.outcome, row.reason) == ("interrupted", Outcome.INTERRUPTED.definition)


class TestOfATask:
    def test_every_export_is_in_the_document_and_the_receipt_counts_them(self, store: FileStore) -> None:
        items = [item(1, size=5), item(2, Outcome.GONE), item(3, Outcome.INCOMPLETE, size=2), item(4, None)]
        receipt = store_batch_report(store, items, RUN, started_at=1.8e9)
        assert receipt == Receipt(
            archive=store.uri,
            report=f"{FOLDER}batches/export-0.json",
            exports=4,
            size=7,
            outcomes={"stored": 1, "incomplete": 1, "gone": 1, "interrupted": 1},
        )
        document = written(store, receipt.report)
        assert {row["context"] for row in document["outcomes"]} == {
            f"course:{number}" for number in range(1, 5)
        }
        assert document["started_at"] == "2027-01-15T08:00:00Z"
        run = document["run"]
        assert (run["dag_id"], run["task_id"], run["map_index"], run["attempt"]) == (
            "nightly",
            "export",
            0,
            2,
        )

    def test_a_receipt_is_small_and_plain(self, store: FileStore) -> None:
        receipt = store_batch_report(store, [item(n) for n in range(200)], RUN, started_at=1.8e9)
        document = receipt.to_json()
        assert len(json.dumps(document)) < 500
        assert document["bytes"] == 0
        assert set(document) == {"archive", "report", "exports", "bytes", "outcomes"}

    def test_a_later_attempt_replaces_what_an_earlier_one_wrote(self, store: FileStore) -> None:
        first = store_batch_report(store, [item(1, Outcome.INTERRUPTED)], RUN, started_at=1.8e9)
        second = store_batch_report(store, [item(1)], replace(RUN, try_number=3), started_at=1.8e9)
        assert first.report == second.report
        assert [row["outcome"] for row in written(store, second.report)["outcomes"]] == ["stored"]

    def test_an_unmapped_task_has_its_own_name(self, store: FileStore) -> None:
        assert store_batch_report(store, [], replace(RUN, map_index=-1), started_at=1.8e9).report == (
            f"{FOLDER}batches/export.json"
        )


class TestOfARun:
    REPORTER = RunInfo("nightly", "manual__2026-11-23", "report", date(2026, 11, 23))

    def test_batches_become_one_report(self, store: FileStore) -> None:
        store_batch_report(store, [item(1, size=5)], RUN, started_at=1.8e9)
        store_batch_report(store, [item(2, Outcome.GONE)], replace(RUN, map_index=1), started_at=1.9e9)
        store.replace(f"{FOLDER}batches/notes.txt", b"not a report")
        planned = [("course:1", CARTRIDGE), ("course:2", CARTRIDGE)]
        report = gather_run_report(store, self.REPORTER, planned)
        assert report.receipt.report == f"{FOLDER}report.json"
        assert report.receipt.outcomes == {"stored": 1, "gone": 1}
        assert report.receipt.size == 5
        assert sorted(report.outcomes) == [Outcome.GONE, Outcome.STORED]
        document = written(store, report.receipt.report)
        assert document["kind"] == "run"
        assert document["run"]["dag_id"] == "nightly"
        first_problem = next(line for line in report.table.splitlines() if "course:" in line)
        assert "why 2" in first_problem

    def test_what_was_planned_and_not_reported_was_interrupted(self, store: FileStore) -> None:
        store_batch_report(store, [item(1)], RUN, started_at=1.8e9)
        planned = [("course:1", CARTRIDGE), ("course:1", "zip"), ("course:2", CARTRIDGE)]
        report = gather_run_report(store, self.REPORTER, planned)
        rows = {
            (row["context"], row["export_type"]): (row["outcome"], row["reason"])
            for row in written(store, report.receipt.report)["outcomes"]
        }
        silent = ("interrupted", "its task ended without a report; read the task's log")
        assert rows["course:1", CARTRIDGE][0] == "stored"
        assert rows["course:1", "zip"] == rows["course:2", CARTRIDGE] == silent

    def test_where_batches_were_cut_anew_the_later_word_counts(self, store: FileStore) -> None:
        key = store_batch_report(store, [item(1, Outcome.DENIED)], RUN, started_at=1.8e9).report
        document = written(store, key)
        document["finished_at"] = "2026-11-23T02:00:00Z"
        for name, later in (("export-0", document), ("export-9", {**document, "outcomes": []})):
            store.replace(f"{FOLDER}batches/{name}.json", json.dumps(later).encode())
        store_batch_report(store, [item(1)], replace(RUN, map_index=5), started_at=1.8e9)
        assert gather_run_report(store, self.REPORTER, []).outcomes == [Outcome.STORED]
        document["finished_at"] = "2999-11-23T02:00:00Z"
        store.replace(f"{FOLDER}batches/export-0.json", json.dumps(document).encode())
        assert gather_run_report(store, self.REPORTER, []).outcomes == [Outcome.DENIED]

    @pytest.mark.parametrize(
        "data", [b"", b"half a docum", b"[]", b'{"schema": "another"}', b'{"outcomes": 7}', b"[" * 9999]
    )
    def test_a_damaged_document_costs_what_it_alone_would_tell_and_is_no_silence(
        self, store: FileStore, data: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        store_batch_report(store, [item(1)], RUN, started_at=1.8e9)
        store.replace(f"{FOLDER}batches/export-1.json", data)
        planned = [("course:1", CARTRIDGE), ("course:2", CARTRIDGE)]
        report = gather_run_report(store, self.REPORTER, planned)
        assert sorted(report.outcomes) == [Outcome.INTERRUPTED, Outcome.STORED]
        [row] = [row for row in report.view.records if row.outcome == "interrupted"]
        assert row.context == "course:2"
        assert "batches/export-1.json cannot be read" in row.reason
        assert caplog.text.count("batches/export-1.json cannot be read") == 1
        with pytest.raises(UnreadableDocumentError):  # where nobody knows what it would have told
            gather_run_report(store, self.REPORTER, [])
