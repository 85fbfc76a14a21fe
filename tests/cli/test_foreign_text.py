"""What Canvas, stores and packages call things does nothing to a terminal, a log, a page, a spreadsheet or a mail."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.archives.holdings import lay, manifest
from tests.support.archives.run_reports import report

from canvas_exports.cli.main import main
from canvas_exports.core.archive.run_report import OutcomeRecord
from canvas_exports.core.export.engine.items import Item
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.model.runs import RunInfo
from canvas_exports.core.packages.proof import Finding, Severity, Verdict
from canvas_exports.core.reports.message import message
from canvas_exports.core.reports.page.write import CSV_TABLE, PAGE
from canvas_exports.core.reports.run_report import gather_run_report, store_batch_report
from canvas_exports.core.reports.run_table import table
from canvas_exports.core.restore.result import canvas_text
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import (
    ArchiveUnavailableError,
    CanvasError,
    CanvasExportsError,
    InputError,
    ObjectNotFoundError,
    PackageError,
    ProblemsError,
    UnreadableDocumentError,
)

#: ESC, BEL, C1's CSI and NEL, bidi overrides and isolates, both Unicode line ends, line breaks, a tag, a lone surrogate.
HOSTILE = "a\x1b[2J\x07\x9b31m\x85FORGED\u202efdp.exe\u2066\u2028FORGED\u2029FORGED\r\nFORGED\vFORGED\x00\u200b\ufeff\U000e0041\ud800<b>"
_WILD = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
RUN = RunInfo("nightly", "manual__1", "export", date(2026, 11, 23))


def tame(text: str) -> None:
    """Nothing but printable characters and our own line ends."""
    assert not _WILD.search(text)
    assert not re.search(r"^\W*FORGED", text, flags=re.MULTILINE)
    assert all(each.isprintable() or each == "\n" for each in text)


@pytest.fixture
def archive(tmp_path: Path) -> FileStore:
    """One course in which everything has a hostile name, and what a run says of it."""
    store = FileStore(tmp_path.as_uri(), tmp_path)
    facts = {"name": HOSTILE, "course_code": HOSTILE, "sis_id": HOSTILE, "term": HOSTILE}
    made = manifest("course:101", verdict=Verdict.INCOMPLETE, facts=facts)
    finding = Finding(HOSTILE, Severity.ERROR, HOSTILE, HOSTILE)
    made = replace(
        made,
        proof=replace(made.proof, findings=(finding,)),
        run=replace(made.run, dag_id=HOSTILE),
        export=replace(made.export, canvas_host="canvas\x1b"),
    )
    lay(store, made)
    lay(store, manifest("course:101", day=1, export_id=502, facts=facts))
    report(
        store,
        OutcomeRecord(
            "course:102", "common_cartridge", "failed", HOSTILE, HOSTILE, problem=True, name=HOSTILE
        ),
        OutcomeRecord(
            f"course:sis_course_id:{HOSTILE}", HOSTILE, HOSTILE, HOSTILE, problem=True, findings=HOSTILE
        ),
        run_id=HOSTILE,
        dag_id=HOSTILE,
    )
    return store


@pytest.mark.parametrize(
    "arguments",
    [
        ["missing"],
        ["history", "101"],
        ["history", "102"],
        ["list", "101"],
        ["find", "FORGED"],
        ["find", HOSTILE],
        ["search-index"],
        ["search", "FORGED", "--term", HOSTILE],
        ["search", HOSTILE],
        ["search", "--host", HOSTILE],
        ["stats"],
        ["get", "101", "--copy", "501", "--allow-incomplete", "--file", HOSTILE],
        ["get", "101", "--copy", HOSTILE],
        ["runs"],
        ["runs", HOSTILE],
        ["ages"],
        ["verify"],
        ["hold"],
        ["retention", "--keep-last", "1"],
        ["retention", "--keep-last", "1", "--hold-term", HOSTILE],
        ["compare", "101"],
        ["history", HOSTILE],
        ["compare", "101", "--to", HOSTILE],
        ["missing", "--courses", f"/nowhere/{HOSTILE.replace(chr(0), '')}.csv"],
    ],
    ids=lambda arguments: "-".join(arguments[:2] if arguments[-1].isascii() else [arguments[0], "hostile"]),
)
@pytest.mark.parametrize("as_json", [False, True], ids=["table", "json"])
def test_the_terminal(
    archive: FileStore, capsys: pytest.CaptureFixture[str], arguments: list[str], *, as_json: bool
) -> None:
    main([*arguments, "--archive", archive.uri, *(["--json"] if as_json else [])])
    told = capsys.readouterr()
    tame(told.err)
    tame(told.out)
    if as_json and told.out:
        assert told.out.isascii()
        json.loads(told.out)


def test_the_report_its_page_its_sheet_its_mail_and_the_log(
    archive: FileStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bad = Item("course:101", "common_cartridge", outcome=Outcome.INCOMPLETE, reason=HOSTILE, label=HOSTILE)
    bad = replace(bad, key=manifest("course:101").package.key)
    worse = Item("course:102", "common_cartridge", outcome=Outcome.FAILED, reason=HOSTILE, label=HOSTILE)
    store_batch_report(archive, [bad, worse], RUN, started_at=1.8e9)
    batches = "runs/2026-11-23/nightly/manual__1/batches/"
    archive.replace(f"{batches}odd.json", json.dumps({"schema": HOSTILE, "outcomes": HOSTILE}).encode())
    made = gather_run_report(archive, RUN, [("course:101", "common_cartridge"), (f"course:{HOSTILE}", "zip")])
    for record in made.view.records:
        tame(record.reason)
    tame(made.table)
    tame(made.page.decode())
    assert "<b>" not in made.page.decode()
    mail = message(made.view, url="https://airflow.example.edu/report")
    for text in (mail.subject, mail.text, mail.html):
        tame(text)
    assert "\n" not in mail.subject
    folder = batches.removesuffix("batches/")
    assert archive.read(folder + PAGE) == made.page
    rows = list(csv.reader(io.StringIO(archive.read(folder + CSV_TABLE).decode("utf-8-sig"))))
    for cell in (cell for row in rows for cell in row):
        tame(cell)
        assert "\n" not in cell
    for told in caplog.records:
        tame(told.getMessage())
        assert "\n" not in told.getMessage()


ERRORS = [
    CanvasExportsError,
    PackageError,
    ObjectNotFoundError,
    ArchiveUnavailableError,
    UnreadableDocumentError,
    lambda text: InputError(text, text, accepted=[text]),
    lambda text: CanvasError(text, context=text, request=text, request_id=text),
    lambda text: ArchiveUnavailableError(text, key=text),
    lambda text: UnreadableDocumentError("it is odd", key=text),
]


@given(st.sampled_from(ERRORS), st.text() | st.just(HOSTILE))
def test_every_error_of_ours_is_one_tame_line(build: object, text: str) -> None:
    error = build(text)  # type: ignore[operator]
    assert str(error).isprintable()
    assert error.message.isprintable()
    assert len(str(error)) < 7000


def test_problems_of_several_files_stand_on_lines_of_their_own() -> None:
    error = ProblemsError("backups", f"a:\n{HOSTILE.replace(chr(10), '')}\nb")
    assert str(error).count("\n") == 2
    tame(str(error))


@given(st.text(), st.text(), st.text())
def test_a_table_of_outcomes_has_no_line_that_we_did_not_write(name: str, reason: str, key: str) -> None:
    row = OutcomeRecord("course:1", "zip", "failed", reason, name=name, key=key)
    text = table([row])
    tame(text)
    assert len(text.splitlines()) == len(text.split("\n"))


@given(st.text())
def test_what_canvas_notes_is_one_tame_line(text: str) -> None:
    told = canvas_text(text)
    assert told.isprintable()
    assert told
