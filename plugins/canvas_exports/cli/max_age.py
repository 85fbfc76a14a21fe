"""The option ``--max-age``, and what backups promise where it is not given."""

from __future__ import annotations

import argparse

from canvas_exports.core.archive.catalog.promises import Promises, read_promises
from canvas_exports.core.archive.catalog.runs import ReportKey, recent, reports
from canvas_exports.core.model.max_age import read_max_age
from canvas_exports.core.storage.store import Store


def add_max_age(parser: argparse.ArgumentParser) -> None:
    """Add the option."""
    parser.add_argument(
        "--max-age",
        metavar="AGE",
        help="how old the newest good copy may be, in ISO 8601: P2D (what the backup of each course promises)",
    )


def promised_ages(store: Store, max_age: str | None, latest: list[ReportKey] | None = None) -> Promises:
    """Return the promise of the option, or those in the recent run reports.

    Args:
        store: the archive.
        max_age: the option; ``None`` if it is not given.
        latest: the recent reports; ``None``: they are listed.

    Raises:
        InputError: the option is not a length of time, or out of range (permanent).
        ArchiveError: the reports cannot be listed, or the store failed.
    """
    chosen = read_max_age(max_age, field="--max-age")
    if chosen is not None:
        return Promises(of_all=chosen)
    return read_promises(store, recent(reports(store)) if latest is None else latest)
