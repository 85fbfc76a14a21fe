"""Put the figures of the overview together from the tables of courses, packages and weeks."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from datetime import date, datetime, timedelta

from canvas_exports.core.reports.overview.figures import (
    Checks,
    CourseState,
    Coverage,
    Problem,
    Storage,
    StorageGroup,
)
from canvas_exports.core.reports.overview.queries.courses import STATE
from canvas_exports.core.reports.overview.tables import MONDAY, to_moment, to_seconds, week_of

MOST_PROBLEMS = 200
MOST_GROUPS = 100
MOST_UNREADABLE = 50
WEEKS = 26

_COURSE_NAME = "(SELECT name FROM courses WHERE courses.context = problems.context) AS course_name"
#: A row of ``problems`` is a problem: there is no good copy, or it is older than promised at ``:now``.
_IS_PROBLEM = "(missing OR (max_age IS NOT NULL AND due < :now))"


def read_coverage(connection: sqlite3.Connection, *, now: datetime) -> Coverage:
    """Return how many courses are as they should be, and the problems."""
    at = {"now": to_seconds(now)}
    states = dict.fromkeys(CourseState, 0)
    for state, number in connection.execute(f"SELECT {STATE} AS state, count(*) FROM courses GROUP BY 1", at):  # noqa: S608 - SQL of ours
        states[CourseState(state)] = number
    promised, kept = connection.execute(
        "SELECT coalesce(sum(promised), 0), coalesce(sum(promised AND due IS NOT NULL AND due >= :now), 0) FROM courses",
        at,
    ).fetchone()
    total = connection.execute(f"SELECT count(*) FROM problems WHERE {_IS_PROBLEM}", at).fetchone()[0]  # noqa: S608 - as above
    rows = connection.execute(
        f"SELECT *, {_COURSE_NAME} FROM problems WHERE {_IS_PROBLEM} "  # noqa: S608 - as above
        "ORDER BY since IS NULL, since DESC, length(context), context, type LIMIT :most",
        {**at, "most": MOST_PROBLEMS},
    )
    problems = tuple(problem_of(row) for row in rows)
    return Coverage(states, promised, kept, problems, total - len(problems))


def problems_of(connection: sqlite3.Connection, context: str, *, now: datetime) -> tuple[Problem, ...]:
    """Return the problems of one context, by export type."""
    rows = connection.execute(
        f"SELECT *, {_COURSE_NAME} FROM problems WHERE context = :context AND {_IS_PROBLEM} ORDER BY type",  # noqa: S608 - as above
        {"now": to_seconds(now), "context": context},
    )
    return tuple(problem_of(row) for row in rows)


def problem_of(row: sqlite3.Row) -> Problem:
    """Return a row of ``problems`` that is one."""
    proven, max_age = to_moment(row["proven"]), row["max_age"]
    promise = None if max_age is None else timedelta(seconds=max_age)
    return Problem(
        context=row["context"],
        export_type=row["type"] or None,
        name=row["name"],
        course_name=row["course_name"],
        state=CourseState.MISSING if row["missing"] else CourseState.MISSED,
        why=row["why"] or "the newest proven copy is older than the backup promises",
        since=to_moment(row["since"]),
        newest=to_moment(row["newest"]),
        proven=proven,
        max_age=promise,
        outcome=row["outcome"],
        reason=row["reason"],
        next_step=row["next_step"],
        report=row["report"],
    )


def read_storage(connection: sqlite3.Connection, *, now: datetime) -> Storage:
    """Return what is stored, by term, export type and week."""
    this_week = week_of(now)
    weeks = range(this_week - WEEKS + 1, this_week + 1)
    copies, packages, size = connection.execute(
        "SELECT coalesce(sum(copies), 0), coalesce(sum(packages), 0), coalesce(sum(bytes), 0) FROM contexts"
    ).fetchone()
    by_week: defaultdict[tuple[str | None, str], dict[int, int]] = defaultdict(dict)
    stored: dict[int, int] = {}
    for term, export_type, week, number in connection.execute(
        "SELECT term, type, week, bytes FROM weeks ORDER BY week"
    ):
        by_week[term, export_type][week] = number
        stored[week] = stored.get(week, 0) + number
    groups = [
        StorageGroup(
            term=row["term"],
            export_type=row["type"],
            contexts=row["contexts"],
            copies=row["copies"],
            packages=row["packages"],
            bytes=row["bytes"],
            weeks=tuple(by_week[row["term"], row["type"]].get(week, 0) for week in weeks),
        )
        for row in connection.execute(
            "SELECT term, type, contexts, copies, packages, bytes FROM groups ORDER BY bytes DESC, term, type LIMIT ?",
            (MOST_GROUPS,),
        )
    ]
    before = sum(number for week, number in stored.items() if week < weeks[0])
    total = []
    for week in weeks:
        before += stored.get(week, 0)
        total.append(before)
    return Storage(
        copies=copies,
        packages=packages,
        bytes=size,
        groups=tuple(groups),
        other_bytes=sum(stored.values()) - sum(group.bytes for group in groups),
        weeks=tuple(_monday(week) for week in weeks),
        stored=tuple(stored.get(week, 0) for week in weeks),
        total=tuple(total),
    )


def _monday(week: int) -> date:
    return MONDAY + timedelta(weeks=week)


def read_checks(connection: sqlite3.Connection) -> Checks:
    """Return what is known of verifications and drills."""
    sums = connection.execute(
        "SELECT coalesce(sum(unverified), 0) AS unverified, coalesce(sum(damaged), 0) AS damaged, max(verified) AS verified "
        "FROM contexts"
    ).fetchone()
    oldest = connection.execute(
        "SELECT context, oldest_unverified FROM contexts WHERE oldest_unverified IS NOT NULL "
        "ORDER BY oldest_unverified, context LIMIT 1"
    ).fetchone()
    drill = connection.execute(
        "SELECT context, drilled, drill_passed FROM contexts WHERE drilled IS NOT NULL "
        "ORDER BY drilled DESC, drill_passed, context LIMIT 1"
    ).fetchone()
    return Checks(
        unverified=sums["unverified"],
        oldest_unverified=oldest and oldest["context"],
        oldest_unverified_at=oldest and to_moment(oldest["oldest_unverified"]),
        last_verified_at=to_moment(sums["verified"]),
        damaged=sums["damaged"],
        last_drill_at=drill and to_moment(drill["drilled"]),
        last_drill_context=drill and drill["context"],
        last_drill_passed=drill and bool(drill["drill_passed"]),
    )


def read_unreadable(connection: sqlite3.Connection) -> tuple[int, tuple[tuple[str, str], ...]]:
    """Return the number of manifests that cannot be read, and the first of them with the reasons."""
    number = connection.execute("SELECT count(*) FROM unreadable").fetchone()[0]
    rows = connection.execute("SELECT key, reason FROM unreadable ORDER BY key LIMIT ?", (MOST_UNREADABLE,))
    return number, tuple((key, reason) for key, reason in rows)
