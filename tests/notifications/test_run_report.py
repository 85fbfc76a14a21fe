"""Who is told what: by a real mail to a real server, from a task under Airflow's own runner."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.sdk import BaseNotifier
from tests.support.airflow.task_runner import TaskRun
from tests.support.exports.batch_reports import batch
from tests.support.observability.smtp_server import MailServer

from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.reports.message import Message
from canvas_exports.errors import InputError
from canvas_exports.notifications.run_report import HTML, SUBJECT, TEXT, RunReportNotifier
from canvas_exports.operators.list_courses import CanvasListCoursesOperator
from canvas_exports.operators.run_report import CanvasRunReportOperator

REGISTRAR = "registrar@example.edu"


class Chat(BaseNotifier):
    """A notifier of somebody else's, for a text and a field of its own."""

    template_fields = ("text", "channel")
    sent: list[tuple[str | None, str]] = []  # noqa: RUF012 - of all of them together

    def __init__(self, *, channel: str, text: str | None = None) -> None:
        super().__init__()
        self.channel = channel
        self.text = text

    def notify(self, _: Any) -> None:
        self.sent.append((self.text, self.channel))


@pytest.fixture(autouse=True)
def _nothing_said_yet() -> None:
    Chat.sent.clear()


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


def report_task(
    folder: Path, *notifiers: RunReportNotifier, fail_on: str = "any", **connections: Any
) -> TaskRun:
    return TaskRun(
        lambda: CanvasRunReportOperator(
            task_id="report",
            archive=folder.as_uri(),
            fail_on=fail_on,
            on_success_callback=list(notifiers),
            on_failure_callback=list(notifiers),
        ),
        connections,
    )


def test_a_night_with_problems_is_a_mail_with_the_verdict_and_the_courses(
    tmp_path: Path, server: MailServer
) -> None:
    batch(tmp_path, 0, c1=Outcome.STORED, c2=Outcome.GONE, c3=Outcome.FAILED)
    task = report_task(
        tmp_path, RunReportNotifier(SmtpNotifier(to=REGISTRAR)), smtp_default=server.connection
    )
    assert task.run_segment() == "failed"
    (mail,) = server.mails
    assert mail["subject"] == "campus_backup: 2 of 3 exports without a good copy"
    assert (mail["to"], mail["from"]) == (REGISTRAR, "airflow@example.edu")
    body = mail.get_body(("html",))
    assert body is not None
    content = body.get_content()
    assert "course:2" in content
    assert "course:3" in content
    assert "course:1<" not in content
    assert Outcome.GONE.next_step in content.replace("&#39;", "'")


def test_a_good_night_is_no_mail_unless_it_is_asked_for(tmp_path: Path, server: MailServer) -> None:
    batch(tmp_path, 0, c1=Outcome.STORED)
    quiet = RunReportNotifier(SmtpNotifier(to=REGISTRAR))
    assert report_task(tmp_path, quiet, smtp_default=server.connection).run_segment() == "success"
    assert server.mails == []
    chatty = RunReportNotifier(SmtpNotifier(to=REGISTRAR), when="always")
    assert report_task(tmp_path, chatty, smtp_default=server.connection).run_segment() == "success"
    assert [mail["subject"] for mail in server.mails] == ["campus_backup: the only export ended well"]


def test_problems_are_reported_though_the_policy_lets_the_run_pass(tmp_path: Path) -> None:
    batch(tmp_path, 0, c1=Outcome.STORED, c2=Outcome.GONE)
    task = report_task(tmp_path, RunReportNotifier(Chat(channel="it")), fail_on="never")
    assert task.run_segment() == "success"
    ((text, channel),) = Chat.sent
    assert channel == "it"
    assert text is not None
    assert text.startswith("1 of 2 exports ended without a good copy.")
    assert str(tmp_path) in text, "where the report lies"


def test_a_template_of_ones_own_may_use_all_of_it(tmp_path: Path) -> None:
    batch(tmp_path, 0, c2=Outcome.GONE)
    own = Chat(
        channel="{{ dag.dag_id }}",
        text="{{ run_report.problems }}: {{ run_report.subject }} {{ ti.task_id }}",
    )
    report_task(tmp_path, RunReportNotifier(own)).run_segment()
    assert Chat.sent == [("1: campus_backup: 1 of 1 exports without a good copy report", "campus_backup")]


def test_no_course_is_taken_for_a_template(tmp_path: Path) -> None:
    batch(tmp_path, 0, **{"c{{ 7 * 7 }}": Outcome.GONE})
    report_task(tmp_path, RunReportNotifier(Chat(channel="it"))).run_segment()
    ((text, _),) = Chat.sent
    assert text is not None
    assert "course:{{ 7 * 7 }}" in text
    assert "course:49" not in text  # a path or a time may hold 49


def test_a_report_that_cannot_be_written_is_reported_with_its_reason(tmp_path: Path) -> None:
    task = report_task(tmp_path, RunReportNotifier(Chat(channel="it")), fail_on="maybe")
    assert task.run_segment() == "failed"
    ((text, _),) = Chat.sent
    assert text is not None
    assert "This run has no report: the task report failed: fail_on" in text


def test_a_list_that_failed_is_reported_too() -> None:
    notifier = RunReportNotifier(Chat(channel="it"))
    task = TaskRun(
        lambda: CanvasListCoursesOperator(
            task_id="list", courses=["course:x y"], on_failure_callback=[notifier]
        ),
        {},
    )
    assert task.run_segment() == "failed"
    ((text, _),) = Chat.sent
    assert text is not None
    assert "the task list failed" in text


def test_a_mail_that_cannot_be_sent_changes_nothing(tmp_path: Path) -> None:
    batch(tmp_path, 0, c1=Outcome.STORED)
    nobody = {
        "conn_type": "smtp",
        "host": "127.0.0.1",
        "port": 9,
        "extra": '{"disable_ssl": true, "disable_tls": true, "retry_limit": 0}',
    }
    notifier = RunReportNotifier(SmtpNotifier(to=REGISTRAR), when="always")
    assert report_task(tmp_path, notifier, smtp_default=nobody).run_segment() == "success"


def test_fields_that_somebody_filled_stay_as_they_are() -> None:
    filled = SmtpNotifier(to=REGISTRAR, subject="Tonight")
    RunReportNotifier(filled)
    assert (filled.subject, filled.html_content) == ("Tonight", HTML)
    bare = SmtpNotifier(to=REGISTRAR)
    RunReportNotifier(bare)
    assert (bare.subject, bare.html_content, bare.mime_charset) == (SUBJECT, HTML, "utf-8")
    assert RunReportNotifier(Chat(channel="it")).notifier.text == TEXT  # type: ignore[attr-defined] # Chat has one


def test_another_when_is_refused() -> None:
    with pytest.raises(InputError, match="'never' is not known"):
        RunReportNotifier(Chat(channel="it"), when="never")


@pytest.mark.parametrize(("alarms", "sent"), [(0, []), (1, [("nightly: 1 alarm", "it")])])
def test_an_alarm_is_a_mail_although_nothing_failed(alarms: int, sent: list[tuple[str, str]]) -> None:
    told = Message("nightly", "nightly: 1 alarm", "<p>", problems=0, alarms=alarms)
    instance = SimpleNamespace(task=SimpleNamespace(message=told))
    RunReportNotifier(Chat(channel="it", text="{{ run_report.text }}")).notify({"ti": instance})  # type: ignore[typeddict-item] # enough of one
    assert Chat.sent == sent
