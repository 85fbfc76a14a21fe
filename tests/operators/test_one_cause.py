"""One cause, one message: many exports that one thing ended are one sentence with one next step, and the rest stays as it is."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import BaseNotifier
from tests.support.airflow.export_task import CANVAS
from tests.support.airflow.task_runner import TaskRun
from tests.support.archives.run_reports import outcome, report
from tests.support.exports.batch_reports import batch

from canvas_exports.cli.main import main
from canvas_exports.core.archive.catalog.runs import reports, summary_of
from canvas_exports.core.model.causes import Cause
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import ArchiveDeniedError
from canvas_exports.notifications.run_report import RunReportNotifier
from canvas_exports.operators.content_export import CanvasContentExportOperator
from canvas_exports.operators.list_courses import CanvasListCoursesOperator
from canvas_exports.operators.run_report import CanvasRunReportOperator
from canvas_sandbox import RequestFault, Sandbox

#: The batches of a night: of the first, one course is gone whatever else happens.
GOOD, LATER, LAST = ("100", "101", "103"), ("102", "106"), ("109",)


class Chat(BaseNotifier):
    template_fields = ("text",)
    sent: list[str] = []  # noqa: RUF012 - of all of them together

    def __init__(self, text: str | None = None) -> None:
        super().__init__()
        self.text = text

    def notify(self, _: Any) -> None:
        self.sent.append(str(self.text))


@pytest.fixture(autouse=True)
def _nothing_said_yet() -> None:
    Chat.sent.clear()


class Night:
    """The tasks of one run, each under Airflow's own runner."""

    def __init__(self, canvas: Sandbox, folder: Path) -> None:
        self.canvas = canvas
        self.archive = folder.as_uri()
        self.folder = folder
        self.connections = {CANVAS: {"conn_type": "canvas", "host": canvas.url, "password": canvas.token}}

    def batch(self, courses: Sequence[str], retries: int = 0) -> TaskRun:
        return TaskRun(
            lambda: CanvasContentExportOperator(
                task_id=f"export_{courses[0]}",
                courses=list(courses),
                archive=self.archive,
                fail_on="never",
                deferrable=True,
                poll_shortest=0.2,
                poll_longest=0.5,
                retries=retries,
            ),
            self.connections,
            retries,
        )

    def report(self) -> TaskRun:
        notifiers = [RunReportNotifier(Chat())]
        planned = [[f"course:{course}" for course in batch] for batch in (GOOD, LATER, LAST)]
        task_run = TaskRun(
            lambda: CanvasRunReportOperator(
                task_id="report",
                archive=self.archive,
                batches=planned,
                on_success_callback=notifiers,
                on_failure_callback=notifiers,
            ),
            {},
        )
        assert task_run.run_segment() == "failed"
        return task_run

    @property
    def document(self) -> dict[str, Any]:
        (path,) = self.folder.glob("runs/**/report.json")
        document: dict[str, Any] = json.loads(path.read_text())
        return document

    @property
    def page(self) -> str:
        (path,) = self.folder.glob("runs/**/report.html")
        return path.read_text()

    @property
    def outcomes(self) -> dict[str, str]:
        return {row["context"].partition(":")[2]: row["outcome"] for row in self.document["outcomes"]}


@pytest.fixture
def night(canvas: Sandbox, tmp_path: Path) -> Night:
    return Night(canvas, tmp_path)


def is_one_message(night: Night, cause: Cause, ended: Sequence[str], task_run: TaskRun) -> None:
    """Every place says the cause once, names what else was wrong, and lists none of the exports that it ended."""
    (found,) = night.document["causes"]
    assert (found["code"], found["exports"]) == (cause.value, len(ended))
    assert {row["cause"] for row in night.document["outcomes"] if "cause" in row} == {cause.value}
    (text,) = Chat.sent
    assert text.count(cause.sentence) == 1
    assert text.count(cause.next_step) == 1
    assert "course:103: gone" in text
    assert not [course for course in ended if f"course:{course}: " in text]
    assert night.page.count(cause.next_step) == 1
    assert str(task_run.error).count(cause.sentence) == 1
    assert cause.sentence in task_run.supervisor.xcoms["canvas_run_note"]
    with FileStore(night.archive, night.folder) as store:
        (key,) = reports(store)
        assert [each.code for each in summary_of(store, key.key).causes] == [cause.value]


