"""A snapshot of one archive: what the last finished reading found. Its methods read a local file, and no archive."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from canvas_exports.core.archive.catalog.read import Holding
from canvas_exports.core.reports.overview.course_list import CoursePage, CourseQuery
from canvas_exports.core.reports.overview.course_view import CourseView
from canvas_exports.core.reports.overview.figures import Overview
from canvas_exports.core.reports.overview.queries.alarms import read_alarms
from canvas_exports.core.reports.overview.queries.course import read_course, stored_holding
from canvas_exports.core.reports.overview.queries.courses import list_accounts, list_courses, list_terms
from canvas_exports.core.reports.overview.queries.figures import (
    read_checks,
    read_coverage,
    read_storage,
    read_unreadable,
)
from canvas_exports.core.reports.overview.queries.runs import read_nights, read_retention, read_under_way
from canvas_exports.core.reports.overview.tables import reading


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class Snapshot:
    """What a reading of the archive found. Each method takes one consistent look; all are thread-safe.

    A method may see a later reading than ``taken_at`` says, if one has finished since.

    Attributes:
        path: of the file.
        archive: root URI, without credentials.
        taken_at: when the reading began.
        clock: returns the time, against which promises are held.
    """

    path: Path
    archive: str
    taken_at: datetime
    clock: Callable[[], datetime] = _now

    def overview(self) -> Overview:
        """Return the figures of the first page."""
        with self._looking() as (connection, runs, taken_at):
            now = self.clock()
            number, listed = read_unreadable(connection)
            nights = read_nights(connection, runs)
            return Overview(
                archive=self.archive,
                taken_at=taken_at,
                coverage=read_coverage(connection, now=now),
                nights=nights,
                under_way=read_under_way(connection, runs),
                storage=read_storage(connection, now=now),
                checks=read_checks(connection),
                retention=read_retention(connection, runs),
                unreadable=number,
                unreadable_listed=listed,
                alarms=read_alarms(connection, nights),
            )

    def courses(self, query: CourseQuery | None = None) -> CoursePage:
        """Return a page of the courses, groups and users that a query finds; without one, the first page of all."""
        with self._looking() as (connection, _, _):
            return list_courses(connection, query or CourseQuery(), now=self.clock())

    def course(self, context: str) -> CourseView | None:
        """Return one course, group or user, such as ``course:101``; ``None`` if it is unknown."""
        with self._looking() as (connection, runs, taken_at):
            return read_course(connection, context, runs, now=self.clock(), taken_at=taken_at)

    def holding(self, context: str) -> Holding | None:
        """Return the copies of a context as the archive was read, without the listing; ``None`` if it has none."""
        with self._looking() as (connection, _, _):
            return stored_holding(connection, context)

    def terms(self) -> tuple[str, ...]:
        """Return the terms of courses, to choose from."""
        with self._looking() as (connection, _, _):
            return list_terms(connection)

    def accounts(self) -> tuple[int, ...]:
        """Return the numbers of accounts of courses, to choose from."""
        with self._looking() as (connection, _, _):
            return list_accounts(connection)

    @contextmanager
    def _looking(self) -> Iterator[tuple[sqlite3.Connection, str, datetime]]:
        with reading(self.path) as connection:
            row = connection.execute("SELECT taken, runs FROM snapshot").fetchone()
            taken_at = datetime.fromtimestamp(row["taken"], timezone.utc)
            yield connection, row["runs"], taken_at
