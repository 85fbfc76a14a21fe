"""``canvas-archive stats``: add up the copies of an archive, by term and export type."""

from __future__ import annotations

import argparse
from contextlib import closing
from datetime import datetime, timezone

from canvas_exports.cli.arguments import Parsers, add_archive_subcommand, open_archive
from canvas_exports.cli.output import print_json, print_table, print_text, print_unreadable
from canvas_exports.core.archive.catalog.index import read_with_index
from canvas_exports.core.archive.catalog.presence import require_copies
from canvas_exports.core.archive.catalog.totals import Statistics, Totals, statistics
from canvas_exports.core.archive.json_documents import plain
from canvas_exports.core.text.wording import format_count, format_size


def add_parser(parsers: Parsers) -> None:
    """Add the subcommand."""
    add_archive_subcommand(
        parsers,
        "stats",
        run,
        help="show how many courses, copies and bytes there are, by term and export type",
    )


def run(options: argparse.Namespace) -> int:
    """Print a line for each term and export type, the newest term first, and the totals."""
    with (
        open_archive(options) as store,
        closing(require_copies(store, read_with_index(store), allow_empty=options.allow_empty)) as holdings,
    ):
        found = statistics(holdings, now=datetime.now(timezone.utc))
        uri = store.uri
    if options.json:
        print_json(
            {
                "archive": uri,
                "totals": found.totals.to_json(),
                "groups": [
                    {"term": term, "export_type": export_type, **group.to_json()}
                    for (term, export_type), group in _newest_first(found)
                ],
                "unreadable": [plain(document) for document in found.unreadable],
            }
        )
    else:
        _print(found)
        print_unreadable(found.unreadable)
    return 0


def _newest_first(found: Statistics) -> list[tuple[tuple[str | None, str], Totals]]:
    def place(each: tuple[tuple[str | None, str], Totals]) -> tuple[bool, float, str, str]:
        (term, export_type), group = each
        return term is None, -group.newest.timestamp() if group.newest else 0.0, term or "", export_type

    return sorted(found.groups.items(), key=place)


def _print(found: Statistics) -> None:
    groups = _newest_first(found)
    if groups:
        print_table(
            ("TERM", "TYPE", "COURSES", "GOOD", "COPIES", "PACKAGES", "SIZE", "OLDEST", "NEWEST"),
            [
                (
                    term or "(no term)",
                    export_type,
                    f"{group.contexts:,}",
                    f"{group.good:,}",
                    f"{group.copies:,}",
                    f"{group.packages:,}",
                    format_size(float(group.bytes)),
                    group.oldest and f"{group.oldest:%Y-%m-%d}",
                    group.newest and f"{group.newest:%Y-%m-%d}",
                )
                for (term, export_type), group in groups
            ],
            numbers=("COURSES", "GOOD", "COPIES", "PACKAGES", "SIZE"),
        )
        print_text("")
    print_text(f"{format_count(found.totals.contexts, 'course')}: {found.totals.summary}.")
