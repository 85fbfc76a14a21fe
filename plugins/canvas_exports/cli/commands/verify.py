"""``canvas-archive verify``: verify stored packages."""

from __future__ import annotations

import argparse
from datetime import timedelta

from canvas_exports.cli.arguments import Parsers, add_archive_subcommand, open_archive, positive_number
from canvas_exports.cli.output import print_json, print_table, print_text, print_unreadable
from canvas_exports.cli.progress import PROGRESS
from canvas_exports.core.archive.json_documents import plain
from canvas_exports.core.archive.run_report import OutcomeRecord
from canvas_exports.core.archive.verification.verify_archive import (
    ArchiveVerification,
    VerificationBudget,
    verify_archive,
)
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.model.runs import SOFTWARE, RunFacts
from canvas_exports.core.text.wording import GB, format_count, format_size, format_time


def add_parser(parsers: Parsers) -> None:
    """Add the subcommand."""
    parser = add_archive_subcommand(
        parsers,
        "verify",
        run,
        help="verify stored packages, the longest unverified first; exits with 1 if one is not what was stored",
    )
    parser.add_argument(
        "--level",
        choices=[level.value for level in ProofLevel],
        default=ProofLevel.FULL.value,
        help="full (default) reads every byte; directory does not detect damage inside a file",
    )
    parser.add_argument(
        "--minutes", type=positive_number, help="start no further package after so many minutes"
    )
    parser.add_argument(
        "--gigabytes", type=positive_number, help="start no further package after so many gigabytes"
    )


def run(options: argparse.Namespace) -> int:
    """Verify packages and print those that are not what was stored; return 1 if there are any."""
    budget = VerificationBudget(
        bytes=None if options.gigabytes is None else int(options.gigabytes * GB),
        time=None if options.minutes is None else timedelta(minutes=options.minutes),
    )
    with open_archive(options) as store:
        verified = verify_archive(
            store,
            level=ProofLevel(options.level),
            budget=budget,
            run=RunFacts(SOFTWARE),
            allow_empty=options.allow_empty,
            report=_show_progress,
        )
    if options.json:
        print_json(
            {
                "results": [_document(record) for record in verified.rows],
                "totals": verified.totals,
                "bytes_read": verified.bytes_read,
                "left": verified.left,
                "unreadable": [plain(document) for document in verified.unreadable],
            }
        )
    else:
        _print(verified)
    return 1 if verified.damaged else 0


def _show_progress(done: int, packages: int, size: int) -> None:
    if not done:
        PROGRESS.begin("Verifying", total=size)
    PROGRESS.describe(f"{done:,} of {format_count(packages, 'package')}")


def _print(verified: ArchiveVerification) -> None:
    rows = [(each.context, each.outcome, each.reason, each.key or "") for each in verified.damaged]
    if rows:
        print_table(("CONTEXT", "RESULT", "WHY", "PACKAGE"), rows)
        print_text("")
    listed = ", ".join(f"{number:,} {result}" for result, number in verified.totals.items())
    left = f"; {verified.left:,} left for the next run" if verified.left else ""
    read = format_size(float(verified.bytes_read))
    print_text(f"{listed or 'nothing to verify'}; {read} read{left}")
    print_unreadable(verified.unreadable)


def _document(record: OutcomeRecord) -> dict[str, str | None]:
    return {
        "context": record.context,
        "export_type": record.export_type,
        "package": record.key,
        "result": record.outcome,
        "reason": record.reason,
        "at": format_time(record.finished_at) if record.finished_at else None,
    }
