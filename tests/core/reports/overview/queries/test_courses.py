"""Courses are found, sorted and paged as a naive search would, whatever is typed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.archives.holdings import manifest
from tests.support.archives.overviews import snapshot_of
from tests.support.archives.random_archives import NOW, Shelf

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.reports.overview.course_list import MOST_ROWS, CourseQuery, CourseRow
from canvas_exports.core.reports.overview.queries.courses import COLUMNS
from canvas_exports.core.reports.overview.snapshot import Snapshot

NAMES = [
    "Biology",
    "100% pure",
    "under_score",
    "back\\slash",
    "Größe",
    "STRASSE",
    'it\'s "quoted"',
    "'; DROP TABLE courses; --",
    "İstanbul",
    "",
]


@pytest.fixture(scope="module")
def snapshot() -> Iterator[Snapshot]:
    shelf = Shelf()
    for number in range(1, 61):
        name = NAMES[number % len(NAMES)]
        facts = {
            "name": name,
            "course_code": f"CODE-{number}",
            "sis_id": None if number % 7 == 0 else f"SIS_{number}%",
            "account_id": number % 3 or None,
            "term": (None, "Fall 2026", "Spring_2027")[number % 3],
        }
        made = manifest(f"course:{number}", export_id=number, facts=facts, day=number % 20)
        shelf.lay(made.package.key, b"a package")
        shelf.lay(manifest_key(made.package.key), made.to_json())
    with snapshot_of(shelf) as found:
        yield found


def everything(snapshot: Snapshot) -> list[CourseRow]:
    return list(snapshot.courses(CourseQuery(limit=MOST_ROWS)).rows)


def text_of(row: CourseRow) -> str:
    known = (row.name, row.course_code, row.sis_id, row.term, row.context)
    return "\n".join(each or "" for each in known).casefold()


TYPED = st.one_of(
    st.sampled_from(
        [*NAMES, "%", "_", "\\", "code-1", "CODE-1 fall", "course:7", "7", "sis_7%", "100%", "strasse"]
    ),
    st.text(max_size=12),
)


@settings(max_examples=150, deadline=None)
@given(TYPED)
def test_each_word_is_found_as_it_is_typed(snapshot: Snapshot, typed: str) -> None:
    words = typed.encode(errors="replace").decode().casefold().split()
    expected = {row.context for row in everything(snapshot) if all(word in text_of(row) for word in words)}
    page = snapshot.courses(CourseQuery(text=typed, limit=MOST_ROWS))
    assert {row.context for row in page.rows} == expected
    assert page.total == len(expected)


@pytest.mark.parametrize("column", [*COLUMNS, "id; DROP TABLE courses", ""])
@pytest.mark.parametrize("descending", [False, True])
def test_pages_hold_each_course_once_and_those_without_a_value_last(
    snapshot: Snapshot, column: str, descending: bool
) -> None:
    rows: list[CourseRow] = []
    for offset in range(0, 60, 7):
        page = snapshot.courses(CourseQuery(sort=column, descending=descending, offset=offset, limit=7))
        assert page.total == 60
        rows += page.rows
    assert sorted(row.context for row in rows) == sorted(row.context for row in everything(snapshot))
    name = {"account": "account_id", "state": "context"}.get(column, column)
    values = [getattr(row, name, None) for row in rows]
    known = [value for value in values if value is not None]
    assert all(value is None for value in values[len(known) :])
    if column in ("number", "copies", "newest", "bytes", "account"):
        assert known == sorted(known, reverse=descending)


@given(st.integers(-(2**70), 2**70), st.integers(-(2**70), 2**70), st.integers(-(2**70), 2**70))
@settings(max_examples=40, deadline=None)
def test_numbers_out_of_range_are_brought_into_it(
    snapshot: Snapshot, offset: int, limit: int, account: int
) -> None:
    page = snapshot.courses(CourseQuery(offset=offset, limit=limit))
    assert page.total == 60
    assert 1 <= page.limit <= MOST_ROWS
    assert len(page.rows) <= page.limit
    found = snapshot.courses(CourseQuery(account_id=account)).rows
    assert all(row.account_id == account for row in found)


def test_terms_and_accounts_are_to_choose_from(snapshot: Snapshot) -> None:
    assert snapshot.terms() == ("Fall 2026", "Spring_2027")
    assert snapshot.accounts() == (1, 2)
    assert snapshot.courses(CourseQuery(term="Spring_2027")).total == 20
    assert snapshot.courses(CourseQuery(term="SpringX2027")).total == 0
    assert snapshot.courses(CourseQuery(term="")).total == 20
    assert snapshot.courses(CourseQuery(account_id=2)).total == 20
    assert snapshot.courses(CourseQuery(kind="group")).total == 0
    assert snapshot.courses(CourseQuery(term="\ud800")).total == 0


def test_a_course_that_is_unknown_has_no_page(snapshot: Snapshot) -> None:
    for context in ("course:999", "course:1 ", "' OR 1=1 --", "", "group:1", "course:" + "9" * 400):
        assert snapshot.course(context) is None
        assert snapshot.holding(context) is None
    found = snapshot.course("course:1")
    assert found is not None
    assert found.taken_at == NOW
    assert found.course.newest == found.copies[0].created_at
    assert NOW - found.copies[0].created_at > timedelta(0)
