"""``canvas-archive retention``: which copies a policy lets go, and letting them go."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime, timezone

from canvas_exports.cli.output import Parsers, archive_of, say, say_json, subcommand
from canvas_exports.core.archive.catalog.presence import require_copies
from canvas_exports.core.archive.catalog.read import every_context
from canvas_exports.core.archive.retention.apply import Applied, apply_plan
from canvas_exports.core.archive.retention.plan import Decision, Plan, make_plan
from canvas_exports.core.archive.retention.policy import COUNTS, Policy
from canvas_exports.core.archive.retention.policy_fields import read_keep
from canvas_exports.core.archive.retention.report import document, result, table
from canvas_exports.core.model.runs import SOFTWARE, RunFacts
from canvas_exports.errors import InputError


def add(parsers: Parsers) -> None:
    """Enter the subcommand."""
    parser = subcommand(
        parsers,
        "retention",
        answer,
        help="which copies a policy keeps and which it lets go; deletes with --apply",
    )
    for name in COUNTS:
        what = "copies" if name == "last" else f"{_PERIODS[name]}, the newest copy of each"
        parser.add_argument(f"--keep-{name}", type=int, metavar="N", help=f"keep the last N {what}")
    parser.add_argument(
        "--keep-within", metavar="P30D", help="keep what is at most so much older than the newest copy"
    )
    parser.add_argument("--keep-proven", type=int, metavar="N", help="keep at least N proven copies (1)")
    parser.add_argument(
        "--hold-course", action="append", metavar="ID", help="keep all of this course; may be repeated"
    )
    parser.add_argument(
        "--hold-term", action="append", metavar="NAME", help="keep all of this term; may be repeated"
    )
    parser.add_argument("--timezone", default="UTC", metavar="NAME", help="in which days begin (UTC)")
    parser.add_argument(
        "--backup",
        metavar="DAG_ID",
        help="only the copies this backup made; without it, all copies, whoever made them",
    )
    parser.add_argument("--apply", action="store_true", help="delete what the plan says, after asking")
    parser.add_argument("--yes", action="store_true", help="with --apply: do not ask")


_PERIODS = {"daily": "days", "weekly": "weeks", "monthly": "months", "yearly": "years"}


def answer(options: argparse.Namespace) -> int:
    """Print the plan, and carry it out if asked to; 1 if something was left that should have gone."""
    policy = _policy(options)
    if options.json and options.apply and not options.yes:
        raise InputError("--json", "leaves nobody to ask", accepted="--yes, or no --apply")
    with archive_of(options) as store:
        held = require_copies(store, every_context(store), allow_empty=options.allow_empty)
        plan = make_plan(store, policy, now=_now(), backup=options.backup, holdings=held)
        if not options.json:
            say(table(plan, most=None))
        applied = None
        if options.apply and (options.yes or _agreed(plan)):
            applied = apply_plan(store, plan)
    if options.json:
        run = RunFacts(SOFTWARE)
        say_json(json.loads(document(plan, applied, run=run, finished_at=_now())))
    elif applied is not None:
        _tell(applied)
    elif plan.count(Decision.DELETE):
        say(
            "Nothing is deleted."
            if options.apply
            else "Nothing is deleted: this is only the plan. See --apply."
        )
    return 1 if applied is not None and applied.notes else 0


def _policy(options: argparse.Namespace) -> Policy:
    counts = {name: getattr(options, f"keep_{name}") for name in (*COUNTS, "within", "proven")}
    hold = {"courses": options.hold_course or [], "terms": options.hold_term or []}
    return read_keep({**counts, "hold": hold}, timezone=options.timezone)


def _agreed(plan: Plan) -> bool:
    """Whether the person types how many copies go."""
    number = plan.count(Decision.DELETE)
    if not sys.stdin.isatty():
        raise InputError("--apply", "nobody is there to ask", accepted="--yes")
    typed = input(f"\nThis cannot be undone. To delete {number} copies, type their number: ")
    return typed.strip() == str(number)


def _tell(applied: Applied) -> None:
    for note in applied.notes:
        say(note)
    say(result(applied))


def _now() -> datetime:
    return datetime.now(timezone.utc)
