"""Find, sort and page the courses of a snapshot, in SQL with bound parameters."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from canvas_exports.core.reports.overview.course_list import (
    MOST_ROWS,
    CoursePage,
    CourseQuery,
    CourseRow,
)
from canvas_exports.core.reports.overview.figures import CourseState
from canvas_exports.core.reports.overview.tables import fitting, to_moment, to_seconds

_MOST_WORDS = 8
_LONGEST_TEXT = 200
_MOST_OFFSET = 10**9
_MOST_CHOICES = 1000

#: What is missed is decided when it is asked: the parameter is the time.
STATE = """
CASE WHEN missing THEN 'missing' WHEN NOT promised THEN 'proven' WHEN due >= :now THEN 'kept' ELSE 'missed' END
"""

#: The columns by which courses can be sorted, and the SQL of each.
COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "number": "id",
        "name": "name COLLATE NOCASE",
        "course_code": "course_code COLLATE NOCASE",
        "sis_id": "sis_id COLLATE NOCASE",
        "account": "account",
        "term": "term COLLATE NOCASE",
        "state": "CASE WHEN missing THEN 0 WHEN NOT promised THEN 3 WHEN due >= :now THEN 2 ELSE 1 END",
        "newest": "newest",
        "proven": "proven",
        "due": "due",
        "copies": "copies",
        "packages": "packages",
        "bytes": "bytes",
        "verified": "verified",
        "drilled": "drilled",
        "held": "held",
    }
)


def list_courses(connection: sqlite3.Connection, query: CourseQuery, *, now: datetime) -> CoursePage:
    """Return a page of the courses that a query finds."""
    limit = min(max(1, query.limit), MOST_ROWS)
    offset = min(max(0, query.offset), _MOST_OFFSET)
    values: dict[str, object] = {"now": to_seconds(now), "limit": limit, "offset": offset}
    where = " AND ".join(_conditions(query, values)) or "1"
    column = COLUMNS.get(query.sort, COLUMNS["number"])
    direction = "DESC" if query.descending else "ASC"
    total = connection.execute(f"SELECT count(*) FROM courses WHERE {where}", values).fetchone()[0]  # noqa: S608 - SQL of ours
    rows = connection.execute(
        f"SELECT *, {STATE} AS state FROM courses WHERE {where} "  # noqa: S608 - SQL of ours, values are bound
        f"ORDER BY ({column}) IS NULL, {column} {direction}, kind, id IS NULL, id, context LIMIT :limit OFFSET :offset",
        values,
    )
    return CoursePage(tuple(map(course_row, rows)), total, offset, limit)


def _conditions(query: CourseQuery, values: dict[str, object]) -> list[str]:
    """Return conditions in SQL, and add the values of their parameters."""
    conditions = []
    for number, word in enumerate(_encodable(query.text[:_LONGEST_TEXT]).casefold().split()[:_MOST_WORDS]):
        values[f"word{number}"] = word
        conditions.append(f"instr(words, :word{number})")
    for name, column in (("term", "coalesce(term, '')"), ("account_id", "account"), ("kind", "kind")):
        value = getattr(query, name)
        value = _encodable(value) if isinstance(value, str) else value
        if value is not None:
            values[name] = str(value) if isinstance(value, int) and fitting(value) is None else value
            conditions.append(f"{column} = :{name}")
    if query.state is not None:
        values["state"] = query.state.value
        conditions.append(f"{STATE} = :state")
    return conditions


def _encodable(text: str) -> str:
    """Return the text without halves of surrogate pairs, which a parameter cannot have."""
    return text.encode(errors="replace").decode()


def course_row(row: sqlite3.Row) -> CourseRow:
    """Return a row of ``courses``, with its ``STATE``."""
    return CourseRow(
        context=row["context"],
        kind=row["kind"],
        number=row["id"],
        name=row["name"],
        course_code=row["course_code"],
        sis_id=row["sis_id"],
        account_id=row["account"],
        term=row["term"],
        state=CourseState(row["state"]),
        why=row["why"],
        newest=to_moment(row["newest"]),
        proven=to_moment(row["proven"]),
        due=to_moment(row["due"]),
        max_age=None if row["max_age"] is None else timedelta(seconds=row["max_age"]),
        copies=row["copies"],
        packages=row["packages"],
        bytes=row["bytes"],
        verified=to_moment(row["verified"]),
        drilled=to_moment(row["drilled"]),
        held=row["held"],
    )


def list_terms(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Return the terms of courses, to choose from."""
    return tuple(_choices(connection, "term"))


def list_accounts(connection: sqlite3.Connection) -> tuple[int, ...]:
    """Return the numbers of accounts of courses, to choose from."""
    return tuple(_choices(connection, "account"))


def _choices(connection: sqlite3.Connection, column: str) -> list[Any]:
    rows = connection.execute(
        f"SELECT DISTINCT {column} FROM courses WHERE {column} IS NOT NULL ORDER BY {column} LIMIT {_MOST_CHOICES}"  # noqa: S608
    )
    return [value for (value,) in rows]
