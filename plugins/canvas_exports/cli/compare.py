"""``canvas-archive compare``: what has changed in a course between two of its copies."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime, time, timedelta, timezone

from canvas_exports.cli.output import COURSE, Parsers, archive_of, say, say_json, say_table, subcommand
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.find_course import find_course, parse_course_name
from canvas_exports.core.archive.catalog.presence import require_archive
from canvas_exports.core.archive.catalog.read import copies_of
from canvas_exports.core.archive.compare import compare_packages
from canvas_exports.core.packages.diff import PackageDiff
from canvas_exports.core.text.wording import format_size, format_time
from canvas_exports.errors import ArchiveError, InputError, ObjectNotFoundError

_VERSION = "a day (2026-11-23: the last copy made until its end, UTC), or the number of an export"


def add(parsers: Parsers) -> None:
    """Enter the subcommand."""
    parser = subcommand(parsers, "compare", answer, help="what has changed in a course between two copies")
    parser.add_argument("context", metavar="COURSE", help=COURSE)
    parser.add_argument("--to", metavar="VERSION", help=f"{_VERSION}; without it, the newest copy")
    parser.add_argument(
        "--from",
        dest="since",
        metavar="VERSION",
        help="likewise; without it, the last copy before that with another package",
    )
    parser.add_argument(
        "--type", choices=("common_cartridge", "qti", "zip"), help="export type; that of the newest copy"
    )


def answer(options: argparse.Namespace) -> int:
    """Print what was added, removed and changed; 1 if anything was."""
    name = parse_course_name(options.context, field="COURSE")
    with archive_of(options) as store:
        context = find_course(store, name, field="COURSE")
        copies = copies_of(store, context.kind.value, context.canvas_id or 0).copies
        if not copies:
            require_archive(store)
            raise InputError("COURSE", f"the archive holds no copy of {context}")
        export_type = options.type or copies[-1].export.type
        copies = tuple(copy for copy in copies if copy.export.type == export_type)
        later = _named(options.to, copies, field="--to") if options.to else _newest(copies, export_type)
        if options.since:
            earlier = _named(options.since, copies, field="--from")
        else:
            earlier = _other_before(later, copies)
        try:
            found = compare_packages(store, earlier.package, later.package, export_type=export_type)
        except ObjectNotFoundError as error:
            raise ArchiveError("a package is not there", key=error.key) from None
    if options.json:
        say_json({"from": _version(earlier), "to": _version(later), **found.to_json()})
    else:
        _tell(earlier, later, found)
    return 0 if found.is_same else 1


def _newest(copies: Sequence[Copy], export_type: str) -> Copy:
    if not copies:
        raise InputError("--type", f"there is no copy of type {export_type}")
    return copies[-1]


def _named(text: str, copies: Sequence[Copy], *, field: str) -> Copy:
    """The copy that a person means."""
    if text.isdecimal():
        found = [copy for copy in copies if copy.export.id == int(text)]
    else:
        try:
            day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=timezone.utc)
        except ValueError:
            raise InputError(field, f"{text!r} names no version", accepted=_VERSION) from None
        end = datetime.combine(day, time.min, timezone.utc) + timedelta(days=1)
        found = [copy for copy in copies if copy.created_at < end]
    if not found:
        oldest = f"; the oldest is of {copies[0].created_at:%Y-%m-%d}" if copies else ""
        raise InputError(field, f"there is no copy {text}{oldest}", accepted=_VERSION)
    return found[-1]


def _other_before(later: Copy, copies: Sequence[Copy]) -> Copy:
    """The last copy before one that names another package; the oldest, if all name the same."""
    before = [
        copy for copy in copies if (copy.created_at, copy.export.id) < (later.created_at, later.export.id)
    ]
    others = [copy for copy in before if copy.package.key != later.package.key]
    return next(iter([*reversed(others), *before]), later)


def _version(copy: Copy) -> dict[str, object]:
    return {
        "manifest": copy.key,
        "package": copy.package.key,
        "export_id": copy.export.id,
        "created_at": format_time(copy.created_at),
    }


def _tell(earlier: Copy, later: Copy, found: PackageDiff) -> None:
    say(
        f"{later.name} from {format_time(earlier.created_at)} (export {earlier.export.id}) "
        f"to {format_time(later.created_at)} (export {later.export.id}): {found.summary}"
    )
    if found.is_same:
        return
    say("")
    say_table(
        ("WHAT", "NAME", "TITLE", "BEFORE", "AFTER"),
        [
            (
                word,
                change.name,
                change.title,
                None if change.before is None else format_size(change.before),
                None if change.after is None else format_size(change.after),
            )
            for word, changes in (
                ("added", found.added),
                ("removed", found.removed),
                ("changed", found.changed),
            )
            for change in changes
        ],
        numbers=("BEFORE", "AFTER"),
    )
