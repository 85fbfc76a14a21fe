"""``canvas-archive retention``: show which copies a policy deletes, and delete them."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime, timezone

from canvas_exports.cli.arguments import Parsers, add_archive_subcommand, open_archive
from canvas_exports.cli.output import print_json, print_text
from canvas_exports.cli.progress import PROGRESS
from canvas_exports.core.archive.alarms.before_deletion import hold_before_deletion
from canvas_exports.core.archive.catalog.presence import require_copies
from canvas_exports.core.archive.catalog.read import every_context
from canvas_exports.core.archive.retention.apply import apply_plan
from canvas_exports.core.archive.retention.plan import Decision, Plan, make_plan
from canvas_exports.core.archive.retention.policy import COUNTS, Policy
from canvas_exports.core.archive.retention.policy_fields import read_keep
from canvas_exports.core.archive.retention.report import format_plan, plan_document, result
from canvas_exports.core.model.runs import SOFTWARE, RunFacts
from canvas_exports.errors import InputError


def add_parser(parsers: Parsers) -> None:
    """Add the subcommand."""
    parser = add_archive_subcommand(
        parsers,
        "retention",
        run,
        help="show which copies a policy keeps and which it deletes; delete them with --apply",
    )
    for name in COUNTS:
        what = "copies" if name == "last" else f"{_PERIODS[name]}, the newest copy of each"
        parser.add_argument(f"--keep-{name}", type=int, metavar="N", help=f"keep the last N {what}")
    parser.add_argument(
        "--keep-within", metavar="P30D", help="keep copies that are at most this much older than the newest"
    )
    parser.add_argument("--keep-proven", type=int, metavar="N", help="keep at least N proven copies (1)")
    parser.add_argument(
        "--hold-course", action="append", metavar="ID", help="keep all copies of this course; may be repeated"
    )
    parser.add_argument(
        "--hold-term", action="append", metavar="NAME", help="keep all copies of this term; may be repeated"
    )
    parser.add_argument(
        "--timezone", default="UTC", metavar="NAME", help="time zone in which days begin (UTC)"
    )
    parser.add_argument(
        "--backup",
        metavar="DAG_ID",
        help="only the copies of this backup; by default, all copies",
    )
    parser.add_argument(
        "--apply", action="store_true", help="delete the copies that the plan names, after a confirmation"
    )
    parser.add_argument("--yes", action="store_true", help="with --apply: delete without a confirmation")


_PERIODS = {"daily": "days", "weekly": "weeks", "monthly": "months", "yearly": "years"}


def run(options: argparse.Namespace) -> int:
    """Print the plan, and apply it with ``--apply``; return 1 if a copy that should be deleted was left."""
    policy = _policy(options)
    if options.json and options.apply and not options.yes:
        raise InputError("--json", "cannot ask for a confirmation", accepted="--yes, or no --apply")
    with open_archive(options) as store:
        holdings = require_copies(store, every_context(store), allow_empty=options.allow_empty)
        if options.apply:
            holdings = hold_before_deletion(store, holdings, now=_now())
        plan = make_plan(store, policy, now=_now(), backup=options.backup, holdings=holdings)
        if not options.json:
            print_text(format_plan(plan, most=None))
        applied = None
        if options.apply and (options.yes or _is_confirmed(plan)):
            applied = apply_plan(store, plan)
    if options.json:
        run = RunFacts(SOFTWARE)
        print_json(json.loads(plan_document(plan, applied, run=run, finished_at=_now())))
    elif applied is not None:
        for note in applied.notes:
            print_text(note)
        print_text(result(applied))
    elif plan.count(Decision.DELETE):
        print_text(
            "Nothing is deleted."
            if options.apply
            else "Nothing is deleted: this is only the plan. To delete the copies, use --apply."
        )
    return 1 if applied is not None and applied.notes else 0


def _policy(options: argparse.Namespace) -> Policy:
    counts = {name: getattr(options, f"keep_{name}") for name in (*COUNTS, "within", "proven")}
    hold = {"courses": options.hold_course or [], "terms": options.hold_term or []}
    return read_keep({**counts, "hold": hold}, timezone=options.timezone)


def _is_confirmed(plan: Plan) -> bool:
    """Ask for the number of copies to be deleted; return whether it was typed."""
    number = plan.count(Decision.DELETE)
    if not sys.stdin.isatty():
        raise InputError("--apply", "there is no terminal to ask for a confirmation", accepted="--yes")
    PROGRESS.end()
    typed = input(f"\nThis cannot be undone. To delete {number} copies, type their number: ")
    return typed.strip() == str(number)


def _now() -> datetime:
    return datetime.now(timezone.utc)
