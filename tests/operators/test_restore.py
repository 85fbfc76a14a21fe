"""The restore operator under Airflow's own task runner, against the sandbox and a real folder."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.execution_time.comms import DeferTask
from tests.support.airflow.task_runner import TaskRun
from tests.support.exports.restore_rig import EMPTY, FULL, QUICK, SOURCE, back_up, imports, web

from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.restore.result import RestoreOutcome
from canvas_exports.core.storage.local import FileStore
from canvas_exports.operators.restore import CanvasRestoreOperator
from canvas_sandbox import Course, Fault, RequestFault, Sandbox, Switches
from canvas_sandbox.faults import FaultCounter


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CanvasRestoreOperator, "timing", QUICK)


@pytest.fixture
def canvas(tmp_path: Path) -> Iterator[Sandbox]:
    """A Canvas whose first course has a proven copy in the archive, and an empty one to restore into."""
    courses = [
        Course(id=SOURCE, name="Biology", size=30_000),
        Course(id=FULL, name="Chemistry", size=20_000),
        Course(id=EMPTY, name="Biology", state="claimed", size=0),
    ]
    switches = Switches(job_workers=20, duration=0.05, import_duration=0.3, throttle=False)
    with Sandbox(courses, switches=switches) as sandbox:
        with CanvasClient(sandbox.url, sandbox.token) as client:
            back_up(client, FileStore(tmp_path.as_uri(), tmp_path), SOURCE)
        yield sandbox


def task(canvas: Sandbox, folder: Path, retries: int = 0, **arguments: Any) -> TaskRun:
    values = {
        "course": SOURCE,
        "into": EMPTY,
        "archive": folder.as_uri(),
        "deferrable": True,
        "poll_shortest": 0.1,
        "poll_longest": 0.2,
        **arguments,
    }
    connections = {"canvas_default": {"conn_type": "canvas", "host": canvas.url, "password": canvas.token}}
    return TaskRun(
        lambda: CanvasRestoreOperator(task_id="restore", retries=retries, **values), connections, retries
    )


def trouble(canvas: Sandbox, *faults: Fault) -> None:
    canvas.world.courses[EMPTY].active_faults = FaultCounter(faults)


def test_a_course_is_restored_while_no_worker_waits(canvas: Sandbox, tmp_path: Path) -> None:
    task_run = task(canvas, tmp_path)
    assert task_run.run_segment() == "deferred"
    assert isinstance(task_run.message, DeferTask)
    task_run.run_trigger()
    assert task_run.run_to_end() == "success"
    assert (task_run.receipt["outcome"], task_run.receipt["course_id"]) == ("restored", EMPTY)
    assert imports(canvas) == 1


def test_without_a_triggerer_the_worker_waits_itself(canvas: Sandbox, tmp_path: Path) -> None:
    task_run = task(canvas, tmp_path, deferrable=False)
    assert (task_run.run_segment(), task_run.segments) == ("success", 1)
    assert task_run.receipt["outcome"] == "restored"


@pytest.mark.usefixtures("state_home")
@pytest.mark.parametrize("write", range(1, 5))
def test_a_worker_killed_at_any_checkpoint_imports_once(canvas: Sandbox, tmp_path: Path, write: int) -> None:
    task_run = task(canvas, tmp_path, retries=2)
    task_run.supervisor.kill_after_writes = write
    assert task_run.run_to_end() == "killed"
    task_run.supervisor.kill_after_writes = None
    task_run.retry()
    assert task_run.run_to_end() == "success"
    assert (imports(canvas), len(canvas.migrations)) == (1, 1)


@pytest.mark.usefixtures("state_home")
def test_a_finished_task_run_again_imports_nothing(canvas: Sandbox, tmp_path: Path) -> None:
    task_run = task(canvas, tmp_path)
    task_run.run_to_end()
    task_run.clear()
    assert task_run.run_to_end() == "success"
    assert task_run.receipt["outcome"] == "restored"
    assert imports(canvas) == 1


@pytest.mark.usefixtures("state_home")
def test_another_attempt_owning_the_task_stops_this_one_before_canvas_is_asked(
    canvas: Sandbox, tmp_path: Path
) -> None:
    task_run = task(canvas, tmp_path)
    task_run.supervisor.fenced = True
    assert task_run.run_segment() == "failed"
    assert canvas.migrations == []


def test_trouble_that_may_pass_is_for_a_retry_that_goes_on(canvas: Sandbox, tmp_path: Path) -> None:
    canvas.inject(RequestFault(method="POST", path="^/(?!api)", effect="server_error", times=3))
    task_run = task(canvas, tmp_path, retries=1)
    assert task_run.run_to_end() == "up_for_retry"
    task_run.retry()
    assert task_run.run_to_end() == "success"
    assert (imports(canvas), len(canvas.migrations)) == (1, 1)


def test_a_dead_token_while_waiting_ends_the_task(canvas: Sandbox, tmp_path: Path) -> None:
    trouble(canvas, Fault.IMPORT_SLOW)
    task_run = task(canvas, tmp_path, retries=2)
    assert task_run.run_segment() == "deferred"
    canvas.revoke(canvas.token)
    assert task_run.run_trigger()["status"] == "refused"
    assert task_run.run_segment() == "failed"


@pytest.mark.parametrize(
    ("fault", "fail_on", "state"),
    [
        (Fault.IMPORT_WARNINGS, "issues", "failed"),
        (Fault.IMPORT_WARNINGS, "errors", "success"),
        (Fault.IMPORT_ERRORS, "errors", "failed"),
        (Fault.IMPORT_ERRORS, "failure", "success"),
        (Fault.IMPORT_FAILS, "failure", "failed"),
    ],
)
def test_what_canvas_noted_is_judged_by_the_policy_and_can_be_read_either_way(
    canvas: Sandbox, tmp_path: Path, fault: Fault, fail_on: str, state: str
) -> None:
    trouble(canvas, fault)
    task_run = task(canvas, tmp_path, retries=2, fail_on=fail_on)
    assert task_run.run_to_end() == state
    result = task_run.receipt or task_run.supervisor.xcoms["restore"]
    assert result["issues"]
    assert result["texts"]
    if state == "failed":
        assert f". {RestoreOutcome(result['outcome']).next_step} (course " in str(task_run.error)
    assert imports(canvas) == (fault is not Fault.IMPORT_FAILS)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"into": SOURCE}, "101 under 'Confirm the original course'"),
        ({"into": FULL}, "not empty"),
        ({"into": "group:7"}, "not a course"),
        ({"course": "BIO"}, "Course to restore: no manifest in this archive names 'BIO'"),
        ({"course": 999}, "holds no common_cartridge copy"),
        ({"copy": "yesterday"}, "Copy: 'yesterday' names no copy"),
        ({"copy": "2020-01-01"}, "that old"),
        ({"export_type": "pdf"}, "Export type: 'pdf'"),
        ({"proof": "hearsay"}, "Proof level: 'hearsay'"),
        ({"via": "pigeon"}, "Transfer: 'pigeon'"),
        ({"fail_on": "rain"}, "When the task fails: 'rain'"),
        ({"deadline": "soon"}, "deadline: 'soon'"),
        ({"allow_content": "False"}, "Allow a course that is not empty: 'False'"),
        ({"allow_incomplete": "no"}, "Allow an incomplete copy: 'no'"),
    ],
)
def test_bad_input_fails_for_good_before_anything_is_done(
    canvas: Sandbox, tmp_path: Path, arguments: dict[str, Any], problem: str
) -> None:
    task_run = task(canvas, tmp_path, retries=2, **arguments)
    assert task_run.run_to_end() == "failed"
    assert problem in str(task_run.error)
    assert canvas.migrations == []


def test_neither_checkpoint_nor_trigger_nor_receipt_holds_a_link_or_a_token(
    canvas: Sandbox, tmp_path: Path
) -> None:
    task_run = task(canvas, tmp_path)
    assert task_run.run_segment() == "deferred"
    stored = [json.dumps(task_run.checkpoint), json.dumps(task_run.message.trigger_kwargs)]
    stored.append(json.dumps(task_run.run_trigger()))
    assert task_run.run_to_end() == "success"
    for text in [*stored, json.dumps(task_run.checkpoint), json.dumps(task_run.receipt)]:
        assert "http" not in text
        assert canvas.token not in text


def test_no_log_shows_a_link_a_ticket_or_the_token_however_much_is_logged(
    canvas: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    with web(tmp_path) as address:
        link = f"{address}/{{}}?X-Signature=hidden"
        monkeypatch.setattr(FileStore, "signed_url", lambda _, key, _lifetime: link.format(key))
        by_link = task(canvas, tmp_path, via="url")
        assert by_link.run_to_end() == "success"
    canvas.inject(RequestFault(method="POST", path="^/(?!api)", effect="server_error"))
    by_upload = task(canvas, tmp_path, allow_content=True)
    assert by_upload.run_to_end() == "success"
    said = [
        caplog.text,
        str(capsys.readouterr()),
        json.dumps([by_link.supervisor.xcoms, by_upload.supervisor.xcoms], default=str),
    ]
    said += [json.dumps(task_run.supervisor.state_store) for task_run in (by_link, by_upload)]
    for text in said:
        for secret in ("X-Signature", "hidden", "signature", "Policy", "uuid=", canvas.token):
            assert secret not in text


def test_the_button_leads_to_the_imports_of_the_course(canvas: Sandbox, tmp_path: Path) -> None:
    task_run = task(canvas, tmp_path)
    task_run.run_to_end()
    (link,) = task_run.operator.operator_extra_links
    address = link.get_link(task_run.operator, ti_key=None)  # type: ignore[arg-type] # it asks for none
    assert address == f"{canvas.url}/courses/{EMPTY}/content_migrations"


def test_on_kill_breaks_the_upload_off(
    canvas: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_run = task(canvas, tmp_path, retries=1)
    blocks = FileStore.blocks

    def stopped(store: FileStore, key: str) -> Any:
        task_run.operator.on_kill()
        return blocks(store, key)

    with monkeypatch.context() as being:
        being.setattr(FileStore, "blocks", stopped)
        task_run.run_segment()
    assert imports(canvas) == 0
    task_run.retry()
    assert task_run.run_to_end() == "success"
    assert imports(canvas) == 1


@pytest.mark.parametrize("changes", [{"version": 2}, {"phase": "polished"}, {"unheard": "of"}])
def test_what_another_release_wrote_down_never_leads_to_a_second_import(
    canvas: Sandbox, tmp_path: Path, changes: dict[str, Any]
) -> None:
    task_run = task(canvas, tmp_path, retries=2)
    assert task_run.run_segment() == "deferred"
    task_run.supervisor.state_store["canvas_exports"] = json.dumps({**task_run.checkpoint, **changes})
    task_run.run_trigger()
    state = task_run.run_to_end()
    assert imports(canvas) == 1
    if "unheard" in changes:
        assert state == "success", "what a later release has added is ignored"
    else:
        assert state == "failed"
        assert "a new run" in str(task_run.error)
