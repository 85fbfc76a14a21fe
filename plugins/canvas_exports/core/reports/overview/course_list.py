"""Find, sort and page the courses of a snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from canvas_exports.core.reports.overview.figures import CourseState

#: The most rows of a page, and how many a query gets that asks for no number.
MOST_ROWS = 500
ROWS = 50


@dataclass(frozen=True)
class CourseQuery:
    """Which courses, in which order. Values out of range are brought into it; an unknown column sorts by number.

    Attributes:
        text: words: each is in the name, course code, SIS id or term; or a number, or ``course:101``. Without regard to case.
        term, account_id, state, kind: only these; ``term=""`` finds courses without one.
        sort: a name of ``COLUMNS``.
        descending: the order. Courses without a value come last in either.
        offset: rows to skip.
        limit: rows of the page, 1 to ``MOST_ROWS``.
    """

    text: str = ""
    term: str | None = None
    account_id: int | None = None
    state: CourseState | None = None
    kind: str | None = None
    sort: str = "number"
    descending: bool = False
    offset: int = 0
    limit: int = ROWS


@dataclass(frozen=True)
class CourseRow:
    """A course, group or user in the list.

    Attributes:
        context: such as ``course:101``; ``course:sis_course_id:BIO-101`` if its number is unknown.
        kind: ``course``, ``group`` or ``user``.
        number: Canvas's; ``None`` if it is unknown.
        name, course_code, sis_id, account_id, term: of the newest copy, or of the run report where there is no copy.
        state: see there.
        why: of ``MISSING``: what the archive has instead, in one sentence.
        newest: when the newest copy was made; ``None`` without one.
        proven: when the newest good copy was made: of several export types, that of the oldest; ``None`` if one has none.
        due: until when the promise is kept by the copies there are; ``None`` without a promise or without a good copy.
        max_age: the shortest promise; ``None`` without one.
        copies, packages: how many.
        bytes: of its packages.
        verified: when the newest verification of any of its packages ended.
        drilled: when the newest restore drill ended.
        held: copies on which a tag is set.
    """

    context: str
    kind: str
    number: int | None
    name: str | None
    course_code: str | None
    sis_id: str | None
    account_id: int | None
    term: str | None
    state: CourseState
    why: str
    newest: datetime | None
    proven: datetime | None
    due: datetime | None
    max_age: timedelta | None
    copies: int
    packages: int
    bytes: int
    verified: datetime | None
    drilled: datetime | None
    held: int


@dataclass(frozen=True)
class CoursePage:
    """Some rows.

    Attributes:
        rows: in order.
        total: number of courses that the query finds.
        offset, limit: as they were used.
    """

    rows: tuple[CourseRow, ...]
    total: int
    offset: int
    limit: int
