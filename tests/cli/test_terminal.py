"""Progress and colours appear on terminals, and nowhere else."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.archives.stored import package, rotten, spoil, stored
from tests.support.command.terminal import at_a_terminal

from canvas_exports.cli.progress import Progress
from canvas_exports.core.storage.local import FileStore

COMMAND = [sys.executable, "-m", "canvas_exports.cli"]
ERASE, RED, GREEN = "\r\x1b[K", "\x1b[31m", "\x1b[32m"


@pytest.fixture
def archive(tmp_path: Path) -> str:
    """An archive with an intact and a damaged package."""
    folder = tmp_path / "archive"
    with FileStore(folder.as_uri(), folder) as store:
        stored(store, 101)
        spoil(store, stored(store, 102).package.key, rotten(package()))
    return str(folder)


def test_long_work_is_shown_while_it_lasts(archive: str) -> None:
    status, shown = at_a_terminal([*COMMAND, "verify", "-A", archive])
    assert status == 1
    drawn = shown.split(ERASE)
    assert any(each.startswith("Reading the archive") for each in drawn)
    assert any(re.match(r"Verifying: [01] of 2 packages, ", each) for each in drawn), drawn
    assert "1 damaged" in drawn[-1], "the line is erased before the answer"


def test_the_answer_in_a_pipe_is_the_same_as_without_a_terminal(archive: str, tmp_path: Path) -> None:
    arguments = [*COMMAND, "list", "101", "-A", archive, "--json"]
    plain = subprocess.run(arguments, capture_output=True, check=True)
    assert plain.stderr == b""
    status, shown = at_a_terminal(arguments, piped=tmp_path / "answer")
    assert status == 0
    assert (tmp_path / "answer").read_bytes() == plain.stdout
    assert json.loads(plain.stdout)["context"] == "course:101"
    assert shown.endswith(ERASE)
    assert "Reading the archive" in shown


def test_a_package_on_its_way_is_shown(archive: str, tmp_path: Path) -> None:
    status, shown = at_a_terminal([*COMMAND, "get", "101", "-A", archive, "-o", str(tmp_path / "x")])
    assert status == 0
    assert f"{ERASE}Reading the package: " in shown


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"TERM": "dumb", "NO_COLOR": "1"}])
def test_a_dumb_terminal_gets_plain_lines(archive: str, environment: dict[str, str]) -> None:
    _, shown = at_a_terminal([*COMMAND, "verify", "-A", archive], environment=environment)
    assert "\x1b" not in shown


def test_colours(archive: str) -> None:
    _, shown = at_a_terminal([*COMMAND, "verify", "-A", archive])
    assert f"{RED}damaged" in shown
    _, shown = at_a_terminal([*COMMAND, "list", "101", "-A", archive], environment={"NO_COLOR": ""})
    assert f"{GREEN}proven" in shown
    status, shown = at_a_terminal([*COMMAND, "list", "nowhere", "-A", archive])
    assert status == 2
    assert f"{RED}canvas-archive:\x1b[0m COURSE: " in shown


def test_no_colour_is_respected_and_progress_stays(archive: str) -> None:
    _, shown = at_a_terminal([*COMMAND, "verify", "-A", archive], environment={"NO_COLOR": "1"})
    assert "\x1b[3" not in shown
    assert ERASE in shown


class TestLine:
    def test_rate_and_rest(self) -> None:
        now = [0.0]
        progress = Progress(clock=lambda: now[0])
        progress.begin("Uploading", total=100_000_000)
        assert progress.line() == "Uploading: 0 B of 100 MB"
        progress.read(20_000_000)
        now[0] = 10.0
        assert progress.line() == "Uploading: 20.0 MB of 100 MB, 2.0 MB/s, 40 s left"
        progress.begin("Canvas imports")
        progress.describe("45 %")
        now[0] = 75.0
        assert progress.line() == "Canvas imports: 45 %, 1 min"

    def test_nothing_is_written_without_a_terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stream = io.StringIO()
        monkeypatch.setattr(sys, "stderr", stream)
        progress = Progress(interval=0.001)
        with progress.shown():
            progress.begin("Verifying")
            progress.clear()
        assert stream.getvalue() == ""
