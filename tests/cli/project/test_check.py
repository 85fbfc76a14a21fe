"""``canvas-archive check`` prints every mistake in backup files, and its exit status says whether there are any."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.backups.backup_files import WHOLE

from canvas_exports.cli.main import main


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "nightly.yaml"
    path.write_text(WHOLE + "retires: 3\nfail_on: most\n")
    return path


def test_it_prints_a_line_for_each_mistake(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(broken)]) == 1
    first, second, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{broken}, line 5, retires: there is no such field. Accepted: name, ")
    assert first.endswith(" Did you mean retries?")
    assert second == (
        f"{broken}, line 6, fail_on: 'most' is not a failure policy. "
        "Accepted: any, never, or a percentage such as 5%."
    )
    assert last == "1 backup file checked: 2 problems."


def test_as_json(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--json", str(broken)]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["files"] == [str(broken)]
    first, second = printed["problems"]
    assert first.pop("accepted").startswith("name, description, ")
    assert first == {
        "file": str(broken),
        "line": 5,
        "field": "retires",
        "problem": "there is no such field.",
        "did_you_mean": "retries",
    }
    assert second == {
        "file": str(broken),
        "line": 6,
        "field": "fail_on",
        "problem": "'most' is not a failure policy.",
        "accepted": "any, never, or a percentage such as 5%",
        "did_you_mean": None,
    }


def test_valid_files_are_status_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "nightly.yaml").write_text(WHOLE)
    assert main(["check", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "1 backup file checked, no problem.\n"


def test_no_file_is_status_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CANVAS_EXPORTS_INCLUDE", raising=False)
    assert main(["check"]) == 2
    assert capsys.readouterr().err.startswith("canvas-archive: FILE: ")


def test_text_of_a_file_cannot_control_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "nightly.yaml").write_text(WHOLE + 'fail_on: "\\x1b[2Jmost"\n')
    for options in ([], ["--json"]):
        assert main(["check", *options, str(tmp_path)]) == 1
        assert "\x1b" not in capsys.readouterr().out
