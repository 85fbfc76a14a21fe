"""``canvas-archive runs``: what runs did."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from datetime import timedelta

from canvas_exports.cli.output import Parsers, archive_of, days, say, say_json, say_table, subcommand
from canvas_exports.core.archive.catalog.presence import require_archive
from canvas_exports.core.archive.catalog.runs import (
    ReportKey,
    RunSummary,
    outcomes_of,
    recent,
    reports,
    summary_of,
)
from canvas_exports.core.archive.json_documents import plain
from canvas_exports.core.reports.run_table import table
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import format_size
from canvas_exports.errors import ArchiveError, InputError
from canvas_exports.foreign_text import harmless


def add(parsers: Parsers) -> None:
    """Enter the subcommand."""
    parser = subcommand(parsers, "runs", answer, help="what runs did")
    parser.add_argument(
        "run", nargs="?", metavar="RUN", help="the outcomes of this one: its run id, or its report's key"
    )
    parser.add_argument("--days", type=days, default=30, help="those of each DAG's last so many days (30)")


def answer(options: argparse.Namespace) -> int:
    """Print a line for each run, or every outcome of one."""
    with archive_of(options) as store:
        listed = reports(store)
        if not listed and not options.allow_empty:
            require_archive(store)
        if options.run:
            return _one(store, listed, options)
        found, unread = _summaries(store, recent(listed, within=timedelta(days=options.days)))
    if options.json:
        say_json({"runs": [plain(run) for run in found], "unreadable": unread})
    elif not found:
        say("There is no report of a run.")
    else:
        say_table(
            ("FINISHED", "DAG", "RUN", "EXPORTS", "PROBLEMS", "STORED", "OUTCOMES"),
            [
                (
                    run.finished_at and f"{run.finished_at:%Y-%m-%d %H:%M}",
                    run.dag_id,
                    run.run_id,
                    f"{run.contexts:,}",
                    f"{run.problems:,}",
                    format_size(run.bytes),
                    ", ".join(f"{number:,} {outcome}" for outcome, number in run.outcomes.items()),
                )
                for run in found
            ],
            numbers=("EXPORTS", "PROBLEMS", "STORED"),
        )
    if not options.json:
        for key in unread:
            say(f"{harmless(key)} cannot be read.")
    return 0


def _one(store: Store, listed: list[ReportKey], options: argparse.Namespace) -> int:
    summary = _named(store, listed, options.run)
    outcomes = list(outcomes_of(store, summary.key))
    if options.json:
        rows = [{name: value for name, value in plain(row).items() if value is not None} for row in outcomes]
        say_json({**plain(summary), "rows": rows})
    else:
        say(table(outcomes))
        names = (harmless(str(name)) for name in (summary.dag_id, summary.run_id, summary.key))
        say("\n{}, {}: {}".format(*names))
    return 0


def _named(store: Store, listed: list[ReportKey], name: str) -> RunSummary:
    """The newest run of that name."""
    for report in listed:
        if report.key == name:
            return summary_of(store, report.key)
    for summary in _summaries(store, listed)[0]:
        if summary.run_id == name:
            return summary
    raise InputError(
        "RUN", f"the archive has no report of {name!r}", accepted="a run that `canvas-archive runs` lists"
    )


def _summaries(store: Store, listed: Iterable[ReportKey]) -> tuple[list[RunSummary], list[str]]:
    found, unread = [], []
    for report in listed:
        summary = _summary(store, report.key)
        if summary is None:
            unread.append(report.key)
        else:
            found.append(summary)
    return found, unread


def _summary(store: Store, key: str) -> RunSummary | None:
    try:
        return summary_of(store, key)
    except ArchiveError as error:
        if error.retryable:
            raise
        return None
