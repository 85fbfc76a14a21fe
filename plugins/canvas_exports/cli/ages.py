"""``canvas-archive ages``: how old the newest good copies are."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from datetime import datetime, timezone

from canvas_exports.cli.output import (
    Parsers,
    archive_of,
    say,
    say_json,
    say_table,
    say_unreadable,
    subcommand,
)
from canvas_exports.core.archive.catalog.ages import Ages, ages
from canvas_exports.core.archive.catalog.index import read_with_index
from canvas_exports.core.archive.catalog.presence import require_copies
from canvas_exports.core.archive.json_documents import plain
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.core.text.wording import format_time

_BAR = 40  # characters


def add(parsers: Parsers) -> None:
    """Enter the subcommand."""
    parser = subcommand(parsers, "ages", answer, help="how old the newest good copies are")
    parser.add_argument("--type", choices=[each.value for each in ExportType], help="only this export type")
    parser.add_argument("--oldest", type=int, default=10, metavar="N", help="how many to name (10)")
    parser.add_argument("--all", action="store_true", help="name each of them")


def answer(options: argparse.Namespace) -> int:
    """Print the distribution."""
    now = datetime.now(timezone.utc)
    with (
        archive_of(options) as store,
        closing(require_copies(store, read_with_index(store), allow_empty=options.allow_empty)) as holdings,
    ):
        found = ages(
            holdings,
            now=now,
            named=sys.maxsize if options.all else max(0, options.oldest),
            export_type=options.type,
        )
        uri = store.uri
    if options.json:
        oldest = [
            {
                "context": one.context,
                "export_type": one.export_type,
                "created_at": format_time(one.created_at),
                "key": one.key,
            }
            for one in found.oldest
        ]
        say_json(
            {
                "archive": uri,
                "counts": found.counts,
                "none": found.none,
                "oldest": oldest,
                "unreadable": [plain(document) for document in found.unreadable],
            }
        )
    else:
        _tell(found, now)
        say_unreadable(found.unreadable)
    return 0


def _tell(found: Ages, now: datetime) -> None:
    counted = {**found.counts, "no good copy": found.none}
    most = max(*counted.values(), 1)
    say_table(
        ("NEWEST GOOD COPY", "COURSES", ""),
        [(name, f"{count:,}", "#" * -(-count * _BAR // most)) for name, count in counted.items()],
        numbers=("COURSES",),
    )
    if found.oldest:
        say("\nThe oldest:\n")
        say_table(
            ("COURSE", "TYPE", "MADE", "DAYS", "MANIFEST"),
            [
                (
                    one.context,
                    one.export_type,
                    format_time(one.created_at),
                    (now - one.created_at).days,
                    one.key,
                )
                for one in found.oldest
            ],
            numbers=("DAYS",),
        )
