"""``canvas-archive hold``: keep copies under any retention policy, by a tag."""

from __future__ import annotations

import argparse
from contextlib import closing
from datetime import datetime, timezone

from canvas_exports.cli.arguments import (
    Parsers,
    add_archive_subcommand,
    add_course,
    open_archive,
    read_course,
)
from canvas_exports.cli.output import print_json, print_table, print_text
from canvas_exports.core.archive.catalog.presence import require_archive, require_copies
from canvas_exports.core.archive.catalog.read import every_context
from canvas_exports.core.archive.retention.holds import put_tag, tags_on
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import format_time
from canvas_exports.errors import InputError


def add_parser(parsers: Parsers) -> None:
    """Add the subcommand."""
    parser = add_archive_subcommand(
        parsers,
        "hold",
        run,
        help="list the copies that are held by tags; with a course and a tag, hold all copies it has now",
    )
    add_course(parser, optional=True)
    parser.add_argument("--copy", metavar="KEY", help="hold only this copy of it: the key of its manifest")
    parser.add_argument("--tag", metavar="WORD", help="the reason: a word of 1 to 12 letters, such as legal")
    parser.add_argument("--lift", action="store_true", help="end the hold")


def run(options: argparse.Namespace) -> int:
    """Set or lift a tag, or list the tags that are set."""
    if (options.course is None) != (options.tag is None):
        raise InputError(
            "--tag", "a course and a tag go together", accepted="both, or none to list all holds"
        )
    if options.course is None and (options.lift or options.copy):
        raise InputError("COURSE", "is missing", accepted="101, course:101, group:7, user:3")
    with open_archive(options) as store:
        if options.course is None:
            _list(store, options)
        else:
            _tag(store, options)
    return 0


def _tag(store: Store, options: argparse.Namespace) -> None:
    holding = read_course(store, options)
    if not holding.copies and not options.allow_empty:
        require_archive(store)
    copies = [copy for copy in holding.copies if options.copy in (None, copy.key)]
    if not copies:
        raise InputError(
            "--copy" if options.copy else "COURSE", f"the archive has no such copy of {holding.name}"
        )
    written = put_tag(store, copies, options.tag, at=datetime.now(timezone.utc), lift=options.lift)
    if options.json:
        print_json({"records": list(written)})
    else:
        done = "lifted from" if options.lift else "put on"
        print_text(f"The tag {options.tag} was {done} {len(written):,} packages of {holding.name}.")


def _list(store: Store, options: argparse.Namespace) -> None:
    with closing(require_copies(store, every_context(store), allow_empty=options.allow_empty)) as holdings:
        tagged = [
            (copy, tags) for holding in holdings for copy in holding.copies if (tags := tags_on(copy.records))
        ]
    if options.json:
        print_json([{"context": copy.name, "copy": copy.key, "tags": list(tags)} for copy, tags in tagged])
    elif tagged:
        print_table(
            ("CONTEXT", "COPY OF", "TAGS", "COPY"),
            [(copy.name, format_time(copy.created_at), ", ".join(tags), copy.key) for copy, tags in tagged],
        )
    else:
        print_text("No copy is held by a tag.")
