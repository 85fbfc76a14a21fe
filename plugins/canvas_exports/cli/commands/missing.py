"""``canvas-archive missing``: list the courses without a good copy, and why."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import datetime, timezone
from itertools import chain
from typing import Any

from canvas_exports.cli.arguments import (
    EXPORT_TYPES,
    TOKEN,
    Parsers,
    add_archive_subcommand,
    canvas_access,
    open_archive,
)
from canvas_exports.cli.max_age import add_max_age, promised_ages
from canvas_exports.cli.output import print_json, print_table, print_text, print_unreadable
from canvas_exports.core.archive.catalog.assessment import GapReason
from canvas_exports.core.archive.catalog.coverage import Coverage, Gap, coverage
from canvas_exports.core.archive.catalog.future_dates import without_future_dates
from canvas_exports.core.archive.catalog.index import read_with_index
from canvas_exports.core.archive.catalog.presence import require_copies
from canvas_exports.core.archive.catalog.runs import recent, reported_outcomes, reports
from canvas_exports.core.archive.json_documents import plain
from canvas_exports.core.canvas.api.course_filters import split_by_term
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.export.planning.batching import unique
from canvas_exports.core.export.planning.course_lists import read_list
from canvas_exports.core.export.planning.course_names import Names
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import format_time
from canvas_exports.errors import InputError

_FLAGS = {"true": True, "false": False}


def add_parser(parsers: Parsers) -> None:
    """Add the subcommand."""
    parser = add_archive_subcommand(
        parsers, "missing", run, help="list the courses without a good copy, and why"
    )
    parser.add_argument(
        "--courses", metavar="FILE", help="check these courses: a CSV, text, JSON or YAML file"
    )
    parser.add_argument(
        "--canvas",
        metavar="URL",
        help=f"read the list of courses from this Canvas, with the token in {TOKEN}",
    )
    parser.add_argument("--account", metavar="ID", help="with --canvas: the courses of this account")
    parser.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="filters",
        help="with --account: a filter of Canvas's course list, as in a backup's `filters`; may be repeated",
    )
    parser.add_argument(
        "--type",
        action="append",
        choices=EXPORT_TYPES,
        dest="types",
        help="export type that each course should have (common_cartridge); may be repeated",
    )
    add_max_age(parser)


def run(options: argparse.Namespace) -> int:
    """Print the courses without a good copy; return 1 if there are any."""
    names = Names()
    expected = _expected_courses(options, names)
    with open_archive(options) as store:
        missed = missing(
            store, expected, options.types, max_age=options.max_age, allow_empty=options.allow_empty
        )
        found = _with_names(missed, names)
        uri = store.uri
    if options.json:
        print_json(
            {
                "archive": uri,
                "judged": found.judged,
                "good": found.good,
                "missing": [gap.to_json() for gap in found.gaps],
                "unreadable": [plain(document) for document in found.unreadable],
            }
        )
    else:
        print_coverage(found)
    return 1 if found.gaps else 0


def missing(
    store: Store,
    expected: list[str] | None = None,
    types: list[str] | None = None,
    *,
    max_age: str | None = None,
    allow_empty: bool = False,
) -> Coverage:
    """Return the coverage of a list, or of all that the archive knows, with the reasons from the latest run reports.

    A good copy that is older than ``max_age``, or without that than its backup promises, counts as missing.

    An archive that has run reports and no copy, as after a first night in which every export failed, is an archive.

    Raises:
        NoArchiveError: there is neither a copy nor a run report, and ``allow_empty`` is false (permanent).
    """
    now = datetime.now(timezone.utc)
    listed = reports(store)
    latest = recent(listed)
    promises = promised_ages(store, max_age, latest)
    outcomes = reported_outcomes(store, latest)
    with closing(
        require_copies(store, read_with_index(store), allow_empty=allow_empty or bool(listed))
    ) as holdings:
        return coverage(
            (without_future_dates(each, now=now) for each in holdings),
            expected=expected,
            export_types=types or [ExportType.COMMON_CARTRIDGE.value],
            outcomes=outcomes,
            promises=promises,
            now=now,
        )


def print_coverage(found: Coverage) -> None:
    """Print the courses without a good copy as a table, and the totals."""
    if found.gaps:
        several = len({gap.export_type for gap in found.gaps}) > 1
        print_table(
            ("COURSE", "TYPE", "HAS", "NEWEST COPY", "WHY"),
            [
                (
                    " ".join(part for part in (gap.context, gap.name) if part),
                    gap.export_type or "unknown" if several else None,
                    gap.gap_reason.value,
                    gap.newest and format_time(gap.newest)[:10],
                    _gap_text(gap),
                )
                for gap in found.gaps
            ],
        )
        print_text("")
    print_unreadable(found.unreadable)
    print_text(f"{found.good:,} of {found.judged:,} have a good copy, {len(found.gaps):,} have none.")


def _gap_text(gap: Gap) -> str:
    """Return in one line what the archive has instead of a good copy, and what the last run reported."""
    if gap.outcome is None:
        return gap.why
    if gap.outcome == gap.gap_reason.value:
        return f"{gap.why}: {gap.reason}"
    reported = f"{gap.outcome} in the last run: {gap.reason}"
    return (
        reported if gap.newest is None and gap.gap_reason is GapReason.NO_COPY else f"{gap.why}; {reported}"
    )


def _with_names(found: Coverage, names: Names) -> Coverage:
    """Return the coverage with the names of courses that Canvas or the list has."""
    known = names.courses
    gaps = [
        replace(gap, name=gap.name or called.code or called.name)
        if (called := known.get(gap.context))
        else gap
        for gap in found.gaps
    ]
    return replace(found, gaps=tuple(gaps))


def _expected_courses(options: argparse.Namespace, names: Names) -> list[str] | None:
    """Return the courses that should have a good copy; ``None`` for all that the archive knows."""
    if options.account and not options.canvas:
        raise InputError("--account", "needs --canvas")
    if options.filters and not options.account:
        raise InputError("--filter", "needs --account")
    if options.canvas and not (options.account or options.courses):
        raise InputError(
            "--canvas", "needs a list of courses", accepted="--account, or --courses with SIS ids"
        )
    listed = read_list(options.courses, field="--courses", names=names) if options.courses else []
    if not options.canvas:
        return [str(context) for context in listed] if options.courses else None
    with ExitStack() as stack:
        client = stack.enter_context(CanvasClient(*canvas_access(options)))
        in_account = _account_courses(client, options, names) if options.account else iter(())
        return [
            str(context)
            for context in unique(chain(listed, in_account), names.resolver(client), client.whoami)
        ]


def _account_courses(client: CanvasClient, options: argparse.Namespace, names: Names) -> Iterator[Context]:
    for filters in split_by_term(_filters(options.filters)):
        for course in client.account_courses(options.account, filters):
            yield names.add_course(course)


def _filters(texts: list[str]) -> dict[str, Any]:
    """Parse ``NAME=VALUE`` into the filters of a backup; a name that is repeated has a list of values."""
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(
                "--filter", f"{text!r} has no value", accepted="NAME=VALUE, such as published=true"
            )
        given = _FLAGS.get(value, value)
        found[name] = given if name not in found else [*_as_list(found[name]), given]
    return found


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
