"""One course, group or user: its copies as a time line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from canvas_exports.core.reports.overview.course_list import CourseRow
from canvas_exports.core.reports.overview.figures import OpenAlarm, Problem


@dataclass(frozen=True)
class Check:
    """A verification or restore drill of a package.

    Attributes:
        at: when it ended.
        how: the level, or what a drill restored into, in a word.
        result: ``intact``, ``damaged``, ``vanished``, ``passed`` or ``failed``.
        key: of the record.
    """

    at: datetime
    how: str
    result: str
    key: str


@dataclass(frozen=True)
class Retention:
    """Whether a copy is kept.

    Attributes:
        rules: the rules and holds that keep it, such as ``daily``, ``within``, ``hold tag legal``. Empty: see ``deleted_next``.
        until: the day to which the rules keep it at least, if a copy is made in each of their periods; ``None`` if that cannot
            be said (``last``, ``proven``, holds), or nothing is known.
        deleted_next: no rule keeps it: the next retention run that deletes deletes it.
        policy: the rules of its backup, in English; ``None`` if no retention report names them.
        report: key of the retention report that names them.
    """

    rules: tuple[str, ...] = ()
    until: date | None = None
    deleted_next: bool = False
    policy: str | None = None
    report: str | None = None


@dataclass(frozen=True)
class CopyEntry:
    """A copy on the time line.

    Attributes:
        key: of the manifest, by which every command names the copy.
        export_type, export_id: of Canvas's content export.
        created_at: the time of the copy.
        stored_at: when its manifest was written.
        state: ``proven``, ``incomplete``, ``empty``, ``selection``, ``damaged`` or ``vanished``; see ``Copy.state``.
        is_good: whether it is proven.
        missing: what it lacks, in words; empty if nothing.
        level: of its proof.
        deepest: the deepest level of its proof and its intact verifications.
        counts: what its proof counted, by name.
        package: key of the package.
        size: of the package, in bytes.
        digests: of the package, by algorithm.
        same_as: when the earlier copy was made whose package this one names; ``None`` if it has a package of its own.
        was_exported: whether Canvas built a package for it; otherwise a change probe has confirmed the earlier copy.
        verified: newest verification of the package; ``None`` without one.
        drilled: newest restore drill; ``None`` without one.
        holds: the tags that hold it. No record of a hold says who has set it.
        retention: see there.
        dag_id, run_id: the run that stored it; ``None`` outside Airflow.
        canvas_host: host name of the Canvas it came from.
    """

    key: str
    export_type: str
    export_id: int
    created_at: datetime
    stored_at: datetime
    state: str
    is_good: bool
    missing: str
    level: str
    deepest: str
    counts: Mapping[str, int]
    package: str
    size: int
    digests: Mapping[str, str]
    same_as: datetime | None
    was_exported: bool
    verified: Check | None
    drilled: Check | None
    holds: tuple[str, ...]
    retention: Retention
    dag_id: str | None
    run_id: str | None
    canvas_host: str


@dataclass(frozen=True)
class CourseView:
    """A course, group or user.

    Attributes:
        course: its row in the list.
        copies: newest first, at most ``MOST_COPIES``.
        more_copies: number of the others.
        problems: what is wrong with it, for each export type.
        unreadable: manifests that cannot be read, and why.
        alarms: that nobody has released, newest first.
        taken_at: when the archive was read.
    """

    course: CourseRow
    copies: tuple[CopyEntry, ...]
    more_copies: int
    problems: tuple[Problem, ...]
    unreadable: tuple[tuple[str, str], ...]
    alarms: tuple[OpenAlarm, ...]
    taken_at: datetime
