"""``canvas-archive doctor`` prints facts with next steps, and its exit status says whether a backup would fail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from canvas_exports.airflow_doctor import __main__ as airflow_doctor
from canvas_exports.cli.main import main
from canvas_exports.cli.project import doctor
from canvas_sandbox import Course, Sandbox


@pytest.fixture(scope="module")
def canvas() -> Iterator[Sandbox]:
    with Sandbox([Course(id=101)]) as sandbox:
        yield sandbox


def test_a_canvas_and_an_archive_without_airflow(
    canvas: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CANVAS_TOKEN", canvas.token)
    assert main(["doctor", "--canvas", canvas.url, "--archive", tmp_path.as_uri()]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"ok       canvas   {canvas.url} answers; the token belongs to user 1."
    assert lines[-1] == "5 checks: 0 problems, 0 warnings."
    assert any(line.startswith("ok       archive  ") for line in lines)


def test_a_problem_has_its_next_step_below_it_and_is_status_1(
    canvas: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CANVAS_TOKEN", canvas.tokens["outsider"])
    assert main(["doctor", "--canvas", canvas.url]) == 1
    lines = capsys.readouterr().out.splitlines()
    (number,) = [number for number, line in enumerate(lines) if line.startswith("problem  canvas  ")]
    assert lines[number + 1].split(maxsplit=1)[0] == "Next:"


def test_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["doctor", "--json", "-A", f"{tmp_path.as_uri()}/file/archive"]) == 1
    (fact,) = json.loads(capsys.readouterr().out)["facts"]
    assert set(fact) == {"subject", "status", "fact", "next_step"}
    assert (fact["subject"], fact["status"]) == ("archive", "problem")


def test_without_a_token_it_says_which_variable_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CANVAS_TOKEN", raising=False)
    assert main(["doctor", "--canvas", "canvas.example.edu"]) == 2
    assert capsys.readouterr().err.startswith("canvas-archive: CANVAS_TOKEN: is not set.")


def test_an_airflow_that_cannot_be_loaded_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "airflow"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise ImportError('half an installation')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert main(["doctor"]) == 1
    printed = capsys.readouterr().out
    assert "Airflow cannot be loaded: ImportError: half an installation" in printed


def test_the_command_and_its_process_agree_on_their_line() -> None:
    assert doctor._PREFIX == airflow_doctor.PREFIX
