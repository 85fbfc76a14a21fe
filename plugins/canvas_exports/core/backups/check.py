"""Check backup files before Airflow reads them, with the rules by which it reads them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from canvas_exports.core.backups.backup import Backup
from canvas_exports.core.backups.load import (
    INCLUDE,
    BackupFile,
    backup_files,
    duplicate_name,
    is_backup_file,
    read_file,
)
from canvas_exports.core.backups.problems import Mistake, Problem
from canvas_exports.core.export.planning.course_lists import read_list
from canvas_exports.errors import CanvasExportsError, InputError

_FIELD = "courses.list"


def find_files(named: Sequence[Path]) -> list[Path]:
    """Return the backup files that paths name: files, folders of files, or include folders; without paths, those of ``include``.

    Raises:
        InputError: a folder has no backup file, or there is no folder ``include`` (permanent).
    """
    if not named:
        named = [Path(os.environ.get(INCLUDE) or "include")]
        if not named[0].is_dir():
            raise InputError(
                "FILE", f"no file is named, and there is no folder {named[0]}", accepted="backup files"
            )
    found: list[Path] = []
    for path in named:
        if not path.is_dir():
            found.append(path)
            continue
        folder = path / "backups" if (path / "backups").is_dir() else path
        files = backup_files(folder)
        if not files:
            raise InputError("FILE", f"{folder} has no backup file", accepted="*.yaml and *.yml")
        found += files
    return list(dict.fromkeys(found))


def check_files(paths: Sequence[Path]) -> list[Problem]:
    """Return every problem of backup files, in the order of the files and their lines.

    Reads their neighbours, too, because two files of one folder must not have one name, and the course lists that they name in
    ``courses`` beside their folder. Makes no request.
    """
    files = {path: read_file(path, shown=str(path)) for path in paths}
    problems: list[Problem] = []
    for path, file in files.items():
        named = [*_neighbours(path, files), file]
        same = [each for each in named if each.name == file.name]
        found = [*file.problems, *_wrong_ending(path, file)]
        if len(same) > 1:
            found.append(duplicate_name(file, same))
        if not file.problems:
            found += _wrong_list(path, file)
        problems += sorted(found)
    return problems


def _neighbours(path: Path, files: dict[Path, BackupFile]) -> Iterator[BackupFile]:
    """Yield the other files that Airflow reads in the folder of a file."""
    if path.parent.is_dir():
        for other in backup_files(path.parent):
            if other != path:
                yield files.get(other) or read_file(other, shown=str(other))


def _wrong_ending(path: Path, file: BackupFile) -> Iterator[Problem]:
    if not is_backup_file(path):
        yield Problem(
            file.document.file, 0, "", "Airflow does not read a file of this name.", "*.yaml and *.yml"
        )


def _wrong_list(path: Path, file: BackupFile) -> Iterator[Problem]:
    """Yield the problem of a course list in the folder ``courses``. Lists elsewhere may be readable by workers only."""
    lists = path.absolute().parent.parent / "courses"
    named = Backup.from_data(file.document.data, file=str(path), lists=lists).listing.get("course_list", "")
    if "://" in named or not Path(named).is_relative_to(lists):
        return
    try:
        read_list(named, field=_FIELD)
    except InputError as error:
        wrong = Mistake(error.message.removeprefix(f"{_FIELD}: "))
        yield file.document.problem(("courses", "list"), wrong)
    except CanvasExportsError as error:
        yield file.document.problem(("courses", "list"), str(error))
