"""From a folder of YAML files to backups, and to everything that is wrong with the rest."""

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
from canvas_exports.core.backups.checks import contradictions
from canvas_exports.core.backups.problems import Place, Problem
from canvas_exports.core.backups.schema import violations
from canvas_exports.core.backups.yaml_document import Document, read_document
from canvas_exports.core.text.user_files import FileFormatError, decode_text
from canvas_exports.errors import ProblemsError

#: Environment variable with the path of another include folder.
INCLUDE = "CANVAS_EXPORTS_INCLUDE"

MAX_BYTES = 256 * 1024  # of one file; it is read in pure Python, every half minute
MOST_PROBLEMS = 40  # of one file
MOST_TOLD = 100  # in one import error

_MOST_NAMED = 3  # of the files with one name
_NAME = re.compile(
    rb"""^(?:\xef\xbb\xbf)?name:[ \t]+["']?([A-Za-z0-9][A-Za-z0-9_-]{0,99})["']?[ \t]*(?:#.*)?\r?$""",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Loaded:
    """What a folder holds: the backups that are whole, and the problems of those that are not."""

    backups: tuple[Backup, ...] = ()
    problems: tuple[Problem, ...] = ()

    def raise_problems(self) -> None:
        """Tell all problems of all files at once, or nothing.

        Raises:
            ProblemsError: there are problems; each stands on a line of its own.
        """
        if self.problems:
            listed = "\n".join(map(str, self.problems[:MOST_TOLD]))
            more = len(self.problems) - MOST_TOLD
            rest = f"\nand {more:,} more" if more > 0 else ""
            raise ProblemsError(
                "backups",
                "mend these files. What a file describes does not run until then, unless it says otherwise:\n"
                f"{listed}{rest}",
            )


def include_folder(dag_file: str) -> Path:
    """The folder that holds ``backups/`` and ``courses/``: ``include/`` beside the folder of a DAG file.

    The environment variable ``CANVAS_EXPORTS_INCLUDE`` names another one.
    """
    chosen = os.environ.get(INCLUDE)
    return Path(chosen) if chosen else Path(dag_file).resolve().parent.parent / "include"


def load_backups(include: Path) -> Loaded:
    """Read every ``backups/*.yaml`` of an include folder; ``*.yml`` too, so that no file is passed over in silence.

    Reads nothing else, and makes no request. Of files with one name, the owner keeps it, and the others are no backups; see
    ``owner``. Each of them gets a problem that names the others. A broken file still has its name: nobody else takes it.
    """
    folder = include / "backups"
    if not folder.is_dir():
        text = f"there is no such folder, so there is no backup. Make it, or set {INCLUDE} to the folder that holds it."
        return Loaded(problems=(Problem(_shown(folder), 0, "", text),))
    named: dict[str, list[_File]] = {}
    for path in sorted(folder.iterdir(), key=lambda path: (path.stem, path.suffix)):
        if path.suffix in (".yaml", ".yml") and not path.name.startswith("."):
            file = _read(path)
            named.setdefault(file.name, []).append(file)
    backups: list[Backup] = []
    problems: list[Problem] = []
    for name, files in named.items():
        kept = owner(name, files)
        for file in files:
            problems += file.problems
            if len(files) > 1:
                problems.append(_shared(name, file, files, kept))
        if kept is not None and not kept.problems:
            document = kept.document
            backups.append(Backup.from_data(document.data, file=document.file, lists=include / "courses"))
    return Loaded(tuple(backups), tuple(problems))


@dataclass(frozen=True)
class _File:
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
    document: Document
    problems: tuple[Problem, ...]
    start: bytes = b""

    @property
    def name(self) -> str:
        """The backup's name; where the YAML is broken, from the line that tells it; else what the file is called."""
        named = self.document.value(("name",))
        if isinstance(named, str) and named:
            return named
        told = None if isinstance(self.document.data, Mapping) else _NAME.search(self.start)
        return told[1].decode() if told else self.stem


def owner(name: str, files: Sequence[_File]) -> _File | None:
    """Which of several files with one name keeps its DAG: the one that had it before, as far as files can tell.

    It is the one that is called like the backup; if none is, or two are (``.yaml`` and ``.yml``), the one that was changed
    the longest ago. Where that does not decide either, none: no DAG is better than one that does another's work. Airflow's
    database could tell, but a DAG file must not ask it.
    """
    called = [file for file in files if file.stem == name] or list(files)
    oldest = min(file.age for file in called)
    first, *others = [file for file in called if file.age == oldest]
    return None if others else first


def _shared(name: str, file: _File, files: Sequence[_File], kept: _File | None) -> Problem:
    """What to say at one of several files with one name."""
    rest = [
        other.document.file for other in islice((each for each in files if each is not file), _MOST_NAMED)
    ]
    if (more := len(files) - 1 - len(rest)) > 0:
        rest.append(f"{more:,} more")
    named = " and ".join([", ".join(rest[:-1]), rest[-1]] if len(rest) > 1 else rest)
    if kept is None:
        said = "None of them runs, as nothing tells which had it first."
    elif kept is file:
        reason = "it is called like it" if file.stem == name else "it was changed the longest ago"
        said = f"This one keeps the DAG, as {reason}."
    else:
        said = f"{kept.document.file} keeps the DAG, and this file does not run."
    text = f"{name!r} is the name of {named}, too. {said} Give each a name of its own."
    return file.document.problem(("name",), text)


def _read(path: Path) -> _File:
    shown = _shown(path)
    age, line, text, data = 0, 0, "", b""
    try:
        status = path.stat()
        age = status.st_mtime_ns
        if not stat.S_ISREG(status.st_mode):
            text = "is no file."
        else:
            with path.open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
            if len(data) > MAX_BYTES:
                text = f"is larger than {MAX_BYTES // 1024} KiB; put the courses into a list of their own."
            else:
                document = read_document(decode_text(data), shown)
                return _File(path.stem, age, document, tuple(_problems(document)), data)
    except FileFormatError as error:
        line, text = error.line, f"{error.problem}."
    except OSError as error:
        text = f"cannot be read: {error.strerror}."
    problem = Problem(shown, line, "", text)
    return _File(path.stem, age, Document(shown, problems=[problem]), (problem,), data)


def _problems(document: Document) -> list[Problem]:
    """Everything that is wrong with one file, in the order of its lines; of very much, the first ``MOST_PROBLEMS``."""
    found: set[Problem] = set(document.problems)
    data: Any = document.data
    if isinstance(data, Mapping):
        malformed: set[Place] = set()
        for place, text in islice(violations(data), MOST_PROBLEMS):
            malformed.add(place)
            found.add(document.problem(place, text))
        if len(found) < MOST_PROBLEMS:  # the rules take it that all that is malformed is known
            for place, text in islice(contradictions(document, malformed), MOST_PROBLEMS):
                found.add(document.problem(place, text))
    elif not found:
        found.add(document.problem((), "a backup is a mapping of fields to values, such as name: nightly."))
    listed = sorted(found)
    more = Problem(document.file, 0, "", "there is more; mend these first.")
    return listed if len(listed) < MOST_PROBLEMS else [*listed[: MOST_PROBLEMS - 1], more]


def _shown(path: Path) -> str:
    """The end of a path, as an admin knows it: ``include/backups/nightly.yaml``."""
    return "/".join(path.parts[-3:] if path.suffix else path.parts[-2:])
