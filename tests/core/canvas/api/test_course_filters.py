from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.canvas.api.course_filters import CourseFilters, split_by_term
from canvas_exports.errors import InputError


def sent(**filters: Any) -> list[tuple[str, str]]:
    return list(CourseFilters.build(filters).pairs())


def test_without_filters_nothing_is_sent() -> None:
    assert sent() == []
    assert sent(published=None, state=None) == []


@pytest.mark.parametrize("state", ["created", "claimed", "available", "completed", "deleted", "all"])
def test_states_go_as_an_array_even_when_one_is_written(state: str) -> None:
    assert sent(state=state) == [("state[]", state)]
    assert sent(state=[state, "available"]) == [("state[]", state), ("state[]", "available")]


@pytest.mark.parametrize(
    "flag", ["published", "completed", "with_enrollments", "blueprint", "blueprint_associated", "public"]
)
def test_flags_have_three_states(flag: str) -> None:
    assert sent(**{flag: True}) == [(flag, "true")]
    assert sent(**{flag: False}) == [(flag, "false")]
    assert sent(**{flag: None}) == []


@pytest.mark.parametrize("switch", ["hide_enrollmentless_courses", "homeroom", "include_crosslisted_courses"])
def test_switches_are_sent_only_when_on(switch: str) -> None:
    assert sent(**{switch: True}) == [(switch, "true")]
    assert sent(**{switch: False}) == []


def test_the_other_filters_as_canvas_names_them() -> None:
    assert sent(
        enrollment_type=["teacher", "student"],
        by_teachers=[7, "sis_user_id:T/1"],
        by_subaccounts=["sis_account_id:BIO", 3],
        enrollment_term_id="sis_term_id:2026-W",
        search_term="bio",
        search_by="teacher",
        sort="course_name",
        order="desc",
    ) == [
        ("enrollment_type[]", "teacher"),
        ("enrollment_type[]", "student"),
        ("by_teachers[]", "7"),
        ("by_teachers[]", "sis_user_id:T/1"),
        ("by_subaccounts[]", "sis_account_id:BIO"),
        ("by_subaccounts[]", "3"),
        ("enrollment_term_id", "sis_term_id:2026-W"),
        ("search_term", "bio"),
        ("search_by", "teacher"),
        ("sort", "course_name"),
        ("order", "desc"),
    ]


@pytest.mark.parametrize("term", [12, "12", "default", "current", "sis_term_id:x", "sis_integration_id:y"])
def test_terms_are_named_in_every_way_canvas_knows(term: Any) -> None:
    assert sent(enrollment_term_id=term) == [("enrollment_term_id", str(term))]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-09-01", "2026-09-01T00:00:00Z"),
        (date(2026, 9, 1), "2026-09-01T00:00:00Z"),
        ("2026-09-01T08:00:00Z", "2026-09-01T08:00:00Z"),
        ("2026-09-01T08:00:00+02:00", "2026-09-01T06:00:00Z"),
        (datetime(2026, 9, 1, 8, tzinfo=timezone(timedelta(hours=2))), "2026-09-01T06:00:00Z"),
    ],
)
@pytest.mark.parametrize("name", ["starts_before", "ends_after"])
def test_times_go_in_utc(name: str, written: Any, meant: str) -> None:
    assert sent(**{name: written}) == [(name, meant)]


@pytest.mark.parametrize(
    ("filters", "field", "says"),
    [
        ({"states": ["all"]}, "filters", "enrollment_term_id"),
        ({"state": ["unpublished"]}, "state", "available"),
        ({"enrollment_type": "teachers"}, "enrollment_type", "observer"),
        ({"published": "yes"}, "published", "true, false"),
        ({"homeroom": "x"}, "homeroom", "true, false"),
        ({"by_teachers": ["sis_course_id:1"]}, "by_teachers", "sis_user_id:..."),
        ({"by_subaccounts": ["faculty"]}, "by_subaccounts", "sis_account_id:..."),
        ({"enrollment_term_id": "winter"}, "enrollment_term_id", "sis_term_id:..."),
        ({"search_term": "x"}, "search_term", "2 characters"),
        ({"search_term": "x" * 256}, "search_term", "255 characters"),
        ({"by_teachers": ["sis_user_id:" + "x" * 256]}, "by_teachers", "sis_user_id:..."),
        ({"search_by": "teacher"}, "search_by", "search_term"),
        ({"search_by": "id", "search_term": "bio"}, "search_by", "teacher"),
        ({"sort": "name"}, "sort", "course_name"),
        ({"order": "desc"}, "order", "sort"),
        ({"sort": "term", "order": "down"}, "order", "asc, desc"),
        ({"starts_before": "tomorrow"}, "starts_before", "2026-09-01"),
        (
            {"hide_enrollmentless_courses": True, "with_enrollments": False},
            "hide_enrollmentless_courses",
            "contradicts",
        ),
    ],
)
def test_a_filter_canvas_would_ignore_or_refuse_is_refused_with_what_it_accepts(
    filters: dict[str, Any], field: str, says: str
) -> None:
    with pytest.raises(InputError) as caught:
        CourseFilters.build(filters)
    assert caught.value.field == field
    assert says in str(caught.value)


def test_a_single_value_for_a_list_is_refused_in_code() -> None:
    with pytest.raises(InputError):
        CourseFilters(state="available")  # type: ignore[arg-type] # what an untyped caller would write


@pytest.mark.parametrize(
    ("terms", "asked"), [([12, "sis_term_id:F"], ["12", "sis_term_id:F"]), (12, ["12"]), (None, [None])]
)
def test_several_terms_are_several_questions(terms: Any, asked: list[str | None]) -> None:
    found = list(split_by_term({"enrollment_term_id": terms, "state": "available"}))
    assert [each.enrollment_term_id for each in found] == asked
    assert {each.state for each in found} == {("available",)}


ids = st.lists(
    st.integers(1, 10**17).map(str)
    | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).map("sis_user_id:x{}".format)
)


@given(teachers=ids, accounts=st.lists(st.integers(1, 10**17).map(str)), room=st.integers(0, 1000))
def test_parts_of_long_filters_hold_every_pair_and_are_short(
    teachers: list[str], accounts: list[str], room: int
) -> None:
    filters = CourseFilters(by_teachers=tuple(teachers), by_subaccounts=tuple(accounts), published=True)
    parts = list(filters.split_to_fit(room))
    pairs = {
        (teacher, account)
        for part in parts
        for teacher in part.by_teachers or ("",)
        for account in part.by_subaccounts or ("",)
    }
    assert pairs == {(teacher, account) for teacher in teachers or [""] for account in accounts or [""]}
    for part in parts:
        single = len(part.by_teachers) <= 1 and len(part.by_subaccounts) <= 1
        longest = max((len(urlencode([("by_teachers[]", each)])) for each in part.by_teachers), default=0)
        both = [*(("by_teachers[]", each) for each in part.by_teachers)]
        both += [("by_subaccounts[]", each) for each in part.by_subaccounts]
        assert single or len(urlencode(both)) <= room + longest + 60
        assert part.without_lists() == filters.without_lists()


def test_short_filters_are_one_question() -> None:
    filters = CourseFilters(by_teachers=("7", "8"), by_subaccounts=("1",))
    assert list(filters.split_to_fit(800)) == [filters]
