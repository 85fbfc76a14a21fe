"""A task that fails ends its log with one line of level ERROR, which says what to do, and with no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
from airflow.sdk import BaseOperator
from structlog.testing import capture_logs
from tests.support.airflow.task_runner import NEEDS_STATE_STORE, TaskRun

from canvas_exports.airflow_compat import AirflowFailException
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import ArchiveUnavailableError, CredentialError
from canvas_exports.operators.archive_gate import CanvasArchiveGateOperator
from canvas_exports.operators.content_export import CanvasContentExportOperator
from canvas_exports.operators.drill import CanvasDrawDrillsOperator, CanvasRestoreDrillOperator
from canvas_exports.operators.list_courses import CanvasListCoursesOperator
from canvas_exports.operators.restore import CanvasRestoreOperator
from canvas_exports.operators.retention import CanvasRetentionOperator
from canvas_exports.operators.run_report import CanvasRunReportOperator
from canvas_exports.operators.task_support.task_context import AirflowErrors, BatchInterruptedError
from canvas_exports.operators.verify import CanvasVerifyOperator
from canvas_sandbox import RequestFault, Sandbox

PLUGINS = str(Path(__file__).parents[3] / "plugins")
Make = Callable[[str], BaseOperator]

#: Every operator, with an archive that cannot be: the words of the error line name the field.
REFUSED: list[Make] = [
    lambda archive: CanvasContentExportOperator(task_id="t", courses=["100"], archive=archive),
    lambda archive: CanvasListCoursesOperator(task_id="t", courses=["100"], archive=archive),
    lambda archive: CanvasRunReportOperator(task_id="t", archive=archive),
    lambda archive: CanvasArchiveGateOperator(task_id="t", courses=["100"], archive=archive),
    lambda archive: CanvasRetentionOperator(task_id="t", archive=archive, keep={"last": 3}),
    lambda archive: CanvasVerifyOperator(task_id="t", archive=archive),
    lambda archive: CanvasRestoreOperator(task_id="t", archive=archive, course="100", into="101"),
    lambda archive: CanvasRestoreDrillOperator(task_id="t", archive=archive, course="100", into="101"),
    lambda archive: CanvasDrawDrillsOperator(task_id="t", archive=archive, into=["106"]),
]


def task_run(canvas: Sandbox, make: Callable[[], BaseOperator], retries: int = 0) -> TaskRun:
    connections = {"canvas_default": {"conn_type": "canvas", "host": canvas.url, "password": canvas.token}}
    return TaskRun(make, connections, retries)


def segment(one: TaskRun) -> tuple[str, list[Any]]:
    """Run a stretch of a task, and read its log."""
    with capture_logs() as lines:
        state = one.run_segment()
    return state, [line for line in lines if line["log_level"] in ("error", "critical")]


def told(lines: list[Any]) -> str:
    """The one line of level ERROR, which has no traceback."""
    assert [set(line) for line in lines] == [{"event", "log_level"}], lines
    (line,) = lines
    assert "\n" not in line["event"]
    return str(line["event"])


def logged(*methods: Callable[[], None]) -> list[Any]:
    """What the log has of their errors, as Airflow's task runner tells them, in one process."""
    log = structlog.get_logger()
    with capture_logs() as lines:
        for method in methods:
            try:
                method()
            except Exception:  # noqa: PERF203 - there are one or two
                log.exception("Task failed with exception")
    return lines


@pytest.mark.parametrize("make", REFUSED, ids=lambda make: type(make("file:///x")).__name__)
def test_bad_input_is_one_line_that_names_the_field(canvas: Sandbox, make: Make) -> None:
    state, errors = segment(task_run(canvas, lambda: make("gopher://nowhere"), retries=3))
    assert state == "failed", "a retry cannot help"
    assert told(errors).startswith(("archive: ", "Target courses: ")), (
        "a drill asks first whether there is room"
    )


