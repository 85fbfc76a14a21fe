"""Reports of runs, as the report task writes them."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from canvas_exports.core.archive.layout import run_folder
from canvas_exports.core.archive.run_report import OutcomeRecord, run_document
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.storage.store import Store

NIGHT = date(2026, 11, 23)


#: Of what was not stored.
NEXT_STEP = "Start the export again."


def outcome(
    context: str,
    word: str,
    reason: str = "for this reason",
    *,
    export_id: int | None = None,
    name: str | None = None,
    title: str | None = None,
) -> OutcomeRecord:
    return OutcomeRecord(
        context,
        "common_cartridge",
        word,
        reason,
        next_step=None if word == "stored" else NEXT_STEP,
        problem=word != "stored",
        export_id=export_id,
        size=9 if word == "stored" else None,
        name=name,
        title=title,
    )


def report(
    store: Store,
    *outcomes: OutcomeRecord,
    day: date = NIGHT,
    dag_id: str = "nightly",
    run_id: str = "run",
    max_age: timedelta | None = None,
) -> str:
    """Store the report of a run; returns its key."""
    began = datetime(day.year, day.month, day.day, 2, tzinfo=timezone.utc)
    document = run_document(
        list(outcomes),
        run=RunFacts("canvas_exports 0.1.0", dag_id, run_id),
        started_at=began,
        finished_at=began + timedelta(hours=1),
        max_age=max_age,
    )
    key = f"{run_folder(day, dag_id, run_id)}report.json"
    store.replace(key, document)
    return key
