"""``canvas-archive search-index``: add the text of stored packages to the search index."""

from __future__ import annotations

import argparse
from datetime import timedelta

from canvas_exports.cli.arguments import Parsers, add_archive_subcommand, open_archive, positive_number
from canvas_exports.cli.output import print_json, print_text
from canvas_exports.cli.progress import PROGRESS
from canvas_exports.core.archive.search.update_index import SearchIndexUpdate, update_search_index
from canvas_exports.core.text.text_table import MAX_CELL
from canvas_exports.core.text.wording import format_count
from canvas_exports.foreign_text import harmless

_NAMED = 20


def add_parser(parsers: Parsers) -> None:
    """Add the subcommand."""
    parser = add_archive_subcommand(
        parsers,
        "search-index",
        run,
        help="add the text of packages to the search index of the archive, the newest copies first; see `search`",
    )
    parser.add_argument(
        "--minutes", type=positive_number, help="start no further package after so many minutes"
    )


def run(options: argparse.Namespace) -> int:
    """Update the index, and print what was added."""
    with open_archive(options) as store:
        update = update_search_index(
            store,
            max_time=None if options.minutes is None else timedelta(minutes=options.minutes),
            allow_empty=options.allow_empty,
            report=_show_progress,
        )
    if options.json:
        print_json(
            {
                "known": update.known,
                "added": update.added,
                "documents": update.documents,
                "problems": [{"package": key, "reason": reason} for key, reason in update.problems],
                "denied": update.denied,
                "left": update.left,
                "segments": update.segments,
                "merged": update.merged,
            }
        )
    else:
        _print(update)
    return 0


def _show_progress(done: int, packages: int) -> None:
    if done <= 1:
        PROGRESS.begin("Indexing")
    PROGRESS.describe(f"{done:,} of {format_count(packages, 'package')}")


def _print(update: SearchIndexUpdate) -> None:
    for key, reason in update.problems[:_NAMED]:
        print_text(
            f"{harmless(key, most=MAX_CELL)} is indexed without some or all of its text: {harmless(reason)}"
        )
    added = (
        f"{format_count(update.added, 'package')} added, with {format_count(update.documents, 'new text')}"
    )
    known = f"{update.known:,} were indexed before"
    denied = f"; {update.denied:,} cannot be read" if update.denied else ""
    left = f"; {update.left:,} are left for the next run" if update.left else ""
    print_text(f"{added}; {known}{denied}{left}.")
