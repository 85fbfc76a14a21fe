"""What every subcommand shares: which archive, and how the answer is printed."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from canvas_exports.core.archive.catalog.read import UnreadableDocument
from canvas_exports.core.storage.open_store import ACCEPTED, open_store
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.text_table import MAX_CELL, format_table
from canvas_exports.errors import InputError
from canvas_exports.foreign_text import harmless

if TYPE_CHECKING:
    Parsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse names it no other way
else:
    Parsers = argparse.Action  # the name is all that is needed; at run time the other one takes no argument

VARIABLE = "CANVAS_ARCHIVE"

#: What may be written for a course.
COURSE = "its number (101, course:101, group:7), or its SIS id, code or name as the manifests have it"

_SEEN = "\N{REPLACEMENT CHARACTER}"


def subcommand(
    parsers: Parsers,
    name: str,
    answer: Callable[[argparse.Namespace], int],
    *,
    help: str,  # noqa: A002 - argparse's word
) -> argparse.ArgumentParser:
    """Enter a subcommand that asks one archive; returns its parser, for its own arguments.

    Args:
        parsers: of ``canvas-archive``.
        name: of the subcommand.
        answer: returns the exit status.
        help: one sentence.
    """
    parser = parsers.add_parser(name, help=help, description=help, allow_abbrev=False)
    parser.add_argument(
        "--archive", metavar="URI", help=f"root of the archive; without it, what {VARIABLE} says"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument(
        "--allow-empty",
        action="store_true",
        help="answer also where nothing was stored yet; without it, an address that holds no archive is an error",
    )
    parser.set_defaults(answer=answer)
    return parser


def archive_of(options: argparse.Namespace) -> Store:
    """Open the archive that was named, with credentials of the environment.

    Raises:
        InputError: none was named, or it is no URI.
    """
    uri = options.archive or os.environ.get(VARIABLE)
    if not uri:
        raise InputError("--archive", f"no archive is named, nor does {VARIABLE} name one", accepted=ACCEPTED)
    return open_store(uri, field="--archive")


def say(text: str) -> None:
    """Print lines that were made here: what is foreign in them was made harmless before; what was not is replaced now."""
    sys.stdout.write("".join(each if each.isprintable() or each == "\n" else _SEEN for each in text) + "\n")


def say_json(document: Any) -> None:
    """Print JSON, in ASCII: nothing in it can make a terminal do something."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def say_unreadable(unreadable: Iterable[UnreadableDocument]) -> None:
    """Print which documents could not be read, each in a line."""
    for document in unreadable:
        say(f"{harmless(document.key, most=MAX_CELL)} cannot be read: {harmless(document.reason)}")


def say_table(
    headings: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: Sequence[str] = ()
) -> None:
    """Print a table: as wide as the terminal, or whole if it goes elsewhere."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    say(format_table(headings, rows, numbers=numbers, width=width))


def days(text: str) -> int:
    """A number of days, from 1."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1 <= number <= 100_000:  # noqa: PLR2004 - some 270 years
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days")
    return number
