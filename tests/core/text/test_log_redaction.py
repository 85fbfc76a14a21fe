"""Secrets everywhere, every log at every level: none is in any."""

from __future__ import annotations

import copy
import json
import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from canvas_exports.core.text.log_redaction import mask_secrets

REPOSITORY = Path(__file__).parents[3]


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
        [sys.executable, "-m", "tests.support.observability.logging_child", mode, str(told)],
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
def _own_factory() -> Iterator[None]:
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(logging.LogRecord)
    yield
    logging.setLogRecordFactory(before)


@pytest.mark.usefixtures("_own_factory")
class TestRecords:
    def test_one_without_a_secret_stays_as_it_was_made(self, caplog: pytest.LogCaptureFixture) -> None:
        mask_secrets("hush-hush")
        logging.getLogger("x").warning("%s of %d", "one", 2)
        (record,) = caplog.records
        assert (record.msg, record.args) == ("%s of %d", ("one", 2))

    def test_the_factory_of_somebody_else_goes_on_making_them(self, caplog: pytest.LogCaptureFixture) -> None:
        class Theirs(logging.LogRecord):
            theirs = True

        logging.setLogRecordFactory(Theirs)
        mask_secrets("hush-hush")
        mask_secrets("hush-again")
        logging.getLogger("x").warning("hush-hush and hush-again")
        (record,) = caplog.records
        assert record.__dict__["msg"] == "*** and ***"
        assert getattr(record, "theirs", False)

    def test_it_is_installed_once(self) -> None:
        mask_secrets("hush-hush")
        first = logging.getLogRecordFactory()
        mask_secrets("hush-again")
        assert logging.getLogRecordFactory() is first

    def test_arguments_that_do_not_fit_are_not_printed_as_they_are(
        self, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
    ) -> None:
        mask_secrets("hush-hush")
        two = "%s %s"
        logging.getLogger("x").warning(two, "hush-hush")
        assert "hush" not in caplog.text + capsys.readouterr().err

    def test_a_traceback_without_a_secret_stays_a_traceback(self, caplog: pytest.LogCaptureFixture) -> None:
        mask_secrets("hush-hush")
        try:
            int("plain")
        except ValueError:
            logging.getLogger("x").exception("it failed")
        (record,) = caplog.records
        assert record.exc_info is not None

    def test_handlers_that_come_later_get_no_other_records(self) -> None:
        mask_secrets("hush-hush")
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

    @pytest.mark.parametrize(
        "log",
        [
            lambda log: log.info("x", extra={"url": "https://host/a?sig=hush-hush"}),
            lambda log: log.info("x", extra={"request": {"headers": [{"X-Any": "hush-hush"}]}}),
            lambda log: log.info("x", extra={"deep": [[[[[[[[[[["hush-hush"]]]]]]]]]]]}),
            lambda log: log.info("x", extra={"password": "hush, which nobody told us of"}),
            lambda log: log.info("x", extra={"request": {"token": "hush, which nobody told us of"}}),
            lambda log: log.info("x", extra={"body": b"hush-hush"}),
            lambda log: log.info("x", extra={"object": ShownInFullError("hush-hush")}),
            lambda log: log.info("%s", ShownInFullError("hush-hush")),
            lambda log: log.info(ShownInFullError("hush-hush")),
            lambda log: log.info("%(one)s", {"one": 1, "other": "hush-hush"}),
            lambda log: log.info("%.2s", "hush-hush"),
            lambda log: logging.LoggerAdapter(log, {"anything": "hush-hush"}).info("x"),
            lambda log: log.info("x", exc_info=ShownInFullError("hush-hush")),
            lambda log: log.handle(
                logging.makeLogRecord(
                    {"levelno": logging.INFO, "msg": "a %s", "args": ("hush-hush",), "more": "hush-hush"}
                )
            ),
        ],
    )
    def test_a_formatter_that_prints_all_of_a_record_finds_no_secret(self, log: Any) -> None:
        """As those do that write JSON for a log store, or send records to another process."""
        mask_secrets("hush-hush")
        logger, handler = logging.getLogger("a.library"), Everything()
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        log(logger)
        logger.removeHandler(handler)
        assert len(handler.seen) == 1
        assert "hush" not in handler.seen[0]

    def test_what_extra_says_stays_what_it_is_where_nothing_is_to_be_hidden(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        mask_secrets("hush-hush")
        given = {"a": [1, ("b", None)], "c": object()}
        logging.getLogger("x").warning("y", extra={"given": given, "number": 7})
        (record,) = caplog.records
        assert record.__dict__["given"] is given
        assert record.__dict__["number"] == 7

    def test_a_record_can_be_copied_and_sent_to_another_process(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        mask_secrets("hush-hush")
        logging.getLogger("x").warning("y", extra={"given": 7})
        (record,) = caplog.records
        for other in (copy.copy(record), pickle.loads(pickle.dumps(record))):  # noqa: S301
            assert (other.getMessage(), other.__dict__["given"]) == ("y", 7)


class ShownInFullError(Exception):
    """As an object of a library may be: its ``repr`` tells more than its ``str``."""

    def __init__(self, secret: str) -> None:
        super().__init__("an error")
        self._secret = secret

    def __repr__(self) -> str:
        return f"ShownInFullError({self._secret})"


class Everything(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(f"{record.getMessage()} {record.__dict__}")
