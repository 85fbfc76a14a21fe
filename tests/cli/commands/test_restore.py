"""``canvas-archive restore``: a copy into a course of a Canvas, without Airflow, once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.support.command.terminal import at_a_terminal
from tests.support.exports import batch_rig
from tests.support.exports.restore_rig import EMPTY, FULL, OTHER, SOURCE, back_up, imports

from canvas_exports.cli.saved_restore import saved_restore
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import InputError
from canvas_sandbox import Course, Fault, Sandbox, Switches
from canvas_sandbox.faults import FaultCounter

COMMAND = [sys.executable, "-m", "canvas_exports.cli"]
#: The same in a test run that ignores Ctrl-C, as one in the background does.
HEARING = """
import signal, sys
from canvas_exports.cli.main import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def canvas() -> Iterator[Sandbox]:
    courses = [
        Course(id=SOURCE, name="Biology", course_code="BIO 101", size=30_000),
        Course(id=FULL, name="Chemistry", size=20_000),
        Course(id=EMPTY, name="Target", sis_course_id="TARGET", state="claimed", size=0),
        Course(id=OTHER, name="Other target", state="claimed", size=0),
    ]
    switches = Switches(job_workers=20, duration=0.05, import_duration=0.05, throttle=False)
    with Sandbox(courses, switches=switches) as sandbox:
        yield sandbox


@pytest.fixture
def archive(canvas: Sandbox, tmp_path: Path) -> FileStore:
    """An archive with a proven copy of the source course."""
    folder = tmp_path / "archive"
    store = FileStore(folder.as_uri(), folder)
    with batch_rig.client(canvas) as client:
        back_up(client, store, SOURCE)
    return store


@pytest.fixture
def states(tmp_path: Path) -> Path:
    """The folder in which this machine keeps the states of restores."""
    return tmp_path / "state" / "canvas-archive"


@pytest.fixture
def ask(
    canvas: Sandbox, archive: FileStore, states: Path, monkeypatch: pytest.MonkeyPatch, run_command: Any
) -> Callable[..., tuple[int, str]]:
    monkeypatch.setenv("CANVAS_URL", canvas.url)
    monkeypatch.setenv("CANVAS_TOKEN", canvas.token)
    monkeypatch.setenv("XDG_STATE_HOME", str(states.parent))
    return partial(run_command, archive.uri, "restore")


def saved(states: Path) -> list[Path]:
    return list(states.glob("*.json"))


def test_a_copy_by_the_name_of_its_course(ask: Any, canvas: Sandbox, states: Path) -> None:
    status, text = ask("BIO 101", "--into", "sis_course_id:TARGET")
    assert status == 0, text
    assert text.startswith(f"restored: courses/{SOURCE}/")
    assert f" into course {EMPTY}, " in text
    assert imports(canvas) == 1
    assert saved(states) == []


def test_as_json(ask: Any, canvas: Sandbox) -> None:
    status, text = ask(str(SOURCE), "--into", str(EMPTY), "--canvas", canvas.url, "--proof", "full", "--json")
    document = json.loads(text)
    assert (status, document["outcome"], document["course_id"]) == (0, "restored", EMPTY)
    assert document["next_step"] == ""


@pytest.mark.parametrize(
    ("arguments", "blamed", "accepted"),
    [
        (["--into", str(FULL)], "--into", "--allow-content"),
        (["--into", str(SOURCE)], "--into", "--confirm-same-course"),
        (["--into", "999999"], "--into", "a course into which"),
        (["--into", "group:7"], "--into", "the number or SIS id"),
        (["--into", str(EMPTY), "--copy", "yesterday"], "--copy", "newest"),
        (["--into", str(EMPTY), "--copy", "2001-01-01"], "--copy", "courses/"),
        (["--into", str(EMPTY), "--type", "qti"], "--copy", "courses/"),
        (["--into", str(EMPTY), "--confirm-same-course", "7"], "--confirm-same-course", "nothing"),
    ],
)
def test_a_refusal_names_the_options_and_imports_nothing(  # noqa: PLR0917 - fixtures
    ask: Any, canvas: Sandbox, states: Path, arguments: list[str], blamed: str, accepted: str
) -> None:
    status, text = ask(str(SOURCE), *arguments)
    assert status == 2
    assert text.startswith(f"canvas-archive: {blamed}: ")
    assert accepted in text
    assert "the box" not in text
    assert imports(canvas) == 0
    assert saved(states) == []


