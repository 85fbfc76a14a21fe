"""``canvas-archive compare``: show what changed between two copies of a course, or how two courses differ."""

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
from canvas_exports.cli.local_file import target_file, write_file
from canvas_exports.cli.output import print_json, print_table, print_text
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.presence import require_archive
from canvas_exports.core.archive.compare import Comparison, compare_copies
from canvas_exports.core.packages.diff import PackageDiff
from canvas_exports.core.reports.changes.fragment import changes_page
from canvas_exports.core.reports.changes.text import changes_text
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import format_size, format_time
from canvas_exports.errors import ArchiveError, InputError, ObjectNotFoundError

_VERSION = "a day (2026-11-23: the last copy made until its end, UTC), or the number of an export"


def add_parser(parsers: Parsers) -> None:
    """Add the subcommand."""
    parser = add_archive_subcommand(
        parsers,
        "compare",
        run,
        help="show what changed between two copies of a course, or how two courses differ",
    )
    add_course(parser)
    parser.add_argument(
        "--with",
        dest="other",
        metavar="COURSE",
        help="compare with another course: --to is a copy of that one",
    )
    parser.add_argument("--to", metavar="VERSION", help=f"{_VERSION}; by default, the newest copy")
    parser.add_argument(
        "--from",
        dest="since",
        metavar="VERSION",
        help="likewise; by default, the last copy before --to with another package, or the newest with --with",
    )
    parser.add_argument(
        "--type", choices=EXPORT_TYPES, help="export type; by default, the type of the newest copy"
    )
    parser.add_argument("--key", action="store_true", help="show what the answer keys of quizzes say")
    parser.add_argument("--members", action="store_true", help="list the files of the packages instead")
    parser.add_argument(
        "--output", metavar="FILE", help="write the changes as a page of HTML, to a file, or into a folder"
    )
    parser.add_argument("--force", action="store_true", help="replace the file of --output if it exists")


def run(options: argparse.Namespace) -> int:
    """Print what was added, removed and changed; return 1 if anything was."""
    page = target_file(options.output, "changes.html", force=options.force) if options.output else None
    with open_archive(options) as store:
        earlier, later = _choose(store, options)
        try:
            found = compare_copies(store, earlier, later, with_key=options.key)
        except ObjectNotFoundError as error:
            raise ArchiveError("a package is not there", key=error.key) from None
    if page:
        html = changes_page(
            found.content, title=f"Changes of {_title(later)}", versions=_versions(earlier, later)
        )
        write_file(page, [html.encode()], force=options.force)
    if options.json:
        print_json({"from": _version(earlier), "to": _version(later), **found.to_json()})
    elif options.members:
        _print_members(earlier, later, found.members)
    else:
        _print(earlier, later, found)
    return 0 if found.is_same else 1


def _choose(store: Store, options: argparse.Namespace) -> tuple[Copy, Copy]:
    """Return the two copies to compare, the earlier or first one first."""
    copies = _copies(store, options, options.course, "COURSE")
    if options.other is not None:
        others = _copies(store, options, options.other, "--with")
        export_type = options.type or (others[-1] if others else copies[-1]).export.type
        first, second = (_of_type(each, export_type, None) for each in (copies, others))
        return (
            _find_version(options.since, first, field="--from") if options.since else first[-1],
            _find_version(options.to, second, field="--to") if options.to else second[-1],
        )
    copies = _of_type(copies, options.type or copies[-1].export.type, options.to)
    later = _find_version(options.to, copies, field="--to") if options.to else copies[-1]
    if options.since:
        return _find_version(options.since, copies, field="--from"), later
    return _previous_version(later, copies), later


def _copies(store: Store, options: argparse.Namespace, name: str, field: str) -> Sequence[Copy]:
    holding = read_course(store, options, name=name, field=field)
    if not holding.copies:
        require_archive(store)
        raise InputError(field, f"the archive holds no copy of {holding.name}")
    return holding.copies


def _of_type(copies: Sequence[Copy], export_type: str, to: str | None) -> Sequence[Copy]:
    found = [copy for copy in copies if copy.export.type == export_type]
    if not found and not to:
        raise InputError("--type", f"there is no copy of type {export_type} of {copies[-1].name}")
    return found


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


def _title(copy: Copy) -> str:
    return f"{copy.context.name} ({copy.name})" if copy.context.name else copy.name


def _versions(earlier: Copy, later: Copy) -> str:
    """Return what is compared, in one line."""
    first, second = (f"{format_time(copy.created_at)} (export {copy.export.id})" for copy in (earlier, later))
    other = f"{later.name} of " if later.name != earlier.name else ""
    return f"{earlier.name} from {first} to {other}{second}"


def _print(earlier: Copy, later: Copy, found: Comparison) -> None:
    print_text(f"{_versions(earlier, later)}: {found.content.summary}")
    for line in changes_text(found.content):
        print_text(line)
    if found.content.is_same and not found.is_same:
        print_text(
            "Only files of the packages differ that are part of nothing that Canvas shows; --members lists them."
        )


def _print_members(earlier: Copy, later: Copy, found: PackageDiff) -> None:
    print_text(f"{_versions(earlier, later)}: {found.summary}")
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
