"""``canvas-archive runs``: list the runs, or the outcomes of one run."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from datetime import timedelta

from canvas_exports.cli.arguments import Parsers, add_archive_subcommand, add_days, open_archive
from canvas_exports.cli.output import print_json, print_table, print_text
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
from canvas_exports.core.reports.verdict import find_causes
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import format_size
from canvas_exports.errors import ArchiveError, InputError
from canvas_exports.foreign_text import harmless


def add_parser(parsers: Parsers) -> None:
    """Add the subcommand."""
    parser = add_archive_subcommand(parsers, "runs", run, help="list the runs, or the outcomes of one run")
    parser.add_argument(
        "run",
        nargs="?",
        metavar="RUN",
        help="list the outcomes of this run: its run id, or the key of its report",
    )
    add_days(parser, help="list the runs of so many days before the last run of each DAG")


def run(options: argparse.Namespace) -> int:
    """Print a line for each run, or every outcome of one run."""
    with open_archive(options) as store:
        listed = reports(store)
        if not listed and not options.allow_empty:
            require_archive(store)
        if options.run:
            return _print_run(store, listed, options)
        found, unread = _summaries(store, recent(listed, within=timedelta(days=options.days)))
    if options.json:
        print_json({"runs": [summary.to_json() for summary in found], "unreadable": unread})
    elif not found:
        print_text("There is no run report.")
    else:
        print_table(
            ("FINISHED", "DAG", "RUN", "EXPORTS", "PROBLEMS", "STORED", "OUTCOMES"),
            [
                (
                    summary.finished_at and f"{summary.finished_at:%Y-%m-%d %H:%M}",
                    summary.dag_id,
                    summary.run_id,
                    f"{summary.contexts:,}",
                    f"{summary.problems:,}",
                    format_size(summary.bytes),
                    ", ".join(f"{number:,} {outcome}" for outcome, number in summary.outcomes.items())
                    + "".join(f"; {harmless(cause.sentence)}" for cause in summary.causes),
                )
                for summary in found
            ],
            numbers=("EXPORTS", "PROBLEMS", "STORED"),
        )
    if not options.json:
        for key in unread:
            print_text(f"{harmless(key)} cannot be read.")
    return 0


def _print_run(store: Store, listed: list[ReportKey], options: argparse.Namespace) -> int:
    summary = _find_run(store, listed, options.run)
    outcomes = list(outcomes_of(store, summary.key))
    if options.json:
        rows = [{name: value for name, value in plain(row).items() if value is not None} for row in outcomes]
        print_json({**summary.to_json(), "rows": rows})
    else:
        print_text(table(outcomes, causes=find_causes(outcomes), alarms=summary.alarms))
        names = (harmless(str(name)) for name in (summary.dag_id, summary.run_id, summary.key))
        print_text("\n{}, {}: {}".format(*names))
    return 0


def _find_run(store: Store, listed: list[ReportKey], name: str) -> RunSummary:
    """Return the newest run with this run id or report key."""
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
