"""From a folder of YAML files to backups, and to everything that is wrong with the rest."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from canvas_exports.backups.backup import Backup
from canvas_exports.backups.checks import contradictions
from canvas_exports.backups.document import Document, read_document
from canvas_exports.backups.problems import Place, Problem
from canvas_exports.backups.schema import violations
from canvas_exports.errors import InputError

#: Environment variable with the path of another include folder.
INCLUDE = "CANVAS_EXPORTS_INCLUDE"


@dataclass(frozen=True)
class Loaded:
    """What a folder holds: the backups that are whole, and the problems of those that are not."""

    backups: tuple[Backup, ...] = ()
    problems: tuple[Problem, ...] = ()

    def raise_problems(self) -> None:
        """Tell all problems of all files at once, or nothing.

        Raises:
            InputError: there are problems; each stands on a line of its own.
        """
        if self.problems:
            listed = "\n".join(map(str, self.problems))
            raise InputError(
                "backups", f"what these files describe does not run until they are mended:\n{listed}"
            )


def include_folder(dag_file: str) -> Path:
    """The folder that holds ``backups/`` and ``courses/``: ``include/`` beside the folder of a DAG file.

    The environment variable ``CANVAS_EXPORTS_INCLUDE`` names another one.
    """
    chosen = os.environ.get(INCLUDE)
    return Path(chosen) if chosen else Path(dag_file).resolve().parent.parent / "include"


def load_backups(include: Path) -> Loaded:
    """Read every ``backups/*.yaml`` of an include folder; ``*.yml`` too, so that no file is passed over in silence.

    Reads nothing else, and makes no request. Of two files with one name, the first in alphabetical order keeps it.
    """
    folder = include / "backups"
    if not folder.is_dir():
        text = f"there is no such folder, so there is no backup. Make it, or set {INCLUDE} to the folder that holds it."
        return Loaded(problems=(Problem(_shown(folder), 0, "", text),))
    files = [
        path
        for path in folder.iterdir()
        if path.suffix in (".yaml", ".yml") and not path.name.startswith(".")
    ]
    backups: dict[str, Backup] = {}
    problems: list[Problem] = []
    for path in sorted(files, key=lambda path: (path.stem, path.suffix)):
        document = _read(path)
        found = _problems(document)
        name = document.value(("name",))
        if not found and name in backups:
            text = f"{name!r} is the name of {backups[name].file} already; a backup needs a name of its own."
            found = [document.problem(("name",), text)]
        if found:
            problems += found
        else:
            backup = Backup.from_data(document.data, file=document.file, lists=include / "courses")
            backups[backup.name] = backup
    return Loaded(tuple(backups.values()), tuple(problems))


def _read(path: Path) -> Document:
    file = _shown(path)
    try:
        return read_document(path.read_text(encoding="utf-8-sig"), file)
    except UnicodeDecodeError as error:
        text = f"byte {error.start} is not UTF-8."
    except OSError as error:
        text = f"cannot be read: {error.strerror}."
    return Document(file, problems=[Problem(file, 0, "", text)])


def _problems(document: Document) -> list[Problem]:
    """Everything that is wrong with one file, in the order of its lines."""
    found: set[Problem] = set(document.problems)
    data: Any = document.data
    if isinstance(data, Mapping):
        malformed: set[Place] = set()
        for place, text in violations(data):
            malformed.add(place)
            found.add(document.problem(place, text))
        for place, text in contradictions(document, malformed):
            found.add(document.problem(place, text))
    elif not found:
        found.add(document.problem((), "a backup is a mapping of fields to values, such as name: nightly."))
    return sorted(found)


def _shown(path: Path) -> str:
    """The end of a path, as an admin knows it: ``include/backups/nightly.yaml``."""
    return "/".join(path.parts[-3:] if path.suffix else path.parts[-2:])