def test_a_canvas_and_a_token_are_needed(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CANVAS_TOKEN")
    assert ask("101", "--into", "300")[1].startswith("canvas-archive: CANVAS_TOKEN: is not set")
    monkeypatch.delenv("CANVAS_URL")
    assert ask("101", "--into", "300")[1].startswith("canvas-archive: --canvas: no Canvas is named")


def test_issues_decide_the_status(ask: Any, canvas: Sandbox) -> None:
    for course, policy, expected in ((EMPTY, "issues", 1), (OTHER, "failure", 0)):
        canvas.world.courses[course].active_faults = FaultCounter([Fault.IMPORT_WARNINGS])
        status, text = ask(str(SOURCE), "--into", str(course), "--fail-on", policy)
        assert (status, text.startswith("restored_with_issues: ")) == (expected, True), text


def test_a_stalled_import_is_polled_again_and_never_repeated(ask: Any, canvas: Sandbox, states: Path) -> None:
    canvas.world.courses[EMPTY].active_faults = FaultCounter([Fault.IMPORT_STUCK])
    arguments = (str(SOURCE), "--into", str(EMPTY), "--hours", "0.0005")
    for resumed in (False, True):
        status, text = ask(*arguments)
        assert (status, "stalled: " in text) == (1, True), text
        assert "Repeat the same command" in text
        assert ("resuming the restore" in text) == resumed
        assert len(saved(states)) == 1
    assert len(canvas.migrations) == 1
    status, text = ask(*arguments, "--start-over")
    assert (status, "busy with another import" in text) == (2, True)


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_command_that_is_stopped_while_canvas_imports_goes_on(  # noqa: PLR0917 - fixtures
    ask: Any, archive: FileStore, canvas: Sandbox, states: Path, number: signal.Signals, expected: int
) -> None:
    canvas.world.courses[EMPTY].active_faults = FaultCounter([Fault.IMPORT_STUCK])
    command = [sys.executable, "-c", HEARING, "restore", str(SOURCE), "--into", str(EMPTY), "-A", archive.uri]
    with subprocess.Popen(command, env=os.environ, stderr=subprocess.PIPE) as running:
        while not (saved(states) and json.loads(saved(states)[0].read_bytes())["phase"] == "sent"):
            assert running.poll() is None
            time.sleep(0.05)
        running.send_signal(number)
        assert running.stderr is not None
        assert b"the same command goes on" in running.stderr.read()
    assert running.returncode == expected
    assert ask(str(SOURCE), "--into", str(EMPTY), "--hours", "0.0005")[0] == 1
    assert len(canvas.migrations) == 1


def test_progress_at_a_terminal(ask: Any, archive: FileStore) -> None:
    assert ask is not None
    command = [*COMMAND, "restore", str(SOURCE), "--into", str(EMPTY), "-A", archive.uri]
    status, shown = at_a_terminal(command)
    assert status == 0
    for doing in ("Checking the copy", "Uploading: ", "Canvas imports"):
        assert f"\r\x1b[K{doing}" in shown, shown


class TestSavedRestore:
    @pytest.fixture(autouse=True)
    def _home(self, states: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_STATE_HOME", str(states.parent))

    def test_two_commands_never_share_a_state(self, states: Path) -> None:
        with saved_restore("a", "b") as first:
            first.save({"version": 1})
            with saved_restore("a", "c") as other:
                assert other.load() is None
            with pytest.raises(InputError, match="another command"), saved_restore("a", "b"):
                pass
        with saved_restore("a", "b") as again:
            assert again.load() == {"version": 1}
            again.remove()
            assert again.load() is None
        assert saved(states) == []

    def test_a_state_that_cannot_be_read_is_never_taken_for_none(self, states: Path) -> None:
        with saved_restore("a") as state:
            state.save({})
            saved(states)[0].write_bytes(b"{")
            with pytest.raises(InputError, match="--start-over"):
                state.load()

    def test_a_folder_that_cannot_be_made(self, states: Path) -> None:
        states.parent.write_text("a file")
        with pytest.raises(InputError, match="cannot be kept"), saved_restore("a"):
            pass
