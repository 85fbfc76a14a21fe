"""An archive with a history: courses over some nights, each package a real cartridge, and the reports of the nights."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

from tests.support.archives.holdings import DAY, START, lay, manifest, note
from tests.support.archives.run_reports import outcome, report
from tests.support.archives.stored import stored
from tests.support.packages.build import zipped
from tests.support.packages.courses import course

from canvas_exports.core.archive.catalog.read import copies_of
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.archive.records import RecordKind
from canvas_exports.core.archive.retention.holds import ALARM, put_tag
from canvas_exports.core.model.alarm import Alarm
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.storage.store import Store

#: Of the course that nobody may mistake for markup.
HOSTILE_NAME = '<script>document.title = "taken"</script>'
TERM = "Autumn 2026"
#: The alarm of ``course:104``.
EMPTIED = Alarm(
    "course_emptied",
    "course",
    "The course was emptied since the copy of 2026-11-27: it had 3 files.",
    "Look at the course in Canvas.",
    context="course:104",
    name="C-104",
    evidence={"before": {"files": 3}, "after": {"files": 0}},
)


@dataclass(frozen=True)
class History:
    """What was stored.

    Attributes:
        biology: the copies of ``course:101``, oldest first: proven; the page *welcome* changed before the last one.
        today: number of the day of the newest copies, after ``START``.
    """

    biology: tuple[Manifest, ...]
    today: int


def biology_package(page: str) -> bytes:
    """A cartridge with one thing of each kind; its picture is not compressed."""
    members = course(picture=b"\x89PNG\r\n\x1a\n" + bytes(200), page=page.encode()).members()
    return zipped(members, method=0)


def lay_history(store: Store) -> History:
    """Store it: a proven course of three nights, an incomplete one, a damaged one, one without a copy, one with an alarm, and others."""
    today = (datetime.now(timezone.utc) - START).days - 1
    pages = (
        "<p>Welcome</p>",
        "<p>Welcome</p>",
        "<p>Welcome to <a href='https://videos.example.org/1'>Biology</a></p>",
    )
    biology = tuple(
        stored(store, 101, day=today - 2 + number, data=biology_package(page))
        for number, page in enumerate(pages)
    )
    note(store, biology[0], day=today)
    note(store, biology[1], day=today, kind=RecordKind.DRILL, detail="content", result="passed")
    stored(store, 105, day=today - 1, data=biology_package("<p>Another course</p>"), facts=_facts(105))
    for number in range(102, 105):
        lay(store, manifest(f"course:{number}", day=today - 1, export_id=number, facts=_facts(number)))
    lay(
        store,
        manifest("course:106", day=today, export_id=106, verdict=Verdict.INCOMPLETE, facts=_facts(106)),
    )
    damaged = lay(store, manifest("course:107", day=today - 1, export_id=107, facts=_facts(107)))
    note(store, damaged, day=today, result="damaged")
    lay(store, manifest("course:108", day=today, export_id=108, facts={"name": HOSTILE_NAME}))
    put_tag(store, copies_of(store, "course", 104).copies, ALARM, at=START + today * DAY, alarms=[EMPTIED])
    for night in range(3):
        outcomes = [outcome(f"course:{number}", "stored", export_id=number) for number in range(101, 106)]
        outcomes.append(outcome("course:109", "failed", "Canvas could not export it"))
        report(store, *outcomes, day=(START + (today - night) * DAY).date(), run_id=f"night_{night}")
    return History(biology, today)


def _facts(number: int) -> dict[str, str]:
    return {
        "name": f"Course {number}",
        "course_code": f"C-{number}",
        "sis_id": f"SIS-{number}",
        "term": TERM,
    }
