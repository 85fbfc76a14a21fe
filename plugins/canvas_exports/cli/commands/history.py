"""``canvas-archive history``: show what happened to a course, and what is missing in its newest copies."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import timedelta

from canvas_exports.cli.arguments import (
    Parsers,
    add_archive_subcommand,
    add_course,
    add_days,
    open_archive,
    read_course,
)
from canvas_exports.cli.output import print_json, print_table, print_text
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.history import UNREADABLE, Event, history
from canvas_exports.core.archive.catalog.presence import require_archive
from canvas_exports.core.archive.catalog.runs import recent, reported_outcomes, reports
from canvas_exports.core.archive.json_documents import plain
from canvas_exports.core.archive.manifest import read_manifest
from canvas_exports.core.packages.proof import Finding
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import format_size, format_time
from canvas_exports.errors import ArchiveError, ObjectNotFoundError


def add_parser(parsers: Parsers) -> None:
    """Add the subcommand."""
    parser = add_archive_subcommand(
        parsers, "history", run, help="show what happened to a course, and what its copies lack"
    )
    add_course(parser)
    add_days(parser, help="read the run reports of so many days")


def run(options: argparse.Namespace) -> int:
    """Print the events, oldest first, and the findings of the newest copies; return 1 if nothing is known."""
    with open_archive(options) as store:
        holding = read_course(store, options)
        listed = recent(reports(store), within=timedelta(days=options.days))
        events = history(holding, reported_outcomes(store, listed))
        newest = {copy.export.type: copy for copy in holding.copies}
        findings = [(copy, _findings(store, copy)) for copy in newest.values()]
        if all(event.what == UNREADABLE for event in events) and not options.allow_empty:
            require_archive(store)
    if options.json:
        print_json(
            {
                "context": holding.name,
                "events": [plain(event) for event in events],
                "findings": [
                    {"key": copy.key, "export_type": copy.export.type, **plain(finding)}
                    for copy, found in findings
                    for finding in found
                ],
            }
        )
    elif events:
        _print(events, findings)
    else:
        print_text(f"Nothing is known of {holding.name}.")
    return 0 if events else 1


def _findings(store: Store, copy: Copy) -> tuple[Finding, ...]:
    try:
        return read_manifest(store, copy.key).proof.findings
    except ObjectNotFoundError:
        raise ArchiveError("it was deleted just now; try again", key=copy.key) from None


def _print(events: Sequence[Event], findings: Sequence[tuple[Copy, Sequence[Finding]]]) -> None:
    print_table(
        ("WHEN", "WHAT", "TYPE", "RESULT", "SIZE", "DETAIL"),
        [
            (
                event.at and format_time(event.at),
                event.what,
                event.export_type,
                event.result,
                event.size and format_size(event.size),
                f"{event.key}: {event.detail}" if event.what == UNREADABLE else event.detail,
            )
            for event in events
        ],
        numbers=("SIZE",),
    )
    for copy, found in findings:
        if found:
            print_text(f"\nInside the newest {copy.export.type} ({copy.key}):\n")
            print_table(
                ("SEVERITY", "FINDING", "WHERE", "MEANS"),
                [(each.severity.value, each.code, each.member, each.message) for each in found],
            )
