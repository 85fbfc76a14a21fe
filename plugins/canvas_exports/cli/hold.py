"""``canvas-archive hold``: keep copies under any policy, by a tag."""

from __future__ import annotations

import argparse
from contextlib import closing
from datetime import datetime, timezone

from canvas_exports.cli.output import COURSE, Parsers, archive_of, say, say_json, say_table, subcommand
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.find_course import find_course, parse_course_name
from canvas_exports.core.archive.catalog.presence import require_archive, require_copies
from canvas_exports.core.archive.catalog.read import copies_of, every_context
from canvas_exports.core.archive.retention.hold_tags import put_tag
from canvas_exports.core.archive.retention.holds import tags_on
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import format_time
from canvas_exports.errors import InputError


def add(parsers: Parsers) -> None:
    """Enter the subcommand."""
    parser = subcommand(
        parsers,
        "hold",
        answer,
        help="what is held by tags; with a course and a tag, hold all copies it has now",
    )
    parser.add_argument("context", nargs="?", metavar="COURSE", help=COURSE)
    parser.add_argument("--copy", metavar="KEY", help="hold only this copy of it: the key of its manifest")
    parser.add_argument("--tag", metavar="WORD", help="why: a word of 1 to 12 letters, such as legal")
    parser.add_argument("--lift", action="store_true", help="end the hold")


def answer(options: argparse.Namespace) -> int:
    """Put or lift a tag, or list the tags that stand."""
    if (options.context is None) != (options.tag is None):
        raise InputError(
            "--tag", "a course and a tag go together", accepted="both, or none to list all holds"
        )
    if options.context is None and (options.lift or options.copy):
        raise InputError("COURSE", "is missing", accepted="101, course:101, group:7, user:3")
    with archive_of(options) as store:
        if options.context is None:
            _list(store, options)
        else:
            _tag(store, options)
    return 0


def _tag(store: Store, options: argparse.Namespace) -> None:
    context = find_course(store, parse_course_name(options.context, field="COURSE"), field="COURSE")
    copies = copies_of(store, context.kind.value, context.canvas_id or 0).copies
    meant = [copy for copy in copies if options.copy in (None, copy.key)]
    if not copies and not options.allow_empty:
        require_archive(store)
    if not meant:
        raise InputError("--copy" if options.copy else "COURSE", f"the archive has no such copy of {context}")
    written = put_tag(store, meant, options.tag, at=datetime.now(timezone.utc), lift=options.lift)
    if options.json:
        say_json({"records": list(written)})
    else:
        done = "lifted from" if options.lift else "put on"
        say(f"The tag {options.tag} was {done} {len(written):,} packages of {context}.")


def _list(store: Store, options: argparse.Namespace) -> None:
    with closing(require_copies(store, every_context(store), allow_empty=options.allow_empty)) as holdings:
        held = [
            (copy, tags) for holding in holdings for copy in holding.copies if (tags := tags_on(copy.records))
        ]
    if options.json:
        say_json([{"context": copy.name, "copy": copy.key, "tags": list(tags)} for copy, tags in held])
    elif held:
        say_table(("CONTEXT", "COPY OF", "TAGS", "COPY"), [_row(copy, tags) for copy, tags in held])
    else:
        say("Nothing is held by a tag.")


def _row(copy: Copy, tags: tuple[str, ...]) -> tuple[str, ...]:
    return copy.name, format_time(copy.created_at), ", ".join(tags), copy.key
