"""Print the answer of a subcommand: text, a table or JSON."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from canvas_exports.core.archive.catalog.read import UnreadableDocument
from canvas_exports.core.text.text_table import MAX_CELL, format_table
from canvas_exports.foreign_text import harmless

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def print_text(text: str) -> None:
    """Print lines; characters that a terminal could interpret are replaced."""
    shown = "".join(each if each.isprintable() or each == "\n" else _REPLACEMENT for each in text)
    sys.stdout.write(shown + "\n")


def print_json(document: Any) -> None:
    """Print JSON in ASCII, so that nothing in it can control a terminal."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def print_unreadable(documents: Iterable[UnreadableDocument]) -> None:
    """Print a line for each document that cannot be read."""
    for document in documents:
        print_text(f"{harmless(document.key, most=MAX_CELL)} cannot be read: {harmless(document.reason)}")


def print_table(
    headings: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: Sequence[str] = ()
) -> None:
    """Print a table, no wider than the terminal; whole, if the output is not a terminal.

    Args:
        headings: of the columns.
        rows: see ``text_table.format_table``.
        numbers: headings of the columns that are right-aligned.
    """
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    print_text(format_table(headings, rows, numbers=numbers, width=width))
