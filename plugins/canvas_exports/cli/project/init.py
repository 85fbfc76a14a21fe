"""``canvas-archive init``: write the DAG files and example backups of an Airflow project."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from canvas_exports.cli.arguments import Parsers, add_subcommand
from canvas_exports.cli.output import print_json, print_text
from canvas_exports.core.backups.schema import SCHEMA_FILE, schema_bytes
from canvas_exports.errors import InputError

_HELP = "write the DAG files and example backups of an Airflow project into a folder"

WRITTEN, SAME, DIFFERENT = "written", "same", "different"


@dataclass(frozen=True)
class ProjectFile:
    """A file of the project.

    Attributes:
        name: its path in the project, with slashes.
        state: ``written``, or the state of the file that was already there: ``same`` or ``different``.
    """

    name: str
    state: str


def add_parser(parsers: Parsers) -> None:
    """Add the subcommand."""
    parser = add_subcommand(parsers, "init", run, help=_HELP)
    parser.add_argument("folder", nargs="?", default=".", metavar="FOLDER", help="the folder (this one)")


def run(options: argparse.Namespace) -> int:
    """Write what is missing, and print what was written, what was there already, and the next steps; return 0."""
    if not options.folder:  # "$AIRFLOW_HOME" where nothing set it
        raise InputError("FOLDER", "it is empty", accepted="a path, such as ~/airflow; a dot is this folder")
    folder = Path(options.folder).absolute()
    found = write_project(folder)
    steps = next_steps(folder)
    if options.json:
        print_json(
            {
                "folder": str(folder),
                "files": [{"file": file.name, "state": file.state} for file in found],
                "next": steps,
            }
        )
    else:
        _print_files(folder, found)
        print_text("\nNext:\n")
        for number, (title, commands) in enumerate(steps.items(), start=1):
            print_text(f"{number}. {title}")
            print_text("".join(f"     {command}\n" for command in commands))
    return 0


def write_project(folder: Path) -> list[ProjectFile]:
    """Write the files of a project that a folder does not have. No file that exists is changed.

    Raises:
        InputError: the folder cannot be written (permanent).
    """
    return [_write(folder, name, content) for name, content in project_files()]


def project_files() -> Iterator[tuple[str, bytes]]:
    """Yield the path and the content of every file of a project, in the order of their paths."""
    template = Path(str(files("canvas_exports.cli.project") / "template"))
    found = {
        path.relative_to(template).as_posix(): path.read_bytes()
        for path in template.rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }
    found[f"include/{SCHEMA_FILE}"] = schema_bytes()
    yield from sorted(found.items())


def next_steps(folder: Path) -> dict[str, list[str]]:
    """Return what remains to be done after ``init``: a title for each step, and its commands."""
    home = Path(os.environ.get("AIRFLOW_HOME") or Path.home() / "airflow").expanduser().absolute()
    read_these = {
        "Let Airflow read these DAGs (or copy dags/ and include/, side by side, to where your Airflow reads them):": [
            f"export AIRFLOW__CORE__DAGS_FOLDER={shlex.quote(str(folder / 'dags'))}"
        ]
    }
    return {
        **({} if folder == home else read_these),
        "Start Airflow, if none runs. This is enough for a trial, and prints the password of its user admin:": [
            "export AIRFLOW__CORE__LOAD_EXAMPLES=False AIRFLOW__CORE__PARALLELISM=4",
            "airflow standalone",
        ],
        "In another terminal, name your Canvas, with the access token of an account administrator in $CANVAS_TOKEN:": [
            'airflow connections add canvas_default --conn-type canvas --conn-host canvas.example.edu --conn-password "$CANVAS_TOKEN"'
        ],
        "Name the archive: a bucket (s3://, gs://, az://), a folder (file://) or a server (sftp://):": [
            "airflow connections add campus_archive --conn-type canvas_archive --conn-host s3://campus-backups/canvas",
            "airflow variables set canvas_archive campus_archive",
        ],
        "Replace the examples in include/courses/pilot.csv by a few of your courses, and check the backups:": [
            f"canvas-archive check {shlex.quote(str(folder / 'include'))}",
        ],
        "Check Canvas, the archive and Airflow:": [
            "canvas-archive doctor",
        ],
        "Run the first backup:": [
            "airflow dags unpause canvas_backup_pilot",
            "airflow dags trigger canvas_backup_pilot",
        ],
    }


def _print_files(folder: Path, found: list[ProjectFile]) -> None:
    written = [file.name for file in found if file.state == WRITTEN]
    if written:
        print_text(f"Written to {folder}:")
        print_text("".join(f"  {name}\n" for name in written).rstrip("\n"))
    else:
        print_text(f"Nothing was written: {folder} has every file already.")
    for state, heading in (
        (SAME, "Left as they are, equal to the files of this version:"),
        (DIFFERENT, "Left as they are, different from the files of this version:"),
    ):
        names = [file.name for file in found if file.state == state]
        if names:
            print_text(f"{heading}\n" + "\n".join(f"  {name}" for name in names))


def _write(folder: Path, name: str, content: bytes) -> ProjectFile:
    path = folder / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            stream = path.open("xb")
        except FileExistsError:
            same = path.is_file() and path.read_bytes() == content
            return ProjectFile(name, SAME if same else DIFFERENT)
        try:
            with stream:
                stream.write(content)
        except BaseException:
            path.unlink()  # the next start would take a part of the file for a file of the user
            raise
    except OSError as error:
        raise InputError(
            "FOLDER",
            f"{path} cannot be written: {error.strerror}",
            accepted="a folder that you may write to, such as a new one",
        ) from None
    return ProjectFile(name, WRITTEN)
