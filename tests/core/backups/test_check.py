"""A backup file is checked by the rules by which Airflow reads it, with its neighbours and its list, without a request."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.support.backups.backup_files import GOOD, WHOLE

from canvas_exports.core.backups import load_backups
from canvas_exports.core.backups.check import check_files, find_files
from canvas_exports.errors import InputError

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def include(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CANVAS_EXPORTS_INCLUDE", raising=False)
    folder = tmp_path / "include"
    (folder / "backups").mkdir(parents=True)
    (folder / "courses").mkdir()
    return folder


def write(include: Path, name: str, text: str) -> Path:
    path = include / "backups" / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_backups_are_valid() -> None:
    files = find_files([REPOSITORY / "include"])
    assert {path.name for path in files} == {"end_of_term_archive.yaml", "nightly.yaml", "pilot.yaml"}
    assert check_files(files) == []


@pytest.mark.parametrize(
    ("text", "field", "suggestion"),
    [
        (WHOLE + "retires: 3\n", "retires", "retries"),
        (WHOLE + "Deadline: PT5H\n", "Deadline", "deadline"),
        (WHOLE + "export_types: [cartridge]\n", "export_types[0]", "common_cartridge"),
        (WHOLE + "timezone: America/Chigago\n", "timezone", "America/Chicago"),
        (WHOLE + "keep: {weeks: 3}\n", "keep.weeks", "weekly"),
        (WHOLE + "nothing_like_it: 3\n", "nothing_like_it", ""),
        (WHOLE + f"{'retries' * 20}: 3\n", "retries" * 20, ""),
        (WHOLE + "retries: many\n", "retries", ""),
    ],
)
def test_a_word_that_was_probably_meant_is_suggested(
    include: Path, text: str, field: str, suggestion: str
) -> None:
    (problem,) = check_files([write(include, "nightly.yaml", text)])
    assert (problem.field, problem.suggestion) == (field, suggestion)
    assert str(problem).endswith(f" Did you mean {suggestion}?") == bool(suggestion)


def test_all_mistakes_of_all_files_are_found_as_airflow_finds_them(include: Path) -> None:
    wrong = "name: one\nschedul: x\narchive: file:///a\ncourses: {ids: [x:1], filters: {}}\nretries: -1\ntimezone: Mars\n"
    files = [write(include, "one.yaml", wrong), write(include, "two.yaml", "name: [\n")]
    found = check_files(files)
    assert len(found) > 5
    assert [(each.line, each.field, each.text) for each in found] == [
        (each.line, each.field, each.text) for each in load_backups(include).problems
    ]
    assert {each.file for each in found} == set(map(str, files))


def test_a_neighbour_of_the_same_name_is_a_problem_of_the_file_that_is_checked(include: Path) -> None:
    write(include, "nightly.yaml", GOOD.format(name="nightly"))
    copy = write(include, "copy.yaml", GOOD.format(name="nightly"))
    write(include, "broken.yaml", "name: [\n")
    (problem,) = check_files([copy])
    assert (problem.file, problem.line, problem.field) == (str(copy), 2, "name")
    assert f"{include}/backups/nightly.yaml keeps the DAG" in problem.text


@pytest.mark.parametrize("name", ["nightly.yaml.txt", ".nightly.yaml", "nightly.json"])
def test_a_file_that_airflow_does_not_read_is_a_problem(include: Path, name: str) -> None:
    (problem,) = check_files([write(include, name, GOOD.format(name="nightly"))])
    assert problem.text == "Airflow does not read a file of this name."


def test_a_file_that_is_not_there_is_a_problem(include: Path) -> None:
    (problem,) = check_files([include / "nowhere" / "nightly.yaml"])
    assert problem.text == "cannot be read: No such file or directory."


class TestCourseList:
    TEXT = "name: a\nschedule: null\narchive: file:///a\ncourses: {list: %s}\n"

    def test_one_that_is_missing_or_has_a_line_that_is_no_course_is_a_problem(self, include: Path) -> None:
        path = write(include, "a.yaml", self.TEXT % "law.csv")
        (missing,) = check_files([path])
        assert (missing.line, missing.field) == (4, "courses.list")
        assert "law.csv" in missing.text
        (include / "courses" / "law.csv").write_text("course\n101\nx:1\n")
        (broken,) = check_files([path])
        assert "line 3" in broken.text
        (include / "courses" / "law.csv").write_text("course\n101\n")
        assert check_files([path]) == []

    @pytest.mark.parametrize("where", ["s3://campus-lists/law.csv", "/srv/lists/law.csv"])
    def test_one_that_only_workers_may_be_able_to_read_is_not_read(self, include: Path, where: str) -> None:
        assert check_files([write(include, "a.yaml", self.TEXT % where)]) == []


class TestFiles:
    def test_a_folder_means_its_backups(self, include: Path) -> None:
        files = [write(include, name, WHOLE) for name in ("a.yaml", "b.yml")]
        write(include, "notes.txt", "")
        assert find_files([include]) == files
        assert find_files([include / "backups", files[0]]) == files

    def test_without_a_name_it_is_the_include_folder(
        self, include: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        path = write(include, "a.yaml", WHOLE)
        monkeypatch.chdir(tmp_path)
        assert find_files([]) == [path.relative_to(tmp_path)]
        monkeypatch.chdir("/")
        monkeypatch.setenv("CANVAS_EXPORTS_INCLUDE", str(include))
        assert find_files([]) == [path]

    def test_nothing_to_check_is_an_error(
        self, include: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        with pytest.raises(InputError, match="has no backup file"):
            find_files([include])
        shutil.rmtree(include)
        monkeypatch.chdir(tmp_path)
        with pytest.raises(InputError, match="there is no folder include"):
            find_files([])
