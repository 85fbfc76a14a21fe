"""Print the help of ``canvas-archive`` and of each subcommand as Markdown: ``python -m docs_site.command_help``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator

WIDTH = 100


def describe(parser: argparse.ArgumentParser, level: int = 2) -> Iterator[str]:
    """Yield a section for a parser and, below it, one for each of its subcommands."""
    yield f"{'#' * level} `{parser.prog}`\n\n```text\n{parser.format_help().strip()}\n```\n"
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to its subcommands
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
            for subcommand in dict.fromkeys(action.choices.values()):
                yield from describe(subcommand, level + 1)


if __name__ == "__main__":
    os.environ.update(COLUMNS=str(WIDTH), NO_COLOR="1")
    os.environ.pop("CANVAS_ARCHIVE", None)

    from canvas_exports.cli.main import parser

    print("\n".join(describe(parser())))  # noqa: T201 - its purpose
