"""Print the answer of a subcommand: text, a table or JSON. Colours and the progress line appear on terminals only."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from canvas_exports.cli.progress import PROGRESS, is_terminal
from canvas_exports.core.archive.catalog.read import UnreadableDocument
from canvas_exports.core.text.text_table import MAX_CELL, format_table
from canvas_exports.foreign_text import harmless

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_BOLD, _RED, _GREEN, _YELLOW = "1", "31", "32", "33"

#: Colours of words in the columns ``HAS``, ``RESULT``, ``GOOD`` and ``SEVERITY``.
_COLOURS = {
    **dict.fromkeys(("proven", "whole", "intact", "passed", "yes"), _GREEN),
    **dict.fromkeys(("incomplete", "empty", "selection", "unreadable", "warning"), _YELLOW),
    **dict.fromkeys(("damaged", "vanished", "failed", "no copy", "error", "no"), _RED),
}
_COLOURED = ("HAS", "RESULT", "GOOD", "SEVERITY")


def print_text(text: str) -> None:
    """Print lines; characters that a terminal could interpret are replaced."""
    shown = "".join(each if each.isprintable() or each == "\n" else _REPLACEMENT for each in text)
    _write(shown + "\n")


def print_json(document: Any) -> None:
    """Print JSON in ASCII, so that nothing in it can control a terminal."""
    _write(json.dumps(document, indent=2) + "\n")


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
    style = _style if has_colours(sys.stdout) else None
    _write(format_table(headings, rows, numbers=numbers, width=width, style=style) + "\n")


def print_note(text: str) -> None:
    """Print a line on standard error, above the progress line."""
    PROGRESS.clear()
    sys.stderr.write(f"canvas-archive: {harmless(text)}\n")


def print_error(error: Exception) -> None:
    """Print an error on standard error."""
    PROGRESS.end()
    prefix = _painted("canvas-archive:", _RED) if has_colours(sys.stderr) else "canvas-archive:"
    sys.stderr.write(f"{prefix} {error}\n")


def has_colours(stream: TextIO) -> bool:
    """Return whether colours are wanted on a stream: on a terminal, unless ``NO_COLOR`` is set (https://no-color.org)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


class NoteHandler(logging.Handler):
    """Prints warnings of the package as notes."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print the message of a record on one line."""
        print_note(record.getMessage())


def _write(text: str) -> None:
    PROGRESS.end()
    sys.stdout.write(text)


def _style(heading: str, cell: str, fitted: str) -> str:
    """Return a cell with its colour; the cell of the heading has its own text."""
    if cell == heading:
        return _painted(fitted, _BOLD)
    colour = _COLOURS.get(cell) if heading in _COLOURED else None
    return _painted(fitted, colour) if colour else fitted


def _painted(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m"
