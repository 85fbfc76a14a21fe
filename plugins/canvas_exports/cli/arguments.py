"""Arguments that subcommands share, and the archive and the course that they name."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from canvas_exports.cli.observed_store import ObservedStore
from canvas_exports.cli.progress import PROGRESS
from canvas_exports.core.archive.catalog.find_course import find_course, parse_course_name
from canvas_exports.core.archive.catalog.read import Holding, copies_of
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.core.restore.choices import NEWEST
from canvas_exports.core.storage.open_store import ACCEPTED, open_store
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import InputError

if TYPE_CHECKING:
    Parsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse has no public name for it
else:
    Parsers = argparse.Action  # only a name at run time: the class above takes no type argument there

#: Environment variable with the URI of the archive.
VARIABLE = "CANVAS_ARCHIVE"

#: Environment variables with the address of Canvas, and with an access token of it.
CANVAS, TOKEN = "CANVAS_URL", "CANVAS_TOKEN"

EXPORT_TYPES = tuple(each.value for each in ExportType)

_CANVAS = "https://canvas.example.edu"
_COPY = (
    "newest (default): the newest proven copy; a day (2026-11-20) or a time (UTC): the newest proven copy by then; the number of "
    "an export; or the key of a manifest or package"
)
_COURSE = "its number (101, course:101, group:7), or its SIS id, code or name as the manifests have it"


def add_subcommand(
    parsers: Parsers,
    name: str,
    command: Callable[[argparse.Namespace], int],
    *,
    help: str,  # noqa: A002 - argparse's word
) -> argparse.ArgumentParser:
    """Add a subcommand, with the arguments that all have; return its parser.

    Args:
        parsers: of ``canvas-archive``.
        name: of the subcommand.
        command: runs it and returns the exit status.
        help: one sentence.
    """
    parser = parsers.add_parser(name, help=help, description=help, allow_abbrev=False)
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.set_defaults(command=command)
    return parser


def add_archive_subcommand(
    parsers: Parsers,
    name: str,
    command: Callable[[argparse.Namespace], int],
    *,
    help: str,  # noqa: A002 - argparse's word
) -> argparse.ArgumentParser:
    """Add a subcommand that reads one archive: as ``add_subcommand``, with ``--archive`` and ``--allow-empty``."""
    parser = add_subcommand(parsers, name, command, help=help)
    add_archive(parser)
    parser.add_argument(
        "--allow-empty",
        action="store_true",
        help="accept an archive without copies; by default, an address that holds no archive is an error",
    )
    return parser


def add_archive(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names the archive."""
    parser.add_argument(
        "-A",
        "--archive",
        metavar="URI",
        help=f"root of the archive (default: ${VARIABLE}), such as s3://bucket/path",
    )


def add_course(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """Add the argument that names a course."""
    parser.add_argument("course", nargs="?" if optional else None, metavar="COURSE", help=_COURSE)


def add_copy(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that choose a copy of a course: ``--copy``, ``--type``, ``--allow-incomplete``."""
    parser.add_argument("--copy", default=NEWEST, metavar="VERSION", help=_COPY)
    parser.add_argument(
        "--type",
        choices=EXPORT_TYPES,
        default=ExportType.COMMON_CARTRIDGE.value,
        help="export type (common_cartridge)",
    )
    parser.add_argument("--allow-incomplete", action="store_true", help="accept a copy that lacks files")


def add_days(
    parser: argparse.ArgumentParser,
    *,
    help: str,  # noqa: A002 - argparse's word
    default: int = 30,
) -> None:
    """Add ``--days``."""
    parser.add_argument("--days", type=_days, default=default, help=f"{help} ({default})")


def open_archive(options: argparse.Namespace) -> Store:
    """Open the archive that ``--archive`` or the environment names, with credentials from the environment.

    Raises:
        InputError: no archive is named, or its name is neither a URI nor the path of a folder.
    """
    field, uri = ("--archive", options.archive) if options.archive else (VARIABLE, os.environ.get(VARIABLE))
    if not uri:
        raise InputError("--archive", f"no archive is named, and {VARIABLE} is not set", accepted=ACCEPTED)
    if uri.startswith(("/", "./", "../")):
        uri = Path(uri).absolute().as_uri()
    store = open_store(uri, field=field)
    PROGRESS.begin("Reading the archive")
    return ObservedStore(store)


def add_canvas(parser: argparse.ArgumentParser, *, help: str) -> None:  # noqa: A002 - argparse's word
    """Add ``--canvas``."""
    parser.add_argument(
        "--canvas", metavar="URL", help=f"{help} (default: ${CANVAS}), with the access token in {TOKEN}"
    )


def canvas_access(options: argparse.Namespace) -> tuple[str, str]:
    """Return address and token of the Canvas that ``--canvas`` or the environment names.

    Raises:
        InputError: one of them is missing.
    """
    url, token = options.canvas or os.environ.get(CANVAS), os.environ.get(TOKEN)
    if not url:
        raise InputError("--canvas", f"no Canvas is named, and {CANVAS} is not set", accepted=_CANVAS)
    if not token:
        raise InputError(TOKEN, "is not set", accepted="an access token of this Canvas")
    return url, token


def positive_number(text: str) -> float:
    """Read a number above zero, for argparse."""
    try:
        amount = float(text)
    except ValueError:
        amount = 0.0
    if not 0 < amount < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount above 0")
    return amount


def read_course(
    store: Store, options: argparse.Namespace, *, name: str | None = None, field: str = "COURSE"
) -> Holding:
    """Read the copies of the course that ``COURSE`` names, or another argument.

    Raises:
        InputError: no course of the archive has the name, or several have (permanent).
        ArchiveError: the archive cannot be read; see ``find_course`` and ``copies_of``.
    """
    named = parse_course_name(options.course if name is None else name, field=field)
    context = find_course(store, named, field=field)
    return copies_of(store, context.kind.value, context.canvas_id or 0)


def _days(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1 <= number <= 100_000:  # noqa: PLR2004 - some 270 years
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days")
    return number
