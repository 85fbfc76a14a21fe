"""``canvas-archive completion``: print the script with which a shell completes the command."""

from __future__ import annotations

import argparse
from functools import partial

from canvas_exports.cli.arguments import Parsers, add_subcommand
from canvas_exports.cli.completion_scripts import SHELLS, describe
from canvas_exports.cli.output import print_json, print_text


def add_parser(parsers: Parsers) -> None:
    """Add the subcommand."""
    parser = add_subcommand(
        parsers,
        "completion",
        partial(run, parsers),
        help="print the script that completes the command in a shell",
    )
    parser.add_argument("shell", choices=tuple(SHELLS), metavar="SHELL", help="bash, zsh or fish")


def run(parsers: Parsers, options: argparse.Namespace) -> int:
    """Print the script, made from the parser of the whole command."""
    script = SHELLS[options.shell](describe(parsers))
    if options.json:
        print_json({"shell": options.shell, "script": script})
    else:
        print_text(script.rstrip("\n"))
    return 0
