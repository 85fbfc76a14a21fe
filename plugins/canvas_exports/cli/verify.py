"""``canvas-archive verify``: prove again what is stored."""

from __future__ import annotations

import argparse
from datetime import timedelta

from canvas_exports.cli.output import (
    Parsers,
    archive_of,
    say,
    say_json,
    say_table,
    say_unreadable,
    subcommand,
)
from canvas_exports.core.archive.json_documents import plain
from canvas_exports.core.archive.run_report import OutcomeRecord
from canvas_exports.core.archive.verification.verify_archive import (
    ArchiveVerification,
    VerificationBudget,
    verify_archive,
)
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.model.runs import SOFTWARE, RunFacts
from canvas_exports.core.text.wording import format_size, format_time

GB = 10**9


def add(parsers: Parsers) -> None:
    """Enter the subcommand."""
    parser = subcommand(
        parsers,
        "verify",
        _run,
        help="Prove stored packages again, the longest unverified first; exits with 1 if one is not what was stored.",
    )
    parser.add_argument(
        "--level",
        choices=[level.value for level in ProofLevel],
        default=ProofLevel.FULL.value,
        help="full (default) reads every byte; directory does not see bits that rotted inside a file",
    )
    parser.add_argument("--minutes", type=_amount, help="begin no further package after so long")
    parser.add_argument("--gigabytes", type=_amount, help="begin no further package after reading so much")


def _run(options: argparse.Namespace) -> int:
    budget = VerificationBudget(
        bytes=None if options.gigabytes is None else int(options.gigabytes * GB),
        time=None if options.minutes is None else timedelta(minutes=options.minutes),
    )
    with archive_of(options) as store:
        verified = verify_archive(
            store,
            level=ProofLevel(options.level),
            budget=budget,
            run=RunFacts(SOFTWARE),
            allow_empty=options.allow_empty,
        )
    (_say_json if options.json else _say)(verified)
    return 1 if verified.damaged else 0


def _say(verified: ArchiveVerification) -> None:
    rows = [(each.context, each.outcome, each.reason, each.key or "") for each in verified.damaged]
    if rows:
        say_table(("CONTEXT", "RESULT", "WHY", "PACKAGE"), rows)
        say("")
    listed = ", ".join(f"{number:,} {result}" for result, number in verified.totals.items())
    left = f"; {verified.left:,} left for the next time" if verified.left else ""
    say(f"{listed or 'nothing to verify'}; {format_size(float(verified.bytes_read))} read{left}")
    say_unreadable(verified.unreadable)


def _say_json(verified: ArchiveVerification) -> None:
    say_json(
        {
            "results": [_document(record) for record in verified.rows],
            "totals": verified.totals,
            "bytes_read": verified.bytes_read,
            "left": verified.left,
            "unreadable": [plain(document) for document in verified.unreadable],
        }
    )


def _document(record: OutcomeRecord) -> dict[str, str | None]:
    return {
        "context": record.context,
        "export_type": record.export_type,
        "package": record.key,
        "result": record.outcome,
        "reason": record.reason,
        "at": format_time(record.finished_at) if record.finished_at else None,
    }


def _amount(text: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = 0.0
    if not 0 < amount < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount above 0")
    return amount
