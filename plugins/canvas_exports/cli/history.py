"""``canvas-archive history``: what happened to one course, and what is missing inside its newest copy."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import timedelta

from canvas_exports.cli.output import (
    COURSE,
    Parsers,
    archive_of,
    days,
    say,
    say_json,
    say_table,
    subcommand,
)
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.find_course import find_course, parse_course_name
from canvas_exports.core.archive.catalog.history import UNREADABLE, Event, history
from canvas_exports.core.archive.catalog.presence import require_archive
from canvas_exports.core.archive.catalog.read import copies_of
from canvas_exports.core.archive.catalog.runs import recent, reported_outcomes, reports
from canvas_exports.core.archive.json_documents import plain
from canvas_exports.core.archive.manifest import read_manifest
from canvas_exports.core.packages.proof import Finding
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import format_size, format_time
from canvas_exports.errors import ArchiveError, ObjectNotFoundError


@dataclass(frozen=True)
class Inside:
    """What the proof noticed in the newest copy of one export type."""

    copy: Copy
    findings: tuple[Finding, ...]


def add(parsers: Parsers) -> None:
    """Enter the subcommand."""
    parser = subcommand(
        parsers, "history", answer, help="what happened to one course, and what its copies lack"
    )
    parser.add_argument("context", metavar="COURSE", help=COURSE)
    parser.add_argument(
        "--days", type=days, default=30, help="look through the reports of runs of so many days (30)"
    )


def answer(options: argparse.Namespace) -> int:
    """Print the events, oldest first, and the findings of the newest copies; 1 if nothing is known."""
    name = parse_course_name(options.context, field="COURSE")
    with archive_of(options) as store:
        context = find_course(store, name, field="COURSE")
        holding = copies_of(store, context.kind.value, context.canvas_id or 0)
        listed = recent(reports(store), within=timedelta(days=options.days))
        events = history(holding, reported_outcomes(store, listed))
        inside = _newest(store, holding.copies)
        if all(event.what == UNREADABLE for event in events) and not options.allow_empty:
            require_archive(store)
    if options.json:
        say_json(
            {
                "context": holding.name,
                "events": [event.to_json() for event in events],
                "findings": [
                    {"key": one.copy.key, "export_type": one.copy.export.type, **plain(finding)}
                    for one in inside
                    for finding in one.findings
                ],
            }
        )
    elif events:
        _tell(events, inside)
    else:
        say(f"Nothing is known of {holding.name}.")
    return 0 if events else 1


def _newest(store: Store, copies: tuple[Copy, ...]) -> list[Inside]:
    """The newest copy of each export type, with what its proof noticed."""
    last = {copy.export.type: copy for copy in copies}
    return [Inside(copy, _findings(store, copy)) for copy in last.values()]


def _findings(store: Store, copy: Copy) -> tuple[Finding, ...]:
    try:
        return read_manifest(store, copy.key).proof.findings
    except ObjectNotFoundError:
        raise ArchiveError("it was deleted just now; ask again", key=copy.key) from None


def _tell(events: list[Event], inside: list[Inside]) -> None:
    say_table(
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
    for one in inside:
        if one.findings:
            say(f"\nInside the newest {one.copy.export.type} ({one.copy.key}):\n")
            say_table(
                ("SEVERITY", "FINDING", "WHERE", "MEANS"),
                [(each.severity.value, each.code, each.member, each.message) for each in one.findings],
            )