def test_a_token_revoked_in_the_middle_of_a_night(
    night: Night, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    assert night.batch(GOOD).run_to_end() == "success"
    later = night.batch(LATER, retries=3)
    assert later.run_segment() == "deferred"
    night.canvas.revoke(night.canvas.token)
    later.run_trigger()
    assert later.run_segment() == "failed", "a retry cannot help"
    caplog.clear()
    before = len(night.canvas.requests)
    assert night.batch(LAST, retries=3).run_segment() == "failed"
    assert len(night.canvas.requests) - before == 1, "each batch asks once"
    assert len([line for line in caplog.records if line.levelno >= logging.WARNING]) <= 2
    is_one_message(night, Cause.CREDENTIAL, (*LATER, *LAST), night.report())
    assert night.outcomes == {
        "100": "stored",
        "101": "stored",
        "103": "gone",
        **dict.fromkeys((*LATER, *LAST), "interrupted"),
    }
    capsys.readouterr()
    assert main(["runs", "--archive", night.archive]) == 0
    assert Cause.CREDENTIAL.sentence in capsys.readouterr().out
    assert main(["runs", "--archive", night.archive, "manual__2026-11-23"]) == 0
    table = " ".join(capsys.readouterr().out.split())
    assert table.count(Cause.CREDENTIAL.next_step) == 1
    assert "course:103" in table.partition("CONTEXT")[2]
    assert "course:109" not in table.partition("CONTEXT")[2]


def test_canvas_in_maintenance(night: Night) -> None:
    assert night.batch(GOOD).run_to_end() == "success"
    night.canvas.inject(RequestFault("maintenance", times=None))
    assert night.batch((*LATER, *LAST)).run_segment() == "failed"
    is_one_message(night, Cause.CANVAS_UNAVAILABLE, (*LATER, *LAST), night.report())


def test_a_bucket_that_denies_packages(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    assert night.batch(GOOD).run_to_end() == "success"

    put = FileStore.put

    def denied(store: FileStore, key: str, blocks: Any) -> None:
        if key.startswith("courses/"):
            raise ArchiveDeniedError("the policy of the bucket denies this", key=key)
        put(store, key, blocks)

    monkeypatch.setattr(FileStore, "put", denied)
    for courses in (LATER, LAST):
        assert night.batch(courses, retries=3).run_to_end() == "failed", "a retry cannot help"
    is_one_message(night, Cause.ARCHIVE_DENIED, (*LATER, *LAST), night.report())


def test_a_repaired_token_leaves_no_cause(night: Night) -> None:
    good = night.connections[CANVAS]
    later = night.batch(LATER)
    night.connections[CANVAS] = {**good, "password": "1~revoked"}
    assert later.run_segment() == "failed"
    assert {item["cause"] for item in later.checkpoint["items"]} == {"credential"}
    night.connections[CANVAS] = good
    later.clear()
    assert later.run_to_end() == "success"
    assert not [item for item in later.checkpoint["items"] if "cause" in item]


def test_a_list_that_lost_half_of_its_courses(tmp_path: Path) -> None:
    courses = range(201, 221)
    with FileStore(tmp_path.as_uri(), tmp_path) as store:
        last = [outcome(f"course:{course}", "stored") for course in courses]
        report(store, *last, day=date(2026, 11, 22), dag_id="campus_backup", run_id="the_night_before")
    batch(tmp_path, 0, **{f"c{course}": Outcome.STORED for course in courses[:10]})
    task_run = TaskRun(
        lambda: CanvasRunReportOperator(
            task_id="report",
            archive=tmp_path.as_uri(),
            batches=[[f"course:{course}" for course in courses[:10]]],
            on_success_callback=[RunReportNotifier(Chat())],
        ),
        {},
    )
    assert task_run.run_segment() == "success", "what was exported is fine"
    (text,) = Chat.sent
    assert "Each of the 10 exports of this run ended well." in text
    alarms = text.partition("Alarm: ")[2]
    assert alarms.count("The list of courses lost 10, course:211 among them") == 1
    assert alarms.count("check the rights of the token's user") == 1
    assert "Alarm: " not in alarms, "and no other"


@pytest.mark.parametrize(
    ("fault", "cause"), [("token", Cause.CREDENTIAL), ("maintenance", Cause.CANVAS_UNAVAILABLE)]
)
def test_a_list_that_fails_by_it_is_one_message_too(night: Night, fault: str, cause: Cause) -> None:
    if fault == "token":
        night.canvas.revoke(night.canvas.token)
    else:
        night.canvas.inject(RequestFault(fault, times=None))
    task_run = TaskRun(
        lambda: CanvasListCoursesOperator(
            task_id="list", account="1", on_failure_callback=[RunReportNotifier(Chat())]
        ),
        night.connections,
    )
    assert task_run.run_segment() == "failed"
    (text,) = Chat.sent
    assert text.startswith("This run has no report: the task list failed")
    assert text.count(cause.next_step) == 1