@pytest.mark.parametrize("make", REFUSED[:-1], ids=lambda make: type(make("file:///x")).__name__)
def test_an_archive_that_is_down_is_one_line_and_retried(
    canvas: Sandbox, tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> Any:
        try:
            Path("/nowhere/at/all").read_bytes()
        except OSError as error:
            raise ArchiveUnavailableError("the archive is down", key="courses/100/x.json") from error

    for name in ("list", "read", "stat", "replace", "put", "put_if_absent"):
        monkeypatch.setattr(FileStore, name, fail)
    state, errors = segment(task_run(canvas, lambda: make(tmp_path.as_uri()), retries=3))
    assert state == "up_for_retry"
    assert "the archive is down" in told(errors)


def test_a_refused_token_is_one_line_that_says_what_to_do(canvas: Sandbox, tmp_path: Path) -> None:
    canvas.inject(RequestFault("bad_token", times=None))
    make = REFUSED[0]
    state, errors = segment(task_run(canvas, lambda: make(tmp_path.as_uri()), retries=3))
    assert state == "failed"
    line = told(errors)
    assert "enter a new one" in line
    assert "HTTP 401" in line


def test_a_policy_that_is_not_met_is_one_line(canvas: Sandbox, tmp_path: Path) -> None:
    state, errors = segment(
        task_run(
            canvas,
            lambda: CanvasContentExportOperator(
                task_id="t", courses=["103"], archive=tmp_path.as_uri(), deferrable=False
            ),
        )
    )
    assert state == "failed"
    assert told(errors).startswith("1 of 1 exports have no whole copy (1 gone)")


def test_so_it_is_after_a_deferral(canvas: Sandbox, tmp_path: Path) -> None:
    one = task_run(
        canvas,
        lambda: CanvasContentExportOperator(
            task_id="t", courses=["100"], archive=tmp_path.as_uri(), deferrable=True, poll_shortest=0.2
        ),
        retries=2,
    )
    assert segment(one) == ("deferred", [])
    canvas.inject(RequestFault("bad_token", times=None))
    one.run_trigger()
    state, errors = segment(one)
    assert state == "failed"
    assert "Canvas does not accept the token" in told(errors)


@NEEDS_STATE_STORE
def test_a_refused_token_is_not_hidden_by_an_archive_that_is_down_too(
    canvas: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be written down about an attempt must not turn its permanent error into a retry."""

    def fail(*_: object, **__: object) -> Any:
        raise ArchiveUnavailableError("the archive is down")

    one = task_run(
        canvas,
        lambda: CanvasContentExportOperator(
            task_id="t", courses=["100"], archive=tmp_path.as_uri(), deferrable=True, poll_shortest=0.2
        ),
        retries=3,
    )
    assert one.run_segment() == "deferred"
    one.run_trigger()
    canvas.inject(RequestFault("bad_token", times=None))
    for name in ("list", "read", "stat", "replace", "put", "put_if_absent"):
        monkeypatch.setattr(FileStore, name, fail)
    state, errors = segment(one)
    assert state == "failed"
    assert "Canvas does not accept the token" in told(errors)


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (CredentialError("the token is\nrefused"), AirflowFailException, "the token is refused"),
        (ArchiveUnavailableError("the archive is down"), ArchiveUnavailableError, "the archive is down"),
        (BatchInterruptedError("unfinished"), BatchInterruptedError, "unfinished"),
        (AirflowFailException("the policy"), AirflowFailException, "the policy"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_no_error_of_ours_brings_what_caused_it(error: Exception, kind: type[Exception], text: str) -> None:
    @AirflowErrors()
    def execute() -> None:
        try:
            dict[str, int]()["the cause"]
        except KeyError as cause:
            raise error from cause

    with pytest.raises(kind) as caught:
        execute()
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert told(logged(execute)) == text


def test_a_mistake_of_the_software_keeps_its_traceback() -> None:
    @AirflowErrors()
    def execute() -> None:
        raise KeyError("odd")

    assert logged(execute) == [
        {"event": "Task failed with exception", "exc_info": True, "log_level": "error"}
    ]


def test_the_errors_of_other_tasks_in_the_same_process_keep_theirs() -> None:
    @AirflowErrors()
    def execute() -> None:
        raise CredentialError("ours")

    def other() -> None:
        raise CredentialError("of somebody else")

    ours, theirs = logged(execute, other)
    assert ours == {"event": "ours", "log_level": "error"}
    assert theirs == {"event": "Task failed with exception", "exc_info": True, "log_level": "error"}


PROCESS = """
import sys
from airflow.sdk.log import configure_logging
configure_logging(json_output=True, output=open(sys.argv[1], "wb", buffering=0), sending_to_supervisor=True)
import structlog
log = structlog.get_logger(logger_name="task")
log.info("begin")  # from here on the logger is cached, with its processors
from canvas_exports.errors import CredentialError
from canvas_exports.operators.task_support.task_context import AirflowErrors

@AirflowErrors()
def execute():
    try:
        {}["the cause"]
    except KeyError as error:
        raise CredentialError("the token is refused", status=401) from error

try:
    execute()
except Exception:
    log.exception("Task failed with exception")
"""


def test_so_it_is_in_what_a_real_task_process_sends_to_its_log(tmp_path: Path) -> None:
    path = tmp_path / "task.log"
    subprocess.run(
        [sys.executable, "-c", PROCESS, str(path)], check=True, env={**os.environ, "PYTHONPATH": PLUGINS}
    )
    begin, end = map(json.loads, path.read_text().splitlines())
    assert begin["event"] == "begin"
    assert (end["level"], end["event"]) == ("error", "the token is refused (HTTP 401)")
    assert not {"error_detail", "exception", "exc_info"} & set(end)
