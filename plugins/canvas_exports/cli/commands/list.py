"""``canvas-archive list``: list the copies of a course, the newest first."""

from __future__ import annotations

import argparse
from datetime import datetime, timezone
from typing import Any

from canvas_exports.cli.arguments import (
    EXPORT_TYPES,
    Parsers,
    add_archive_subcommand,
    add_course,
    open_archive,
    read_course,
)
from canvas_exports.cli.output import print_json, print_table, print_text, print_unreadable
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.future_dates import without_future_dates
from canvas_exports.core.archive.catalog.presence import require_archive
from canvas_exports.core.archive.catalog.read import Holding
from canvas_exports.core.archive.catalog.totals import totals_of
from canvas_exports.core.archive.json_documents import plain
from canvas_exports.core.archive.retention.holds import tags_on
from canvas_exports.core.text.wording import format_size, format_time
from canvas_exports.errors import InputError


def add_parser(parsers: Parsers) -> None:
    """Add the subcommand."""
    parser = add_archive_subcommand(
        parsers, "list", run, help="list the copies of a course, the newest first"
    )
    add_course(parser)
    parser.add_argument("--type", choices=EXPORT_TYPES, help="only this export type")


def run(options: argparse.Namespace) -> int:
    """Print a line for each copy, and their totals."""
    with open_archive(options) as store:
        holding = without_future_dates(read_course(store, options), now=datetime.now(timezone.utc))
        copies = [copy for copy in holding.copies if options.type in (None, copy.export.type)]
        if not copies and not options.allow_empty:
            require_archive(store)
            what = f"copy of type {options.type}" if options.type else "copy"
            raise InputError("COURSE", f"the archive holds no {what} of {holding.name}")
    if options.json:
        print_json(
            {
                "context": holding.name,
                "copies": [_document(copy) for copy in reversed(copies)],
                "totals": totals_of(copies).to_json(),
                "unreadable": [plain(document) for document in holding.unreadable],
            }
        )
    else:
        _print(holding, copies)
        print_unreadable(holding.unreadable)
    return 0


def _print(holding: Holding, copies: list[Copy]) -> None:
    if copies:
        built_by: dict[str, Copy] = {}
        for copy in copies:
            built_by.setdefault(copy.package.key, copy)
        print_table(
            ("COPY OF", "EXPORT", "TYPE", "RESULT", "SIZE", "SAME AS", "VERIFIED", "HELD", "PACKAGE"),
            [
                (
                    format_time(copy.created_at),
                    copy.export.id,
                    copy.export.type,
                    copy.state,
                    format_size(float(copy.package.size)),
                    _same_as(copy, first),
                    copy.newest_verification and f"{copy.newest_verification.at:%Y-%m-%d}",
                    ", ".join(tags_on(copy.records)),
                    copy.package.key,
                )
                for copy in reversed(copies)
                for first in (built_by[copy.package.key],)
            ],
            numbers=("EXPORT", "SIZE"),
        )
        print_text("")
    print_text(f"{holding.name}: {totals_of(copies).summary}.")


def _same_as(copy: Copy, first: Copy) -> str | None:
    """Return the day of the export that built the package, if it was not that of the copy; of a confirmed copy, always."""
    if copy.confirmed_at is not None:
        return f"{copy.export.created_at:%Y-%m-%d}"
    return None if first is copy else f"{first.created_at:%Y-%m-%d}"


def _document(copy: Copy) -> dict[str, Any]:
    verification = copy.newest_verification
    drill = copy.newest_drill
    return {
        "created_at": format_time(copy.created_at),
        "stored_at": format_time(copy.stored_at),
        "exported_at": format_time(copy.export.created_at),
        "export_id": copy.export.id,
        "export_type": copy.export.type,
        "result": copy.state,
        "proven": copy.is_proven,
        "size": copy.package.size,
        "digests": dict(copy.package.digests),
        "sha256": copy.package.sha256,
        "package": copy.package.key,
        "manifest": copy.key,
        "verified": verification and {"at": format_time(verification.at), "result": verification.result},
        "restored": drill and {"at": format_time(drill.at), "result": drill.result},
        "held": list(tags_on(copy.records)),
    }
