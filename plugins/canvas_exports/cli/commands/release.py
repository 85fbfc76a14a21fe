"""``canvas-archive release``: end the holds that an alarm put on the copies of a course."""

from __future__ import annotations

import argparse
from datetime import datetime, timezone

from canvas_exports.cli.arguments import (
    Parsers,
    add_archive_subcommand,
    add_course,
    open_archive,
    read_course,
)
from canvas_exports.cli.output import print_json, print_text
from canvas_exports.core.archive.alarms.open_alarms import release
from canvas_exports.core.archive.catalog.presence import require_archive
from canvas_exports.core.text.wording import format_count


def add_parser(parsers: Parsers) -> None:
    """Add the subcommand."""
    parser = add_archive_subcommand(
        parsers,
        "release",
        run,
        help="end the alarms of a course: its copies from before them follow the retention rules again",
    )
    add_course(parser)


def run(options: argparse.Namespace) -> int:
    """Lift the tag of alarms from all copies of a course. Other holds stay."""
    with open_archive(options) as store:
        holding = read_course(store, options)
        if not holding.copies and not options.allow_empty:
            require_archive(store)
        written = release(store, holding.copies, at=datetime.now(timezone.utc))
    if options.json:
        print_json({"context": holding.name, "records": list(written)})
    elif written:
        print_text(f"{format_count(len(written), 'package')} of {holding.name} released.")
    else:
        print_text(f"No copy of {holding.name} is held by an alarm.")
    return 0
