"""``canvas-archive doctor``: check Canvas, the archive and Airflow, and name the next step where something is wrong."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

from canvas_exports.cli.arguments import TOKEN, Parsers, add_subcommand, canvas_access, open_archive
from canvas_exports.cli.output import print_json, print_text
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.doctor.archive import check_archive
from canvas_exports.core.doctor.canvas import Source, check_canvas
from canvas_exports.core.doctor.facts import Fact, Status, has_problem, problem
from canvas_exports.core.text.wording import format_count

_HELP = "check Canvas, the archive and Airflow, and name the next step where something is wrong"
_AIRFLOW = "canvas_exports.airflow_doctor"
_PREFIX = "canvas-archive doctor: "
_LONGEST = 300.0  # seconds for the checks of Airflow


def add_parser(parsers: Parsers) -> None:
    """Add the subcommand."""
    parser = add_subcommand(parsers, "doctor", run, help=_HELP)
    parser.add_argument(
        "--canvas",
        metavar="URL",
        help=f"check this Canvas, with the token in {TOKEN}, instead of this Airflow and its connections",
    )
    parser.add_argument(
        "-A",
        "--archive",
        metavar="URI",
        help="check this archive, with the credentials of the environment, instead of this Airflow and its connections",
    )


def run(options: argparse.Namespace) -> int:
    """Print the facts, each with its next step; return 1 if a backup would fail."""
    facts = list(_given(options) if options.canvas or options.archive else airflow_facts())
    if options.json:
        print_json({"facts": [fact.to_json() for fact in facts]})
    else:
        _print(facts)
    return 1 if has_problem(facts) else 0


def airflow_facts() -> Iterator[Fact]:
    """Yield the facts of the Airflow of this Python and of its connections, from a process of its own: this one imports no Airflow."""
    try:
        ended = subprocess.run(  # noqa: S603 - this package, by this Python
            [sys.executable, "-m", _AIRFLOW], capture_output=True, text=True, check=False, timeout=_LONGEST
        )
    except subprocess.TimeoutExpired:
        yield problem("airflow", f"Airflow's checks took longer than {_LONGEST:.0f} s.", "airflow db check")
        return
    lines = [line for line in ended.stdout.splitlines() if line.startswith(_PREFIX)]
    with suppress(IndexError, ValueError, KeyError):
        yield from [Fact.from_json(row) for row in json.loads(lines[-1].removeprefix(_PREFIX))]
        return
    last = (ended.stderr.strip().splitlines() or [f"it ended with status {ended.returncode}"])[-1]
    yield problem("airflow", f"Airflow cannot be loaded: {last}", "airflow version")


def _given(options: argparse.Namespace) -> Iterator[Fact]:
    """Yield the facts of the Canvas and the archive that the options name."""
    if options.canvas:
        with CanvasClient(*canvas_access(options), attempts=1) as client:
            yield from check_canvas(client, "canvas", Source("--canvas", f"the token in {TOKEN}"))
    if options.archive:
        with open_archive(options) as store:
            yield from check_archive(store, "archive")


def _print(facts: list[Fact]) -> None:
    width = max(len(fact.subject) for fact in facts)
    for fact in facts:
        print_text(f"{fact.status.value:<7}  {fact.subject:<{width}}  {fact.fact}")
        if fact.next_step:
            print_text(f"{'':<7}  {'':<{width}}  Next: {fact.next_step}")
    counts = {status: sum(fact.status is status for fact in facts) for status in Status}
    problems, warnings = counts[Status.PROBLEM], counts[Status.WARNING]
    print_text(
        f"\n{format_count(len(facts), 'check')}: {format_count(problems, 'problem')}, {format_count(warnings, 'warning')}."
    )
