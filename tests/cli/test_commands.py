"""``canvas-archive`` answers from an archive alone, as a table and as JSON, and its exit status tells how it is."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hatchling.metadata.core import load_toml
from tests.support.archives.holdings import lay, manifest, note
from tests.support.archives.run_reports import NIGHT, outcome, report
from tests.support.command.subcommands import has_option, subcommands

from canvas_exports.cli.main import SUBCOMMANDS, main, parser
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.storage.local import FileStore
from canvas_sandbox import Course, Sandbox

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def archive(tmp_path: Path) -> FileStore:
    """A good course, one with holes, one that was damaged, one that was denied."""
    store = FileStore(tmp_path.as_uri(), tmp_path)
    lay(store, manifest("course:101"))
    lay(store, manifest("course:102", verdict=Verdict.INCOMPLETE))
    note(store, lay(store, manifest("course:103")), day=7, result="damaged")
    report(
        store,
        outcome("course:101", "stored", export_id=501),
        outcome("course:102", "incomplete", "2 files missing", export_id=501),
        outcome("course:104", "denied", "the user may not export it"),
    )
    return store


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CANVAS_ARCHIVE", raising=False)
    monkeypatch.delenv("CANVAS_TOKEN", raising=False)


@pytest.fixture
def ask(archive: FileStore, run_command: Any) -> Any:
    return partial(run_command, archive.uri)


class TestMissing:
    def test_a_course_that_never_had_a_copy_is_called_by_its_name(self, archive: FileStore, ask: Any) -> None:
        report(
            archive,
            outcome("course:105", "failed", "Canvas reported the export as failed", title="Marine Biology"),
            outcome("course:106", "gone", "deleted", name="GEO 106", title="Geology"),
            run_id="another",
        )
        _, text = ask("missing")
        assert "course:105 Marine Biology" in text
        assert "course:106 GEO 106" in text

    def test_who_has_no_good_copy_and_why(self, ask: Any) -> None:
        status, text = ask("missing")
        assert status == 1
        lines = text.splitlines()
        assert lines[0].split() == ["COURSE", "HAS", "NEWEST", "COPY", "WHY"]
        assert [line.split()[0] for line in lines[2:5]] == ["course:102", "course:103", "course:104"]
        assert lines[4].endswith("denied in the last run: the user may not export it")
        assert lines[-1] == "1 of 4 have a good copy, 3 have none."

    def test_as_json(self, ask: Any) -> None:
        status, text = ask("missing", "--json")
        told = json.loads(text)
        assert (status, told["judged"], told["good"]) == (1, 4, 1)
        assert [(gap["context"], gap["lack"], gap["outcome"]) for gap in told["missing"]] == [
            ("course:102", "incomplete", "incomplete"),
            ("course:103", "damaged", None),
            ("course:104", "no copy", "denied"),
        ]

    def test_of_a_list(self, ask: Any, tmp_path: Path) -> None:
        courses = tmp_path.parent / "courses.csv"
        courses.write_text("course_id\n101\n999\n")
        status, text = ask("missing", "--courses", str(courses))
        assert status == 1
        assert text.splitlines()[2].split() == [
            "course:999",
            "no",
            "copy",
            "the",
            "archive",
            "holds",
            "no",
            "copy",
        ]
        assert text.splitlines()[-1] == "1 of 2 have a good copy, 1 have none."
        courses.write_text("course_id\n101\n")
        assert ask("missing", "--courses", str(courses)) == (0, "1 of 1 have a good copy, 0 have none.\n")

    def test_of_an_account_of_a_canvas(self, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        listed = [
            Course(id=101, name="Good"),
            Course(id=105, name="New"),
            Course(id=106),
        ]
        with Sandbox(listed) as canvas:
            monkeypatch.setenv("CANVAS_TOKEN", canvas.token)
            status, text = ask("missing", "--canvas", canvas.url, "--account", "1", "--json")
        told = json.loads(text)
        assert status == 1
        assert told["judged"] == 3
        assert [gap["context"] for gap in told["missing"]] == ["course:105", "course:106"]

    @pytest.mark.parametrize(
        ("arguments", "blamed"),
        [
            (["--account", "1"], "--account"),
            (["--filter", "published=true"], "--filter"),
            (["--canvas", "https://canvas.example.edu"], "--canvas"),
            (["--canvas", "https://canvas.example.edu", "--account", "1"], "CANVAS_TOKEN"),
            (["--courses", "/nowhere.csv"], "--courses"),
        ],
    )
    def test_what_was_asked_wrongly_is_named(self, ask: Any, arguments: list[str], blamed: str) -> None:
        status, text = ask("missing", *arguments)
        assert status == 2
        assert text.startswith(f"canvas-archive: {blamed}")

    def test_a_refused_token_is_reported_and_never_shown(
        self, ask: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with Sandbox([Course(id=101)]) as canvas:
            monkeypatch.setenv("CANVAS_TOKEN", "7~a-token-of-somebody-else")
            status, text = ask("missing", "--canvas", canvas.url, "--account", "1")
        assert status == 2
        assert text.startswith("canvas-archive: ")
        assert "somebody" not in text

    def test_a_filter_that_canvas_does_not_know(self, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CANVAS_TOKEN", "7~of-the-command")
        arguments = ["--canvas", "http://127.0.0.1:1", "--account", "1", "--filter"]
        for wrong in ("nonsense=1", "published"):
            assert ask("missing", *arguments, wrong)[0] == 2


class TestHistory:
    def test_what_happened_and_what_is_missing_inside(self, ask: Any) -> None:
        status, text = ask("history", "102")
        assert status == 0
        assert "2 files missing" in text
        assert "Inside the newest common_cartridge" in text
        assert text.count("web_resources/a.png") == 2

    def test_as_json(self, ask: Any) -> None:
        told = json.loads(ask("history", "course:103", "--json")[1])
        assert [(event["what"], event["result"]) for event in told["events"]] == [
            ("copy", "whole"),
            ("verified", "damaged"),
        ]
        assert told["findings"] == []

    def test_of_a_course_that_was_only_ever_denied(self, ask: Any) -> None:
        told = json.loads(ask("history", "104", "--json")[1])
        assert [(event["what"], event["result"]) for event in told["events"]] == [("run", "denied")]

    def test_of_an_unknown_one(self, ask: Any) -> None:
        assert ask("history", "999") == (1, "Nothing is known of course:999.\n")

    def test_only_numbers_are_known(self, ask: Any) -> None:
        assert ask("history", "sis_course_id:BIO")[0] == 2


class TestRuns:
    def test_a_line_for_each(self, ask: Any) -> None:
        status, text = ask("runs")
        assert status == 0
        assert text.splitlines()[2].split(maxsplit=8) == [
            "2026-11-23",
            "03:00",
            "nightly",
            "run",
            "3",
            "2",
            "9",
            "B",
            "1 stored, 1 incomplete, 1 denied",
        ]

    def test_every_outcome_of_one(self, ask: Any) -> None:
        status, text = ask("runs", "run")
        assert status == 0
        assert "the user may not export it" in text
        assert json.loads(ask("runs", f"runs/{NIGHT}/nightly/run/report.json", "--json")[1])["contexts"] == 3

    def test_of_one_that_is_not_there(self, ask: Any) -> None:
        status, text = ask("runs", "other")
        assert status == 2
        assert "'other'" in text

    def test_a_report_that_cannot_be_read_is_named(self, ask: Any, archive: FileStore) -> None:
        archive.replace("runs/2026-11-24/nightly/late/report.json", b"{")
        assert ask("runs")[1].splitlines()[-1] == "runs/2026-11-24/nightly/late/report.json cannot be read."

    def test_of_no_run(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        lay(FileStore(tmp_path.as_uri(), tmp_path), manifest("course:101"))
        assert main(["runs", "--archive", tmp_path.as_uri()]) == 0
        assert capsys.readouterr().out == "There is no run report.\n"


class TestAges:
    def test_a_distribution_and_the_oldest(self, ask: Any) -> None:
        status, text = ask("ages")
        assert status == 0
        counted = {line[:16].strip(): line[16:].split()[0] for line in text.splitlines()[2:10]}
        assert counted["no good copy"] == "2"
        assert sum(map(int, counted.values())) == 3
        assert "courses/101/" in text

    def test_as_json(self, ask: Any) -> None:
        told = json.loads(ask("ages", "--json")[1])
        assert (sum(told["counts"].values()), told["none"]) == (1, 2)
        assert [one["context"] for one in told["oldest"]] == ["course:101"]

    def test_each_can_be_named(self, ask: Any, archive: FileStore) -> None:
        for number in range(201, 216):
            lay(archive, manifest(f"course:{number}", export_id=number))
        assert len(json.loads(ask("ages", "--json")[1])["oldest"]) == 10
        assert len(json.loads(ask("ages", "--json", "--all")[1])["oldest"]) == 16
        assert json.loads(ask("ages", "--json", "--oldest", "0")[1])["oldest"] == []


class TestTheCommandItself:
    @pytest.mark.parametrize("option", ["-A", "--archive"])
    def test_the_archive_has_a_short_option_and_may_be_a_path(
        self,
        archive: FileStore,
        option: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        folder = Path(archive.uri.removeprefix("file://"))
        monkeypatch.chdir(folder.parent)
        for named in (archive.uri, str(folder), f"./{folder.name}"):
            assert main(["missing", option, named]) == 1
            assert "course:102" in capsys.readouterr().out

    def test_an_address_in_the_environment_that_is_none_is_blamed_on_the_variable(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("CANVAS_ARCHIVE", "nowhere")
        assert main(["missing"]) == 2
        assert capsys.readouterr().err.startswith("canvas-archive: CANVAS_ARCHIVE: ")

    @pytest.mark.parametrize("name", subcommands())
    def test_every_subcommand_has_json(self, name: str) -> None:
        assert has_option(subcommands()[name], "--json")

    def test_missing_credentials_are_looked_for_where_a_terminal_has_them(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
        assert main(["ages", "-A", "s3://bucket/canvas"]) == 2
        said = capsys.readouterr().err
        assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in said
        assert "connection" not in said

    def test_the_archive_may_stand_in_the_environment(
        self, archive: FileStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("CANVAS_ARCHIVE", archive.uri)
        assert main(["missing"]) == 1
        assert "course:102" in capsys.readouterr().out

    def test_without_an_archive_it_asks_for_one(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["missing"]) == 2
        assert "no archive is named" in capsys.readouterr().err

    def test_it_is_a_program(self, archive: FileStore) -> None:
        command = [sys.executable, "-m", "canvas_exports.cli", "missing", "--archive", archive.uri]
        ended = subprocess.run(command, capture_output=True, check=False, text=True, env=os.environ)
        assert (ended.returncode, ended.stderr) == (1, "")
        assert ended.stdout.endswith("1 of 4 have a good copy, 3 have none.\n")

    def test_a_reader_who_has_seen_enough_is_no_error(self, archive: FileStore) -> None:
        command = [sys.executable, "-m", "canvas_exports.cli", "missing", "--archive", archive.uri]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            assert running.stdout is not None
            assert running.stderr is not None
            running.stdout.close()
            assert running.stderr.read() == b""
            assert running.wait() == 2

    def test_a_name_that_the_terminal_cannot_show_is_no_error(self, archive: FileStore) -> None:
        lay(archive, manifest("course:9", verdict=Verdict.INCOMPLETE, facts={"name": "Zoölogie 動物学"}))
        command = [sys.executable, "-m", "canvas_exports.cli", "missing", "--archive", archive.uri]
        environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
        ended = subprocess.run(command, capture_output=True, check=False, env=environment)
        assert (ended.returncode, ended.stderr) == (1, b"")
        assert b"course:9 Zo\\xf6logie" in ended.stdout

    def test_the_package_brings_it_under_its_name(self) -> None:
        project = load_toml(str(REPOSITORY / "pyproject.toml"))["project"]
        module, _, name = project["scripts"]["canvas-archive"].partition(":")
        assert getattr(importlib.import_module(module), name) is main

    def test_it_imports_no_airflow(self) -> None:
        looked = "import sys; from canvas_exports.cli.main import parser; parser(); print('airflow' in sys.modules)"
        ended = subprocess.run([sys.executable, "-c", looked], capture_output=True, check=True, text=True)
        assert ended.stdout == "False\n"

    def test_every_subcommand_says_what_it_is_for(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            parser().parse_args(["--help"])
        told = capsys.readouterr().out
        named = [re.match("``canvas-archive ([a-z-]+)", module.__doc__ or "") for module in SUBCOMMANDS]
        assert list(subcommands()) == [found[1] for found in named if found]
        for name in subcommands():
            assert f"\n    {name}" in told
