"""``canvas-archive missing``: which courses have no good copy, and why."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import datetime, timezone
from itertools import chain
from typing import Any

from canvas_exports.cli.output import (
    Parsers,
    archive_of,
    say,
    say_json,
    say_table,
    say_unreadable,
    subcommand,
)
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

TOKEN = "CANVAS_TOKEN"  # noqa: S105 - the name of a variable
_FLAGS = {"true": True, "false": False}


def add(parsers: Parsers) -> None:
    """Enter the subcommand."""
    parser = subcommand(parsers, "missing", answer, help="which courses have no good copy, and why")
    parser.add_argument(
        "--courses", metavar="FILE", help="assess these: a CSV, text, JSON or YAML file of courses"
    )
    parser.add_argument("--canvas", metavar="URL", help=f"ask this Canvas, with the token in {TOKEN}, ...")
    parser.add_argument("--account", metavar="ID", help="... for the courses of this account")
    parser.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="filters",
        help="only those: a filter of Canvas's course list, as in a backup's `filters`; may be repeated",
    )
    parser.add_argument(
        "--type",
        action="append",
        choices=[each.value for each in ExportType],
        dest="types",
        help="the export each course should have (common_cartridge); may be repeated",
    )


def answer(options: argparse.Namespace) -> int:
    """Print what is missing; 1 if anything is."""
    names = Names()
    expected = _expected(options, names)
    with archive_of(options) as store:
        found = _named(missing(store, expected, options.types, allow_empty=options.allow_empty), names)
        uri = store.uri
    if options.json:
        say_json(document(found, uri))
    else:
        tell(found)
    return 1 if found.gaps else 0


def missing(
    store: Store,
    expected: list[str] | None = None,
    types: list[str] | None = None,
    *,
    allow_empty: bool = False,
) -> Coverage:
    """The coverage of a list, or of all that the archive knows, explained by the runs of the last days.

    After a first night in which everything failed there are reports and no copies: that is an answer.

    Raises:
        NoArchiveError: there are neither, and that is not allowed (permanent).
    """
    now = datetime.now(timezone.utc)
    listed = reports(store)
    outcomes = reported_outcomes(store, recent(listed))
    with closing(
        require_copies(store, read_with_index(store), allow_empty=allow_empty or bool(listed))
    ) as holdings:
        return coverage(
            (without_future_dates(each, now=now) for each in holdings),
            expected=expected,
            export_types=types or [ExportType.COMMON_CARTRIDGE.value],
            outcomes=outcomes,
        )


def document(found: Coverage, uri: str) -> dict[str, Any]:
    """The answer as JSON data."""
    return {
        "archive": uri,
        "judged": found.judged,
        "good": found.good,
        "missing": [gap.to_json() for gap in found.gaps],
        "unreadable": [plain(document) for document in found.unreadable],
    }


def tell(found: Coverage) -> None:
    """The answer as a table."""
    if found.gaps:
        several = len({gap.export_type for gap in found.gaps}) > 1
        say_table(
            ("COURSE", "TYPE", "HAS", "NEWEST COPY", "WHY"),
            [
                (
                    " ".join(part for part in (gap.context, gap.name) if part),
                    gap.export_type or "unknown" if several else None,
                    gap.gap_reason.value,
                    gap.newest and format_time(gap.newest)[:10],
                    reason(gap),
                )
                for gap in found.gaps
            ],
        )
        say("")
    say_unreadable(found.unreadable)
    say(f"{found.good:,} of {found.judged:,} have a good copy, {len(found.gaps):,} have none.")


def reason(gap: Gap) -> str:
    """Why, in one line: what the archive has, and what the last run said of it."""
    if gap.outcome is None:
        return gap.why
    if gap.outcome == gap.gap_reason.value:
        return f"{gap.why}: {gap.reason}"
    said = f"{gap.outcome} in the last run: {gap.reason}"
    return said if gap.newest is None and gap.gap_reason is GapReason.NO_COPY else f"{gap.why}; {said}"


def _named(found: Coverage, names: Names) -> Coverage:
    """The gaps with the names that Canvas, or the list, has just told."""
    known = names.courses
    gaps = [
        replace(gap, name=gap.name or called.code or called.name)
        if (called := known.get(gap.context))
        else gap
        for gap in found.gaps
    ]
    return replace(found, gaps=tuple(gaps))


def _expected(options: argparse.Namespace, names: Names) -> list[str] | None:
    """The contexts to assess; ``None`` for all that the archive knows."""
    if options.account and not options.canvas:
        raise InputError("--account", "says nothing without --canvas")
    if options.filters and not options.account:
        raise InputError("--filter", "says nothing without --account")
    if options.canvas and not (options.account or options.courses):
        raise InputError("--canvas", "what to ask it for?", accepted="--account, or --courses with SIS ids")
    listed = read_list(options.courses, field="--courses", names=names) if options.courses else []
    if not options.canvas:
        return [str(context) for context in listed] if options.courses else None
    with ExitStack() as stack:
        client = stack.enter_context(CanvasClient(options.canvas, _token()))
        queried = _queried(client, options, names) if options.account else iter(())
        return [
            str(context) for context in unique(chain(listed, queried), names.resolver(client), client.whoami)
        ]


def _queried(client: CanvasClient, options: argparse.Namespace, names: Names) -> Iterator[Context]:
    for filters in split_by_term(_filters(options.filters)):
        for course in client.account_courses(options.account, filters):
            yield names.heard(course)


def _filters(texts: list[str]) -> dict[str, Any]:
    """``NAME=VALUE`` as the filters of a backup; a name that comes several times has a list of values."""
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(
                "--filter", f"{text!r} has no value", accepted="NAME=VALUE, such as published=true"
            )
        given = _FLAGS.get(value, value)
        found[name] = given if name not in found else [*_listed(found[name]), given]
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _token() -> str:
    token = os.environ.get(TOKEN)
    if not token:
        raise InputError(TOKEN, "is not set", accepted="an access token of this Canvas")
    return token
