"""The rows of a run as compact data for the script of its page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from canvas_exports.core.archive.records import RecordName
from canvas_exports.core.archive.run_report import OutcomeRecord
from canvas_exports.core.reports.page.links import (
    airflow_base,
    canvas_origin,
    canvas_path,
    restore_path,
    task_path,
)
from canvas_exports.core.reports.page.view import RunView
from canvas_exports.core.reports.probe_results import tells_more
from canvas_exports.foreign_text import harmless

#: Rows in a page. Problems come first, and every row is in the CSV and the JSON beside it.
MOST_ROWS = 5000
MOST_NAME, MOST_DETAIL = 120, 300


def row_data(view: RunView) -> dict[str, Any]:
    """Return the data from which the page's script builds the table: a list for each row, repeated texts only once.

    Of a row: context, name, then as places in ``texts`` type, outcome, detail; size; findings; the time of the newest
    good copy (``None``: not known, 0: there is none); time and text of the last verification and of the last drill;
    seconds; whether it is a problem; the key of the package; in ``texts`` again, the path in Canvas, that of the task, and the
    name of the batch.
    Times are seconds since the epoch. ``maxAge`` is the promised age in seconds, 0 without a promise. ``archive``, ``canvas`` and ``airflow`` are the roots of keys and paths, each empty
    where it is not known.
    """
    texts: dict[str, int] = {}

    def placed(text: str) -> int:
        return texts.setdefault(text, len(texts))

    placed("")
    rows = [_row(record, view, placed) for record in view.records[:MOST_ROWS]]
    return {
        "now": int(view.finished_at.timestamp()),
        "zone": view.zone,
        "maxAge": 0 if view.max_age is None else int(view.max_age.total_seconds()),
        "archive": view.archive.rstrip("/"),
        "canvas": canvas_origin(view),
        "airflow": airflow_base(view),
        "restore": restore_path(),
        "texts": list(texts),
        "rows": rows,
    }


def label(record: OutcomeRecord, view: RunView) -> str:
    """Return the context's name for people: its code and title, as far as they are known."""
    facts = view.copies.of(record)
    code, title = (None, None) if facts is None else (facts.code, facts.title)
    parts: Sequence[str] = [part for part in (record.name or code, record.title or title) if part]
    return harmless(" · ".join(dict.fromkeys(parts)), most=MOST_NAME)


def _row(record: OutcomeRecord, view: RunView, placed: Any) -> list[Any]:
    facts = view.copies.of(record)
    return [
        harmless(record.context, most=MOST_NAME),
        label(record, view),
        placed(harmless(record.export_type.replace("_", " "), most=MOST_NAME)),
        placed(harmless(record.outcome, most=MOST_NAME)),
        placed(harmless(record.reason, most=MOST_DETAIL) if record.problem or tells_more(record) else ""),
        record.size,
        harmless(record.findings or "", most=MOST_DETAIL),
        None if facts is None else _seconds(facts.good_at),
        *_last(None if facts is None else facts.verified, placed),
        *_last(None if facts is None else facts.drilled, placed),
        None if record.seconds is None else round(record.seconds),
        int(record.problem),
        record.key or "",
        placed(canvas_path(record)),
        placed(task_path(record, view)),
        placed(harmless(view.batch_of(record), most=MOST_NAME)),
    ]


def _last(record: RecordName | None, placed: Any) -> tuple[int, int]:
    return (0, 0) if record is None else (_seconds(record.at), placed(f"{record.result} ({record.detail})"))


def _seconds(at: datetime | None) -> int:
    return 0 if at is None else int(at.timestamp())
