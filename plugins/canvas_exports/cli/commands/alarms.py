"""``canvas-archive alarms``: list the alarms that no person has released, and those of the last runs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import timedelta

from canvas_exports.cli.arguments import Parsers, add_archive_subcommand, add_days, open_archive
from canvas_exports.cli.output import print_json, print_text
from canvas_exports.core.archive.alarms.open_alarms import OpenAlarm, open_alarms
from canvas_exports.core.archive.catalog.presence import require_archive
from canvas_exports.core.archive.catalog.runs import RunSummary, recent, reports, summary_of
from canvas_exports.core.model.alarm import Alarm, AlarmScope
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import format_day, format_time
from canvas_exports.errors import ArchiveError

_DAYS = 7


def add_parser(parsers: Parsers) -> None:
    """Add the subcommand."""
    parser = add_archive_subcommand(
        parsers, "alarms", run, help="list what a person should look at although nothing failed"
    )
    add_days(
        parser, help="also the alarms of runs of so many days before the last run of each DAG", default=_DAYS
    )


def run(options: argparse.Namespace) -> int:
    """Print the open alarms, and those of runs; return 1 if there are any."""
    with open_archive(options) as store:
        of_courses = list(open_alarms(store))
        of_runs = list(_of_runs(store, options.days))
        if not of_courses and not of_runs and not options.allow_empty:
            require_archive(store)
        uri = store.uri
    if options.json:
        print_json(
            {
                "archive": uri,
                "courses": [
                    {"context": each.context, "held_at": format_time(each.at), **each.alarm.to_json()}
                    for each in of_courses
                ],
                "runs": [{"report": report.key, **alarm.to_json()} for report, alarm in of_runs],
            }
        )
    else:
        _print(of_courses, of_runs)
    return 1 if of_courses or of_runs else 0


def _of_runs(store: Store, days: int) -> Iterator[tuple[RunSummary, Alarm]]:
    """Yield the alarms about whole runs in the reports of the last days, newest first."""
    for report in recent(reports(store), within=timedelta(days=days)):
        try:
            summary = summary_of(store, report.key)
        except ArchiveError as error:
            if error.retryable:
                raise
            continue  # `canvas-archive runs` names it
        yield from ((summary, alarm) for alarm in summary.alarms if alarm.scope == AlarmScope.RUN.value)


def _print(of_courses: list[OpenAlarm], of_runs: list[tuple[RunSummary, Alarm]]) -> None:
    for summary, alarm in of_runs:
        day = "" if summary.finished_at is None else f", run of {format_day(summary.finished_at)}"
        _print_alarm(f"{summary.dag_id or 'a run'}{day}", alarm)
    for each in of_courses:
        name = f" {each.alarm.name}" if each.alarm.name else ""
        _print_alarm(f"{each.context}{name}, since {format_day(each.at)}", each.alarm)
    if not of_courses and not of_runs:
        print_text("There is no alarm.")


def _print_alarm(about: str, alarm: Alarm) -> None:
    safe = alarm.to_json()
    print_text(f"{about}: {safe['code']}\n  {safe['sentence']}\n  {safe['next_step']}")
