"""``canvas-archive compare``: show what changed in a course between two of its copies."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime, time, timedelta, timezone

from canvas_exports.cli.arguments import (
    EXPORT_TYPES,
    Parsers,
    add_archive_subcommand,
    add_course,
    open_archive,
    read_course,
)
from canvas_exports.cli.output import print_json, print_table, print_text
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.presence import require_archive
from canvas_exports.core.archive.compare import compare_packages
from canvas_exports.core.packages.diff import PackageDiff
from canvas_exports.core.text.wording import format_size, format_time
from canvas_exports.errors import ArchiveError, InputError, ObjectNotFoundError

_VERSION = "a day (2026-11-23: the last copy made until its end, UTC), or the number of an export"


def add_parser(parsers: Parsers) -> None:
    """Add the subcommand."""
    parser = add_archive_subcommand(
        parsers, "compare", run, help="show what changed in a course between two copies"
    )
    add_course(parser)
    parser.add_argument("--to", metavar="VERSION", help=f"{_VERSION}; by default, the newest copy")
    parser.add_argument(
        "--from",
        dest="since",
        metavar="VERSION",
        help="likewise; by default, the last copy before --to with another package",
    )
    parser.add_argument(
        "--type", choices=EXPORT_TYPES, help="export type; by default, the type of the newest copy"
    )


def run(options: argparse.Namespace) -> int:
    """Print what was added, removed and changed; return 1 if anything was."""
    with open_archive(options) as store:
        holding = read_course(store, options)
        if not holding.copies:
            require_archive(store)
            raise InputError("COURSE", f"the archive holds no copy of {holding.name}")
        export_type = options.type or holding.copies[-1].export.type
        copies = [copy for copy in holding.copies if copy.export.type == export_type]
        if not copies and not options.to:
            raise InputError("--type", f"there is no copy of type {export_type}")
        later = _find_version(options.to, copies, field="--to") if options.to else copies[-1]
        if options.since:
            earlier = _find_version(options.since, copies, field="--from")
        else:
            earlier = _previous_version(later, copies)
        try:
            found = compare_packages(store, earlier.package, later.package, export_type=export_type)
        except ObjectNotFoundError as error:
            raise ArchiveError("a package is not there", key=error.key) from None
    if options.json:
        print_json({"from": _version(earlier), "to": _version(later), **found.to_json()})
    else:
        _print(earlier, later, found)
    return 0 if found.is_same else 1


def _find_version(text: str, copies: Sequence[Copy], *, field: str) -> Copy:
    """Return the copy that a day or the number of an export names."""
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


def _previous_version(later: Copy, copies: Sequence[Copy]) -> Copy:
    """Return the last copy before one that names another package; the oldest, if all name the same."""
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


def _print(earlier: Copy, later: Copy, found: PackageDiff) -> None:
    print_text(
        f"{later.name} from {format_time(earlier.created_at)} (export {earlier.export.id}) "
        f"to {format_time(later.created_at)} (export {later.export.id}): {found.summary}"
    )
    if found.is_same:
        return
    print_text("")
    print_table(
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
