"""``canvas-archive open``: write one course as a folder of HTML that opens in a browser, without Canvas and without a server."""

from __future__ import annotations

import argparse
from pathlib import Path

from canvas_exports.cli.arguments import (
    Parsers,
    add_archive_subcommand,
    add_copy,
    add_course,
    open_archive,
    read_course,
)
from canvas_exports.cli.local_folder import new_folder
from canvas_exports.cli.output import print_json, print_note, print_text
from canvas_exports.cli.progress import PROGRESS
from canvas_exports.core.archive.browsing.course_folder import (
    HOME,
    FolderOptions,
    WrittenCourse,
    write_course,
)
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.presence import require_archive
from canvas_exports.core.archive.manifest import read_manifest
from canvas_exports.core.archive.package_content import open_copy
from canvas_exports.core.restore.choose_copy import choose_from
from canvas_exports.core.restore.form_labels import option_labels
from canvas_exports.core.restore.request import CopyChoice
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import format_count, format_size, format_time
from canvas_exports.foreign_text import harmless


def add_parser(parsers: Parsers) -> None:
    """Add the subcommand."""
    parser = add_archive_subcommand(
        parsers,
        "open",
        run,
        help="write a course as a folder of HTML that opens in a browser, without Canvas",
    )
    add_course(parser)
    add_copy(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FOLDER",
        help="folder to write, which is not there or empty (default: such as course-101 in the current folder)",
    )
    parser.add_argument(
        "--key", action="store_true", help="show the correct answers of quizzes, and their access codes"
    )
    parser.add_argument("--no-files", action="store_true", help="leave the files of the course out")
    parser.add_argument("--force", action="store_true", help="replace a folder that this command has written")


def run(options: argparse.Namespace) -> int:
    """Write the folder; return 1 if a file of the package could not be read."""
    with open_archive(options) as store, option_labels():
        copy = _choose(store, options)
        target = Path(options.output or f"{copy.context.kind}-{copy.context.id}")
        marker = {"context": copy.name, "created_at": format_time(copy.created_at), "manifest": copy.key}
        with new_folder(target.absolute(), marker, force=options.force) as folder:
            PROGRESS.begin("Writing the course")
            written = write_course(
                open_copy(store, copy),
                read_manifest(store, copy.key),
                folder,
                FolderOptions(show_key=options.key, with_files=not options.no_files),
                tell=lambda so_far: PROGRESS.describe(_summary(so_far)),
            )
    _print(copy, target / HOME, written, options)
    return 1 if written.unreadable else 0


def _choose(store: Store, options: argparse.Namespace) -> Copy:
    wanted = CopyChoice.parse(options.copy)
    holding = read_course(store, options)
    if not holding.copies and not options.allow_empty:
        require_archive(store)
    return choose_from(holding, wanted, export_type=options.type, allow_incomplete=options.allow_incomplete)


def _summary(written: WrittenCourse) -> str:
    return f"{format_count(written.pages, 'page')}, {format_count(written.files, 'file')}"


def _print(copy: Copy, home: Path, written: WrittenCourse, options: argparse.Namespace) -> None:
    if options.json:
        print_json(
            {
                "context": copy.name,
                "created_at": format_time(copy.created_at),
                "package": copy.package.key,
                "manifest": copy.key,
                "output": str(home.absolute()),
                "pages": written.pages,
                "files": written.files,
                "size": written.size,
                "unreadable": written.unreadable,
                "problems": written.problems,
            }
        )
        return
    for problem in written.problems:
        print_note(f"this file is left out: {problem}")
    shown = harmless(str(home), most=2000)
    print_text(
        f"{shown}: {_summary(written)}, {format_size(float(written.size))}; "
        f"from the copy of {copy.name} of {format_time(copy.created_at)}."
    )
