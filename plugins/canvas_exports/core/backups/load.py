"""Load backups from a folder of YAML files, with the problems of invalid files."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from canvas_exports.core.backups.backup import Backup
from canvas_exports.core.backups.checks import find_contradictions
from canvas_exports.core.backups.problems import FieldPath, Problem
from canvas_exports.core.backups.schema import find_violations
from canvas_exports.core.backups.yaml_document import YamlDocument, read_document
from canvas_exports.core.text.user_files import FileFormatError, decode_text
from canvas_exports.core.text.wording import join_words
from canvas_exports.errors import ProblemsError

#: Environment variable with the path of another include folder.
INCLUDE = "CANVAS_EXPORTS_INCLUDE"

MAX_BYTES = 256 * 1024  # of one file; it is read in pure Python, every half minute
MOST_PROBLEMS = 40  # of one file
MOST_LISTED = 100  # in one import error

_MOST_NAMED = 3  # of the files with one name
_NAME = re.compile(
    rb"""^(?:\xef\xbb\xbf)?name:[ \t]+["']?([A-Za-z0-9][A-Za-z0-9_-]{0,99})["']?[ \t]*(?:#.*)?\r?$""",
    re.MULTILINE,
)


@dataclass(frozen=True)
class LoadedBackups:
    """The backups of the valid files of a folder, and the problems of the others."""

    backups: tuple[Backup, ...] = ()
    problems: tuple[Problem, ...] = ()

    def raise_problems(self) -> None:
        """Raise all problems of all files at once, if there are any.

        Raises:
            ProblemsError: there are problems; each is on a line of its own.
        """
        if self.problems:
            listed = "\n".join(map(str, self.problems[:MOST_LISTED]))
            more = len(self.problems) - MOST_LISTED
            rest = f"\nand {more:,} more" if more > 0 else ""
            raise ProblemsError(
                "backups",
                "fix these files. The backup of a file does not run until then, unless its line says otherwise:\n"
                f"{listed}{rest}",
            )


def include_folder(dag_file: str) -> Path:
    """Return the folder with ``backups/`` and ``courses/``: ``include/`` beside the folder of a DAG file, or else inside it.

    Hosted Airflows may copy nothing but the folder of DAGs. The environment variable ``CANVAS_EXPORTS_INCLUDE`` overrides both.
    """
    chosen = os.environ.get(INCLUDE)
    if chosen:
        return Path(chosen)
    folder = Path(dag_file).resolve().parent
    beside, inside = folder.parent / "include", folder / "include"
    return inside if inside.is_dir() and not beside.is_dir() else beside


def load_backups(include: Path) -> LoadedBackups:
    """Read every ``backups/*.yaml`` and ``backups/*.yml`` of an include folder.

    Reads nothing else, and makes no request. If several files have one name, only the owner is a backup (``find_owner``), and
    each file gets a problem that names the others. An invalid file keeps its name: no other file takes it.
    """
    folder = include / "backups"
    if not folder.is_dir():
        text = f"there is no such folder, so there is no backup. Make it, or set {INCLUDE} to the folder that holds it."
        return LoadedBackups(problems=(Problem(_path_text(folder), 0, "", text),))
    named: dict[str, list[BackupFile]] = {}
    for path in backup_files(folder):
        file = read_file(path)
        named.setdefault(file.name, []).append(file)
    backups: list[Backup] = []
    problems: list[Problem] = []
    for name, files in named.items():
        kept = find_owner(name, files)
        for file in files:
            problems += file.problems
            if len(files) > 1:
                problems.append(duplicate_name(file, files))
        if kept is not None and not kept.problems:
            document = kept.document
            backups.append(Backup.from_data(document.data, file=document.file, lists=include / "courses"))
    return LoadedBackups(tuple(backups), tuple(problems))


def backup_files(folder: Path) -> list[Path]:
    """Return the files of a folder that Airflow reads as backups, in their order."""
    return sorted(filter(is_backup_file, folder.iterdir()), key=lambda path: (path.stem, path.suffix))


def is_backup_file(path: Path) -> bool:
    """Return whether Airflow reads a file of this name as a backup."""
    return path.suffix in (".yaml", ".yml") and not path.name.startswith(".")


