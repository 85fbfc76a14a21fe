"""``canvas-archive check``: find every mistake in backup files, as Airflow will."""

from __future__ import annotations

import argparse
from pathlib import Path

from canvas_exports.cli.arguments import Parsers, add_subcommand
from canvas_exports.cli.output import print_json, print_text
from canvas_exports.core.backups.check import check_files, find_files

_HELP = "find every mistake in backup files, as Airflow will"


def add_parser(parsers: Parsers) -> None:
    """Add the subcommand."""
    parser = add_subcommand(parsers, "check", run, help=_HELP)
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="a backup file, or a folder of them (default: the folder include)",
    )


def run(options: argparse.Namespace) -> int:
    """Print every problem with its file, line and field; return 1 if there are any."""
    files = find_files(options.files)
    problems = check_files(files)
    if options.json:
        print_json(
            {
                "files": [str(file) for file in files],
                "problems": [
                    {
                        "file": problem.file,
                        "line": problem.line or None,
                        "field": problem.field or None,
                        "problem": problem.text,
                        "accepted": problem.accepted or None,
                        "did_you_mean": problem.suggestion or None,
                    }
                    for problem in problems
                ],
            }
        )
    else:
        for problem in problems:
            print_text(str(problem))
        print_text(_summary(len(files), len(problems)))
    return 1 if problems else 0


def _summary(files: int, problems: int) -> str:
    checked = f"{files:,} backup file{'' if files == 1 else 's'} checked"
    return (
        f"{checked}: {problems:,} problem{'' if problems == 1 else 's'}."
        if problems
        else f"{checked}, no problem."
    )
