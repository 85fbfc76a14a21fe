"""``canvas-archive ages``: show how old the newest good copies are."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from datetime import datetime, timezone

from canvas_exports.cli.arguments import EXPORT_TYPES, Parsers, add_archive_subcommand, open_archive
from canvas_exports.cli.max_age import add_max_age, promised_ages
from canvas_exports.cli.output import print_json, print_table, print_text, print_unreadable
from canvas_exports.core.archive.catalog.ages import Ages, ages
from canvas_exports.core.archive.catalog.index import read_with_index
from canvas_exports.core.archive.catalog.presence import require_copies
from canvas_exports.core.archive.json_documents import plain
from canvas_exports.core.text.wording import format_time

_BAR = 40  # characters


def add_parser(parsers: Parsers) -> None:
    """Add the subcommand."""
    parser = add_archive_subcommand(parsers, "ages", run, help="show how old the newest good copies are")
    parser.add_argument("--type", choices=EXPORT_TYPES, help="only this export type")
    parser.add_argument(
        "--oldest", type=int, default=10, metavar="N", help="how many of the oldest to list (10)"
    )
    add_max_age(parser)
    parser.add_argument("--all", action="store_true", help="list all of them")


def run(options: argparse.Namespace) -> int:
    """Print how many copies are how old, and the oldest."""
    now = datetime.now(timezone.utc)
    with (
        open_archive(options) as store,
        closing(require_copies(store, read_with_index(store), allow_empty=options.allow_empty)) as holdings,
    ):
        listed = sys.maxsize if options.all else max(0, options.oldest)
        promises = promised_ages(store, options.max_age)
        found = ages(holdings, now=now, listed=listed, export_type=options.type, promises=promises)
        uri = store.uri
    if options.json:
        print_json(
            {
                "archive": uri,
                "counts": found.counts,
                "none": found.none,
                **({"kept": found.kept, "missed": found.missed} if found.kept or found.missed else {}),
                "oldest": [plain(copy) for copy in found.oldest],
                "unreadable": [plain(document) for document in found.unreadable],
            }
        )
    else:
        _print(found, now)
        print_unreadable(found.unreadable)
    return 0


def _print(found: Ages, now: datetime) -> None:
    counted = {**found.counts, "no good copy": found.none}
    most = max(*counted.values(), 1)
    print_table(
        ("NEWEST GOOD COPY", "COURSES", ""),
        [(name, f"{count:,}", "#" * -(-count * _BAR // most)) for name, count in counted.items()],
        numbers=("COURSES",),
    )
    if found.kept or found.missed:
        print_text(f"\nThe promised age is kept for {found.kept:,} and missed for {found.missed:,}.")
    if found.oldest:
        print_text("\nThe oldest:\n")
        print_table(
            ("COURSE", "TYPE", "MADE", "DAYS", "MANIFEST"),
            [
                (
                    copy.context,
                    copy.export_type,
                    format_time(copy.created_at),
                    (now - copy.created_at).days,
                    copy.key,
                )
                for copy in found.oldest
            ],
            numbers=("DAYS",),
        )