@dataclass(frozen=True)
class BackupFile:
    """One file, read.

    Attributes:
        stem: its name without the ending.
        age: when it was last changed, in nanoseconds.
        document: what it says.
        problems: what is wrong with it by itself.
        start: its first bytes.
    """

    stem: str
    age: int
    document: YamlDocument
    problems: tuple[Problem, ...]
    start: bytes = b""

    @property
    def name(self) -> str:
        """Return the name of the backup; of invalid YAML, from the line ``name:``; otherwise the name of the file."""
        named = self.document.value(("name",))
        if isinstance(named, str) and named:
            return named
        match = None if isinstance(self.document.data, Mapping) else _NAME.search(self.start)
        return match[1].decode() if match else self.stem


def find_owner(name: str, files: Sequence[BackupFile]) -> BackupFile | None:
    """Return which of several files with one name keeps its DAG, or ``None``.

    It is the file that is named like the backup; if there is none, or two (``.yaml`` and ``.yml``), the file with the oldest
    change. If that does not decide either, there is no DAG, because a DAG must not run another backup. Airflow's database
    could decide, but a DAG file must not read it.
    """
    called = [file for file in files if file.stem == name] or list(files)
    oldest = min(file.age for file in called)
    first, *others = [file for file in called if file.age == oldest]
    return None if others else first


def duplicate_name(file: BackupFile, files: Sequence[BackupFile]) -> Problem:
    """Return the problem of one of several files with one name."""
    name, kept = file.name, find_owner(file.name, files)
    rest = [
        other.document.file for other in islice((each for each in files if each is not file), _MOST_NAMED)
    ]
    if (more := len(files) - 1 - len(rest)) > 0:
        rest.append(f"{more:,} more")
    named = join_words(rest)
    if kept is None:
        said = "None of them runs, because it is not known which file had the name first."
    elif kept is file:
        reason = "it has the same name" if file.stem == name else "its last change is the oldest"
        said = f"This file keeps the DAG, because {reason}."
    else:
        said = f"{kept.document.file} keeps the DAG, and this file does not run."
    text = f"{name!r} is also the name of {named}. {said} Give each backup its own name."
    return file.document.problem(("name",), text)


def read_file(path: Path, *, shown: str | None = None) -> BackupFile:
    """Read and check one file. Does not raise; what is wrong is in its problems.

    Args:
        path: the file.
        shown: its name in problems; the end of its path by default.
    """
    shown = shown or _path_text(path)
    age, line, text, data = 0, 0, "", b""
    try:
        status = path.stat()
        age = status.st_mtime_ns
        if not stat.S_ISREG(status.st_mode):
            text = "is not a file."
        else:
            with path.open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
            if len(data) > MAX_BYTES:
                text = f"is larger than {MAX_BYTES // 1024} KiB; move the courses to a course list."
            else:
                document = read_document(decode_text(data), shown)
                return BackupFile(path.stem, age, document, tuple(find_problems(document)), data)
    except FileFormatError as error:
        line, text = error.line, f"{error.problem}."
    except OSError as error:
        text = f"cannot be read: {error.strerror}."
    problem = Problem(shown, line, "", text)
    return BackupFile(path.stem, age, YamlDocument(shown, problems=[problem]), (problem,), data)


def find_problems(document: YamlDocument) -> list[Problem]:
    """Return the problems of one file in the order of its lines, at most ``MOST_PROBLEMS``."""
    found: set[Problem] = set(document.problems)
    data: Any = document.data
    if isinstance(data, Mapping):
        malformed: set[FieldPath] = set()
        for place, text in islice(find_violations(data), MOST_PROBLEMS):
            malformed.add(place)
            found.add(document.problem(place, text))
        if len(found) < MOST_PROBLEMS:  # the checks need to know all malformed fields
            for place, text in islice(find_contradictions(document, malformed), MOST_PROBLEMS):
                found.add(document.problem(place, text))
    elif not found:
        found.add(document.problem((), "a backup is a mapping of fields to values, such as name: nightly."))
    listed = sorted(found)
    more = Problem(document.file, 0, "", "there are more problems; fix these first.")
    return listed if len(listed) < MOST_PROBLEMS else [*listed[: MOST_PROBLEMS - 1], more]


def _path_text(path: Path) -> str:
    """Return the end of a path: ``include/backups/nightly.yaml``."""
    return "/".join(path.parts[-3:] if path.suffix else path.parts[-2:])
