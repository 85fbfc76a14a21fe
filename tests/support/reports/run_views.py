"""Runs of any size and content, without an archive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from canvas_exports.core.archive.records import RecordKind, RecordName
from canvas_exports.core.archive.run_report import OutcomeRecord, in_order
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.reports.page.view import CopyStatus, CopyStatuses, PastRun, RunView

NOW = datetime(2026, 11, 23, 3, tzinfo=timezone.utc)
DAY = timedelta(days=1)


def row(number: int, outcome: Outcome = Outcome.STORED, **values: Any) -> OutcomeRecord:
    """The outcome of one course."""
    stem = f"courses/{number}/20261123T020000Z-common_cartridge-{500 + number}"
    fields: dict[str, Any] = {
        "reason": outcome.definition if outcome.is_good else f"why {number}",
        "next_step": None if outcome.is_good else outcome.next_step,
        "problem": not outcome.is_good,
        "name": f"BIO {number}",
        "size": 1000 * number if outcome.has_package else None,
        "key": f"{stem}.imscc" if outcome.has_package else None,
        "seconds": float(number),
        **values,
    }
    return OutcomeRecord(f"course:{number}", "common_cartridge", outcome.value, **fields)


def facts(**values: Any) -> CopyStatus:
    """What the archive holds of a course: a good copy of this night."""
    return replace(CopyStatus(title="Biology", good_at=NOW), **values)


def record(kind: RecordKind, days_ago: int, result: str) -> RecordName:
    return RecordName("courses/1/a.json", kind, NOW - days_ago * DAY, "full", result)


def past(count: int = 3, exports: int = 40) -> list[PastRun]:
    return [
        PastRun(f"run {at}", NOW - (count - 1 - at) * DAY, 10**9 * (at + 1), exports, at)
        for at in range(count)
    ]


def view(
    records: Iterable[OutcomeRecord],
    known: dict[int, CopyStatus] | None = None,
    *,
    runs: Sequence[PastRun] = (),
    **values: Any,
) -> RunView:
    """A run with these rows; ``known`` holds facts by the number of the course."""
    about = {(f"course:{number}", "common_cartridge"): each for number, each in (known or {}).items()}
    made = RunView(
        records=in_order(records),
        run=RunFacts("canvas_exports 0.1.0", "canvas_backup_nightly", "scheduled__2026-11-23"),
        archive="s3://campus-backups/canvas",
        folder="runs/2026-11-23/canvas_backup_nightly/scheduled__2026-11-23/",
        started_at=NOW - timedelta(hours=1),
        finished_at=NOW,
        copies=CopyStatuses(about),
        past=runs,
    )
    return replace(made, **values)


def night() -> RunView:
    """Forty courses, a few of them in trouble: what the picture in the documentation shows."""
    subjects = (
        "Introduction to Biology",
        "Organic Chemistry",
        "Modern European History",
        "Linear Algebra",
        "Principles of Economics",
        "Data Structures",
        "World Literature",
        "Human Physiology",
    )
    codes = ("BIO", "CHE", "HIS", "MAT", "ECO", "CSC", "ENG", "NUR")
    records, known = [], {}
    for at in range(40):
        number = 2001 + 7 * at
        outcome = {
            3: Outcome.INCOMPLETE,
            11: Outcome.INCOMPLETE,
            19: Outcome.FAILED,
            27: Outcome.GONE,
            33: Outcome.DENIED,
            38: Outcome.EMPTY,
        }.get(at, Outcome.STORED)
        reason = {
            Outcome.INCOMPLETE: "web_resources/Lectures/Week 5.mp4: the cartridge refers to it, but it is not in the package",
            Outcome.FAILED: "Canvas reported the export as failed (after 3 exports)",
            Outcome.GONE: "deleted, never there, or not visible to the token's user",
            Outcome.DENIED: "the token's user lacks the right for this, or the token the scope",
        }.get(outcome, outcome.definition)
        records.append(
            row(
                number,
                outcome,
                name=f"{codes[at % 8]} {101 + 7 * at}",
                title=subjects[at % 8],
                term="Autumn 2026",
                task_id="export",
                map_index=0,
                reason=reason,
                size=(at * 37 % 41 + 1) * 23_456_789 if outcome.has_package else None,
                findings="2" if outcome is Outcome.INCOMPLETE else None,
                seconds=float(20 + at * 53 % 97),
            )
        )
        known[number] = facts(
            title=subjects[at % 8] if outcome.has_package else None,
            good_at=None if at in (11, 33) else NOW - 9 * DAY if not outcome.is_good else NOW,
            gap="the archive holds no copy" if at == 33 else "2 files missing" if at == 11 else "",
            verified=record(RecordKind.VERIFY, at % 9 + 1, "intact") if at % 5 else None,
            drilled=record(RecordKind.DRILL, at % 30 + 2, "passed") if at % 4 == 0 else None,
            findings=(
                reason,
                "web_resources/Lectures/Week 6.mp4: the cartridge refers to it, but it is not in the package",
            )
            if outcome is Outcome.INCOMPLETE
            else (),
            counts={
                "pages": at % 12,
                "assignments": at % 9,
                "quizzes": at % 4,
                "files": at * 3,
                "modules": at % 7,
            }
            if outcome.has_package
            else {},
        )
    runs = [
        PastRun(
            f"run {at}",
            NOW - (29 - at) * DAY,
            (17_000 + at * 130 + at * 7919 % 900) * 10**6,
            38 + at // 15,
            at * 5 % 7,
        )
        for at in range(29)
    ]
    return view(
        records,
        known,
        runs=[*runs, PastRun("this", NOW, sum(r.size or 0 for r in records), 40, 5)],
        zone="Europe/London",
        canvas="https://canvas.example.edu",
        airflow="https://airflow.example.edu",
    )
