"""The figures of an archive's overview, as values. All texts come from outside the program: whoever shows them escapes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum

from canvas_exports.core.model.alarm import Alarm


class CourseState(str, Enum):
    """What the archive has of a course, group or user, in a word; the worst of its export types counts.

    ``MISSED`` and ``KEPT`` are about the promise of a backup (``max_age``); a course without one is ``PROVEN`` whatever the age of
    its copy. A course without a good copy is ``MISSING``, promised or not.
    """

    MISSING = "missing"
    MISSED = "missed"
    KEPT = "kept"
    PROVEN = "proven"

    @property
    def definition(self) -> str:
        """Return its meaning, in one sentence."""
        return _DEFINITIONS[self]


_DEFINITIONS = {
    CourseState.MISSING: "An export type of the course has no good copy.",
    CourseState.MISSED: "Its newest proven copy is older than its backup promises.",
    CourseState.KEPT: "Its newest proven copy is as young as its backup promises.",
    CourseState.PROVEN: "It has a proven copy, and no backup promises how old that may be.",
}


@dataclass(frozen=True)
class Problem:
    """A course, group or user and an export type without a good copy, or with one that is older than promised.

    Attributes:
        context: such as ``course:101``; ``course:sis_course_id:BIO-101`` if its number is unknown.
        export_type: ``None`` if it is unknown.
        name: the course code or name; ``None`` if unknown.
        course_name: the name; ``None`` if unknown.
        state: ``MISSING`` or ``MISSED``.
        why: what the archive has instead, in one sentence.
        since: when it began: the age of the proven copy passed the promise, or an outcome was reported, or the newest copy
            that is not good was made; ``None`` if unknown.
        newest: when the newest copy of any verdict was made; ``None`` without one.
        proven: when the newest good copy was made; ``None`` without one.
        max_age: the promised age; ``None`` without a promise.
        outcome: its outcome in the newest run report of the last days that lists it; ``None`` if none does.
        reason: the reason of that outcome.
        next_step: what to do about it.
        report: key of that report.
    """

    context: str
    export_type: str | None
    name: str | None
    state: CourseState
    why: str
    since: datetime | None = None
    newest: datetime | None = None
    proven: datetime | None = None
    max_age: timedelta | None = None
    outcome: str | None = None
    reason: str | None = None
    next_step: str | None = None
    report: str | None = None
    course_name: str | None = None


@dataclass(frozen=True)
class Coverage:
    """How many courses, groups and users are as they should be; each counts once.

    Attributes:
        states: number by state.
        promised: those for which a backup promises the age of the newest proven copy.
        kept: those of them with a proven copy of that age, in every promised export type.
        problems: the newest problems first, at most ``MOST_PROBLEMS``; several for a course with several export types.
        more_problems: number of the others.
    """

    states: dict[CourseState, int]
    promised: int
    kept: int
    problems: tuple[Problem, ...]
    more_problems: int

    @property
    def contexts(self) -> int:
        """Return the number of courses, groups and users."""
        return sum(self.states.values())

    @property
    def missed(self) -> int:
        """Return the number of those whose promise is not kept."""
        return self.promised - self.kept


@dataclass(frozen=True)
class Night:
    """One run of a DAG, from the head of its report.

    Attributes:
        day: of the run (UTC).
        dag_id, run_id: as Airflow writes them, or the names of the folders where the report does not say.
        report: key of the report.
        started_at, finished_at: ``None`` if the run had no batch.
        exports: number of planned exports.
        problems: those that need attention.
        bytes: that were stored.
        outcomes: number of exports by outcome.
        max_age: what the backup promises; ``None`` without a promise.
        problem: why the report cannot be read; then the numbers are 0.
        causes: what ended many of its exports together, as sentences.
        alarms: about the whole run.
    """

    day: date
    dag_id: str
    run_id: str
    report: str
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exports: int = 0
    problems: int = 0
    bytes: int = 0
    outcomes: dict[str, int] | None = None
    max_age: timedelta | None = None
    problem: str | None = None
    causes: tuple[str, ...] = ()
    alarms: tuple[Alarm, ...] = ()

    @property
    def is_good(self) -> bool:
        """Return whether the run exported something, and nothing needs attention."""
        return self.problem is None and self.exports > 0 and not self.problems

    @property
    def minutes(self) -> float | None:
        """Return how long it took, from its first batch to the end of its last."""
        if self.started_at is None or self.finished_at is None:
            return None
        return max(0.0, (self.finished_at - self.started_at).total_seconds() / 60)


@dataclass(frozen=True)
class RunUnderWay:
    """A run without a report, as far as the archive shows it.

    Attributes:
        day: of the run (UTC).
        dag, run: names of its folders: the ids, where these are legal in a key.
        folder: where its documents are.
        planned: number of courses, groups and users in its plan; ``None`` without one that can be read.
        batches: of the plan; ``None`` likewise.
        batches_reported: batches with outcomes in the archive; a batch that is resumed reports again.
        exports_reported: exports in these.
        problems: exports in these that need attention.
        bytes: that these have stored.
        last_change: when its newest document was written.
    """

    day: date
    dag: str
    run: str
    folder: str
    planned: int | None
    batches: int | None
    batches_reported: int
    exports_reported: int
    problems: int
    bytes: int
    last_change: datetime


@dataclass(frozen=True)
class StorageGroup:
    """The packages of a term and an export type.

    Attributes:
        term: of the newest copies of their courses; ``None`` without one.
        export_type: ``common_cartridge``, ``qti`` or ``zip``.
        contexts, copies, packages: how many. Of an unchanged course, several copies name one package.
        bytes: of the packages that are in the archive.
        weeks: bytes stored in each of ``Storage.weeks``.
    """

    term: str | None
    export_type: str
    contexts: int
    copies: int
    packages: int
    bytes: int
    weeks: tuple[int, ...]


@dataclass(frozen=True)
class Storage:
    """What the archive holds, and how it came to that.

    Attributes:
        copies, packages, bytes: in all.
        groups: by term and export type, the largest first, at most ``MOST_GROUPS``.
        other_bytes: of the other groups.
        weeks: Mondays of the last weeks, oldest first.
        stored: bytes of the packages of each week that are still there.
        total: bytes of all packages up to the end of each week that are still there.
    """

    copies: int
    packages: int
    bytes: int
    groups: tuple[StorageGroup, ...]
    other_bytes: int
    weeks: tuple[date, ...]
    stored: tuple[int, ...]
    total: tuple[int, ...]


@dataclass(frozen=True)
class Checks:
    """Verifications and restore drills.

    Attributes:
        unverified: packages that no verification has read since they were stored.
        oldest_unverified: the course of the oldest of them; ``None`` if there is none.
        oldest_unverified_at: when it was stored.
        last_verified_at: when the newest verification ended; ``None`` without any.
        damaged: packages that are missing, or that their newest verification found damaged.
        last_drill_at: when the newest restore drill ended; ``None`` without any.
        last_drill_context: of which course.
        last_drill_passed: whether it passed.
    """

    unverified: int
    oldest_unverified: str | None
    oldest_unverified_at: datetime | None
    last_verified_at: datetime | None
    damaged: int
    last_drill_at: datetime | None
    last_drill_context: str | None
    last_drill_passed: bool | None


@dataclass(frozen=True)
class PlannedDeletion:
    """A copy that the rules of a backup delete.

    Attributes:
        context: such as ``course:101``.
        key: of the manifest.
        export_type: of the copy.
        created_at: when the copy was made.
        locked: why its store does not let it be deleted; empty if it does.
    """

    context: str
    key: str
    export_type: str
    created_at: datetime
    locked: str = ""


@dataclass(frozen=True)
class RetentionReport:
    """What the newest retention run of a backup decided.

    Attributes:
        backup: DAG id of the backup; ``None`` if the plan was about all copies.
        report: key of the document.
        made_at: when the plan was made.
        policy: the rules, in English.
        copies, delete, locked, freed_bytes: number of copies it was about, to delete, and locked; bytes of the deletion.
        deletes: whether the run deletes what it plans (``apply``). If not, the copies stay, and are the next to be deleted
            once it does.
        deleted: number of copies that it has deleted; ``None`` if it has deleted nothing (yet).
        next: the copies that it plans to delete and that are still there, oldest first, at most ``MOST_DELETIONS``.
        problem: why the document cannot be read; then the numbers are 0.
    """

    backup: str | None
    report: str
    made_at: datetime | None = None
    policy: str = ""
    copies: int = 0
    delete: int = 0
    locked: int = 0
    freed_bytes: int = 0
    deletes: bool = False
    deleted: int | None = None
    next: tuple[PlannedDeletion, ...] = ()
    problem: str | None = None


@dataclass(frozen=True)
class OpenAlarm:
    """An alarm that nobody has released, or of one of the last runs.

    Attributes:
        about: the context, such as ``course:101``, or the DAG id of a backup.
        at: when it was given; ``None`` if unknown.
        alarm: see there.
    """

    about: str
    at: datetime | None
    alarm: Alarm


@dataclass(frozen=True)
class Overview:
    """The figures of the first page.

    Attributes:
        archive: root URI, without credentials.
        taken_at: when the archive was read.
        coverage, storage, checks: see there.
        nights: the runs of the last weeks, newest first, at most ``MOST_NIGHTS``.
        under_way: runs without a report that wrote something in the last two days, newest first.
        retention: of each backup, the newest retention run.
        unreadable: number of manifests that cannot be read.
        unreadable_listed: the first of them, and why.
        alarms: of runs, then of courses, newest first, at most ``MOST_OPEN``.
    """

    archive: str
    taken_at: datetime
    coverage: Coverage
    nights: tuple[Night, ...]
    under_way: tuple[RunUnderWay, ...]
    storage: Storage
    checks: Checks
    retention: tuple[RetentionReport, ...]
    unreadable: int
    unreadable_listed: tuple[tuple[str, str], ...]
    alarms: tuple[OpenAlarm, ...] = ()
