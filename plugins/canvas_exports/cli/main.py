"""``canvas-archive``: set up backups, and answer questions about an archive, from a terminal."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from canvas_exports import __version__
from canvas_exports.cli.commands import (
    ages,
    alarms,
    completion,
    find,
    history,
    hold,
    missing,
    release,
    restore,
    retention,
    runs,
    stats,
    verify,
)
from canvas_exports.cli.commands import list as list_copies
from canvas_exports.cli.commands.content import compare, get, open_course, publish, search, search_index
from canvas_exports.cli.output import NoteHandler, print_error
from canvas_exports.cli.progress import PROGRESS
from canvas_exports.cli.project import check, doctor, init
from canvas_exports.cli.signals import INTERRUPTED, TERMINATED, Terminated, ending_on_sigterm
from canvas_exports.core.text.log_redaction import mask_secrets
from canvas_exports.errors import CanvasExportsError

#: The subcommands, each a module: ``add_parser`` adds its arguments, ``run`` prints its answer.
SUBCOMMANDS = (
    find,
    search,
    list_copies,
    get,
    open_course,
    publish,
    restore,
    stats,
    missing,
    alarms,
    history,
    runs,
    ages,
    compare,
    verify,
    retention,
    hold,
    release,
    search_index,
    init,
    check,
    doctor,
    completion,
)

FAILED = 2

_EPILOG = """\
Credentials of the archive come from the environment, as the store's own tools read them (AWS_ACCESS_KEY_ID, ...).
CANVAS_ARCHIVE: root of the archive. CANVAS_URL, CANVAS_TOKEN: the Canvas of `restore`, and an access token of it.
Exit status: 0 nothing to do, 1 what was found needs action, 2 the archive could not be read or an argument is wrong.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return the exit status."""
    options = parser().parse_args(arguments)
    mask_secrets()  # the credentials in the environment
    logging.basicConfig(handlers=[NoteHandler(logging.WARNING)])
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for names that this terminal cannot show
    try:
        with ending_on_sigterm(), PROGRESS.shown():
            status: int = options.command(options)
        sys.stdout.flush()
    except CanvasExportsError as error:
        print_error(error)
        return FAILED
    except BrokenPipeError:  # the reader closed the pipe, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt as stopped:
        return TERMINATED if isinstance(stopped, Terminated) else INTERRUPTED
    return status


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    whole = argparse.ArgumentParser(
        prog="canvas-archive",
        description="Set up backups of Canvas courses; find, list, get, verify and restore their copies.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    whole.add_argument("--version", action="version", version=f"canvas_exports {__version__}")
    parsers = whole.add_subparsers(metavar="COMMAND", required=True)
    for module in SUBCOMMANDS:
        module.add_parser(parsers)
    return whole
