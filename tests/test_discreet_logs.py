"""Secrets everywhere, every log at every level: none is in any."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from canvas_exports import discreet_logs, redaction
from canvas_exports.discreet_logs import keep_secret

REPOSITORY = Path(__file__).parents[1]


@pytest.mark.parametrize("mode", ["task", "component", "plain"])
def test_no_log_of_any_library_holds_a_secret(mode: str, tmp_path: Path) -> None:
    """As in a task, in a triggerer or another component of Airflow, and in a program without it."""
    told = tmp_path / "secrets"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path]),
        "AIRFLOW_HOME": str(tmp_path),
        "NO_PROXY": "127.0.0.1",
    }
    ran = subprocess.run(
        [sys.executable, "-m", "tests.logging_child", mode, str(told)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    said = ran.stdout + ran.stderr
    for loud in (
        "Failed to parse headers",
        "paramiko",
        "smart_open",
        "botocore",
        "it failed",
        "at the lowest level",
    ):
        assert loud in said or (mode != "plain" and loud == "at the lowest level"), (
            f"{loud}: nothing was tested"
        )
    for secret in json.loads(told.read_text()):
        for written in {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}:
            lines = [line for line in said.splitlines() if written in line]
            assert not lines, f"{written}: {lines[0][:500]}"


@pytest.fixture
def _own_factory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = logging.getLogRecordFactory()
    monkeypatch.setattr(redaction, "_known", ())
    logging.setLogRecordFactory(logging.LogRecord)
    yield
    logging.setLogRecordFactory(before)


@pytest.mark.usefixtures("_own_factory")
class TestRecords:
    def test_one_without_a_secret_stays_as_it_was_made(self, caplog: pytest.LogCaptureFixture) -> None:
        keep_secret("hush-hush")
        logging.getLogger("x").warning("%s of %d", "one", 2)
        (record,) = caplog.records
        assert (record.msg, record.args) == ("%s of %d", ("one", 2))

    def test_the_factory_of_somebody_else_goes_on_making_them(self, caplog: pytest.LogCaptureFixture) -> None:
        class Theirs(logging.LogRecord):
            theirs = True

        logging.setLogRecordFactory(Theirs)
        keep_secret("hush-hush")
        keep_secret("hush-again")
        logging.getLogger("x").warning("hush-hush and hush-again")
        (record,) = caplog.records
        assert record.__dict__["msg"] == "*** and ***"
        assert getattr(record, "theirs", False)

    def test_it_is_installed_once(self) -> None:
        keep_secret("hush-hush")
        first = logging.getLogRecordFactory()
        keep_secret("hush-again")
        assert logging.getLogRecordFactory() is first
        assert isinstance(first, discreet_logs._Factory)

    def test_arguments_that_do_not_fit_are_not_printed_as_they_are(
        self, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
    ) -> None:
        keep_secret("hush-hush")
        two = "%s %s"
        logging.getLogger("x").warning(two, "hush-hush")
        assert "hush" not in caplog.text + capsys.readouterr().err

    def test_a_traceback_without_a_secret_stays_a_traceback(self, caplog: pytest.LogCaptureFixture) -> None:
        keep_secret("hush-hush")
        try:
            int("plain")
        except ValueError:
            logging.getLogger("x").exception("it failed")
        (record,) = caplog.records
        assert record.exc_info is not None

    def test_handlers_that_come_later_get_no_other_records(self) -> None:
        keep_secret("hush-hush")
        seen: list[str] = []

        class Late(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                seen.append(f"{record.__dict__}")

        late, child = Late(), logging.getLogger("parent.child")
        logging.getLogger("parent").addHandler(late)
        child.error("https://host/a?hush=1 %s", {"token": "hush-hush"})
        logging.getLogger("parent").removeHandler(late)
        assert len(seen) == 1
        assert "hush" not in seen[0]
