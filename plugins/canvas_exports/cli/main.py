"""``canvas-archive``: questions to an archive, from a terminal."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from canvas_exports import __version__
from canvas_exports.cli import ages, compare, history, hold, missing, retention, runs, verify
from canvas_exports.core.text.log_redaction import mask_secrets
from canvas_exports.errors import CanvasExportsError

#: Every subcommand is a module. Its ``add`` enters it, with its arguments and with what answers it.
SUBCOMMANDS = (missing, history, runs, ages, compare, verify, retention, hold)

ANSWERED, FOUND, FAILED = 0, 1, 2

_EPILOG = """\
Credentials of the archive come from the environment, as the store's own tools read them (AWS_ACCESS_KEY_ID, ...).
Exit status: 0 all is well, 1 there is something to do about what was found, 2 the question could not be answered.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer one question; returns the exit status."""
    options = parser().parse_args(arguments)
    mask_secrets()  # what the environment holds
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that this terminal cannot show is no crash
    try:
        status: int = options.answer(options)
        sys.stdout.flush()
    except CanvasExportsError as error:
        sys.stderr.write(f"canvas-archive: {error}\n")
        return FAILED
    except BrokenPipeError:  # the reader has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        return 130
    return status


def parser() -> argparse.ArgumentParser:
    """The command line."""
    whole = argparse.ArgumentParser(
        prog="canvas-archive",
        description="Questions to an archive of Canvas courses.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    whole.add_argument("--version", action="version", version=f"canvas_exports {__version__}")
    parsers = whole.add_subparsers(metavar="QUESTION", required=True)
    for module in SUBCOMMANDS:
        module.add(parsers)
    return whole
