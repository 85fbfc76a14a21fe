"""Write all rows of a run as CSV, for a spreadsheet or a script."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime

from canvas_exports.core.archive.records import RecordName
from canvas_exports.core.archive.run_report import OutcomeRecord
from canvas_exports.core.reports.page.view import CopyStatus, RunView
from canvas_exports.core.text.wording import format_time
from canvas_exports.foreign_text import harmless as one_line

COLUMNS = (
    "context",
    "name",
    "title",
    "sis_id",
    "term",
    "export_type",
    "outcome",
    "problem",
    "reason",
    "next_step",
    "size_bytes",
    "findings",
    "good_copy",
    "good_copy_at",
    "last_verified_at",
    "last_verification",
    "last_restored_at",
    "last_restore",
    "seconds",
    "export_id",
    "key",
    "batch",
    "promise",
    "probe_result",
)

_PROMISE = {True: "kept", False: "missed", None: ""}

_LONGEST = 2000

#: What makes a spreadsheet take a cell for a formula, ASCII and full width; also behind white space.
_FORMULA = tuple("=+-@＝＋－＠")  # noqa: RUF001 - exactly these


def csv_table(view: RunView) -> bytes:
    """Return the rows as CSV: UTF-8 with a byte order mark for Excel, a comma between cells.

    Puts an apostrophe before a text that a spreadsheet could read as a formula. ``good_copy`` is ``yes``, ``no``, or empty
    if the copies were not checked; ``promise`` is ``kept``, ``missed``, or empty without a promise. Needs about 250 bytes of memory for each row.
    """
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding="utf-8-sig", errors="replace", newline="") as text:
        rows = csv.writer(text, quoting=csv.QUOTE_ALL)
        rows.writerow(COLUMNS)
        for record in view.records:
            rows.writerow(_cells(record, view))
        text.flush()
        return raw.getvalue()


def _cells(record: OutcomeRecord, view: RunView) -> Iterator[str]:
    facts = view.copies.of(record)
    about = facts or CopyStatus()
    good = "" if facts is None else "no" if facts.good_at is None else "yes"
    values = (
        record.context,
        record.name or about.code,
        record.title or about.title,
        record.sis_id,
        record.term,
        record.export_type,
        record.outcome,
        "yes" if record.problem else "no",
        record.reason,
        record.next_step,
        record.size,
        record.findings,
        good,
        _time(about.good_at),
        *_last(about.verified),
        *_last(about.drilled),
        record.seconds,
        record.export_id,
        record.key,
        view.batch_of(record),
        _PROMISE[view.keeps_promise(record)],
        record.probe_result,
    )
    return (
        harmless(value) if isinstance(value, str) else "" if value is None else f"{value}" for value in values
    )


def harmless(text: str) -> str:
    """Return the text on one line, as a cell that no spreadsheet reads as a formula."""
    line = " ".join(one_line(text, most=_LONGEST, instead=" ").split())
    return f"'{line}" if line.startswith(_FORMULA) else line


def _last(record: RecordName | None) -> tuple[str, str]:
    return ("", "") if record is None else (format_time(record.at), f"{record.detail} {record.result}")


def _time(at: datetime | None) -> str:
    return "" if at is None else format_time(at)
