"""``canvas-archive init`` writes a project that Airflow and editors accept as it is, and changes nothing that is there."""

from __future__ import annotations

import json
import re
import resource
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from airflow.cli import cli_parser
from airflow.dag_processing.dagbag import DagBag
from jsonschema import Draft202012Validator

from canvas_exports.cli.main import main, parser
from canvas_exports.cli.project.init import next_steps
from canvas_exports.core.backups import load_backups
from canvas_exports.core.backups.schema import schema

REPOSITORY = Path(__file__).parents[3]


def tree(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by their paths."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "campus"
    assert main(["init", str(folder)]) == 0
    return folder


def test_it_writes_the_dags_and_the_include_folder_of_the_repository(project: Path) -> None:
    written = tree(project)
    assert {name: written[name] for name in written if name.startswith("dags/")} == {
        f"dags/{name}": content for name, content in tree(REPOSITORY / "dags").items()
    }
    assert {name: written[name] for name in written if not name.startswith("dags/")} == {
        f"include/{name}": content for name, content in tree(REPOSITORY / "include").items()
    }


def test_airflow_reads_it_without_an_error(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CANVAS_EXPORTS_INCLUDE", raising=False)
    bag = DagBag(dag_folder=project / "dags", bundle_path=project / "dags")
    assert bag.import_errors == {}
    assert set(bag.dags) == {
        "canvas_backup_end_of_term_archive",
        "canvas_backup_nightly",
        "canvas_backup_pilot",
        "canvas_export",
        "canvas_hold",
        "canvas_restore",
        "canvas_restore_drill",
        "canvas_verify",
    }


def test_editors_find_the_schema_of_every_backup(project: Path) -> None:
    backups = sorted((project / "include" / "backups").iterdir())
    assert backups
    for path in backups:
        line = path.read_text(encoding="utf-8").splitlines()[0]
        named = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", line)
        assert named, path
        found = json.loads((path.parent / named[1]).read_text(encoding="utf-8"))
        assert found == schema()
        Draft202012Validator.check_schema(found)


def test_the_list_of_the_pilot_is_where_its_backup_looks(project: Path) -> None:
    (pilot,) = [backup for backup in load_backups(project / "include").backups if backup.name == "pilot"]
    assert Path(pilot.listing["course_list"]).is_file()


def test_no_file_that_is_there_is_changed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = project / "include" / "courses" / "pilot.csv"
    mine.write_text("course\n101\n")
    (project / "dags" / "canvas_verify.py").unlink()
    (project / "include" / "pools.json").unlink()
    (project / "include" / "pools.json").mkdir()
    before = tree(project)
    capsys.readouterr()
    assert main(["init", str(project), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    after = tree(project)
    assert {name: content for name, content in after.items() if name in before} == before
    assert set(after) - set(before) == {"dags/canvas_verify.py"}
    states = {row["file"]: row["state"] for row in printed["files"]}
    assert states.pop("dags/canvas_verify.py") == "written"
    assert states.pop("include/courses/pilot.csv") == "different"
    assert states.pop("include/pools.json") == "different"
    assert set(states.values()) == {"same"}
    assert printed["folder"] == str(project)


def test_it_prints_what_it_left_alone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "include" / "courses" / "pilot.csv").write_text("course\n101\n")
    capsys.readouterr()
    main(["init", str(project)])
    printed = capsys.readouterr().out
    assert f"Nothing was written: {project} has every file already." in printed
    assert (
        "Left as they are, different from the files of this version:\n  include/courses/pilot.csv\n"
        in printed
    )


def test_each_command_of_the_next_steps_is_one_that_its_program_understands(project: Path) -> None:
    commands = [shlex.split(line) for lines in next_steps(project).values() for line in lines]
    known = {
        "airflow": lambda words: cli_parser.get_parser().parse_args(words),
        "canvas-archive": lambda words: parser().parse_args(words),
    }
    programs = {command[0] for command in commands}
    assert programs == {*known, "export"}
    for program, *words in commands:
        if program in known:
            known[program](words)


def test_the_folder_is_this_one_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    assert (tmp_path / "dags" / "canvas_backups.py").is_file()
    assert f"DAGS_FOLDER={tmp_path}/dags" in capsys.readouterr().out


def test_a_folder_without_a_name_is_an_error_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", ""]) == 2  # "$AIRFLOW_HOME" where it is not set
    assert capsys.readouterr().err.startswith("canvas-archive: FOLDER: it is empty")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("set_home", [True, False], ids=["AIRFLOW_HOME", "its default"])
def test_the_folder_that_airflow_reads_anyway_needs_no_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, set_home: bool
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "other") if set_home else "")
    home = tmp_path / ("other" if set_home else "airflow")
    assert "DAGS_FOLDER" not in str(next_steps(home))
    assert f"DAGS_FOLDER={tmp_path}/project/dags" in str(next_steps(tmp_path / "project"))


def test_airflow_is_started_before_its_database_is_needed(project: Path) -> None:
    commands = [line for lines in next_steps(project).values() for line in lines]
    first = next(
        number
        for number, line in enumerate(commands)
        if re.match(r"airflow (connections|variables|dags)", line)
    )
    assert commands.index("airflow standalone") < first


def test_a_folder_that_cannot_be_written_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dags").write_text("a file where a folder belongs")
    assert main(["init", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"canvas-archive: FOLDER: {tmp_path}/dags/")


def test_a_full_disk_leaves_no_part_of_a_file(tmp_path: Path) -> None:
    limit = 1000  # bytes of a file; the files of a project are smaller and larger
    ended = subprocess.run(
        [sys.executable, "-m", "canvas_exports.cli", "init", str(tmp_path)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("canvas-archive: FOLDER: ")
    whole = {**tree(REPOSITORY / "dags"), **tree(REPOSITORY / "include")}
    for name, content in tree(tmp_path).items():
        assert content == whole[name.partition("/")[2]]
