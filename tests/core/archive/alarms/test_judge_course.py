"""Alarms of a course come from its manifests alone: each loss once, on the night it happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.support.archives.alarms import FULL, NOTHING, copies

from canvas_exports.core.archive.alarms.judge_course import KINDS, judge_course
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.model.alarm import AlarmCode
from canvas_exports.core.packages.proof import Verdict

HALF = {name: number // 2 for name, number in FULL.items()}


def codes(*nights: Mapping[str, int]) -> list[str]:
    return [found.alarm.code for found in judge_course(copies(*nights))]


@pytest.mark.parametrize(
    ("after", "code"),
    [
        (NOTHING, AlarmCode.COURSE_EMPTIED),
        (HALF, AlarmCode.COURSE_SHRANK),
        ({**FULL, "pages": 20}, AlarmCode.COURSE_SHRANK),
        ({**FULL, "quizzes": 0}, AlarmCode.COURSE_SHRANK),
        ({**FULL, "files": 0, "bytes": 1_000_000}, AlarmCode.COURSE_SHRANK),
        ({**FULL, "bytes": 900_000}, AlarmCode.COURSE_SHRANK),
        ({**FULL, "empty_files": 30}, AlarmCode.FILES_EMPTIED),
        ({**FULL, "executables": 1}, AlarmCode.EXECUTABLES_ADDED),
        ({**FULL, "encrypted": 1}, AlarmCode.ENCRYPTED_MEMBERS),
    ],
)
def test_each_disaster_is_an_alarm_that_night(after: Mapping[str, int], code: AlarmCode) -> None:
    (found,) = judge_course(copies(FULL, FULL, after))
    assert found.alarm.code == code.value
    assert found.alarm.scope == "course"
    assert found.alarm.context == "course:101"
    assert found.alarm.name == "BIO-101"


@pytest.mark.parametrize(
    "after",
    [
        {**FULL, "pages": 38, "files": 47},
        {**FULL, "files": 49, "bytes": 4_000_000},  # one large video is gone
        {name: number * 3 for name, number in FULL.items() if name not in ("executables", "encrypted")},
        {name: int(number * 0.7) for name, number in FULL.items()},
    ],
)
def test_edits_imports_and_clean_ups_are_none(after: Mapping[str, int]) -> None:
    assert codes(FULL, FULL, after) == []


def test_the_evidence_has_the_numbers_the_copies_and_since_when() -> None:
    listed = copies(FULL, {**FULL, "pages": 20, "quizzes": 0})
    (found,) = judge_course(listed)
    assert found.after == listed[1]
    assert found.before == (listed[0],)
    assert found.alarm.evidence == {
        "export_type": "common_cartridge",
        "since": "2026-11-01T02:00:00Z",
        "at": "2026-11-02T02:00:00Z",
        "before": {"pages": 40, "quizzes": 10},
        "after": {"pages": 20, "quizzes": 0},
        "before_copy": listed[0].key,
        "after_copy": listed[1].key,
    }
    assert "20 of 40 pages and 0 of 10 quizzes are left" in found.alarm.sentence


def test_a_loss_is_one_alarm_not_one_a_night() -> None:
    assert codes(FULL, FULL, HALF, HALF, {**HALF, "pages": 21}, HALF) == ["course_shrank"]


def test_a_loss_in_several_nights_is_told_when_it_is_large() -> None:
    nights = [{**FULL, "pages": pages} for pages in (40, 29, 20, 13, 9)]
    assert codes(*nights) == ["course_shrank"]
    (found,) = judge_course(copies(*nights))
    assert found.alarm.evidence["before"] == {"pages": 40}


def test_programs_that_were_added_meanwhile_hide_no_loss_in_several_nights() -> None:
    nights = [{**FULL, "pages": pages, "executables": int(pages < 40)} for pages in (40, 24, 15, 10)]
    assert codes(*nights) == ["executables_added", "course_shrank"]


def test_a_slow_loss_over_months_is_none() -> None:
    listed = copies(*({**FULL, "pages": pages} for pages in (40, 29, 20, 13, 9)))
    apart = [
        replace(
            copy, export=replace(copy.export, created_at=copy.export.created_at + timedelta(days=30 * at))
        )
        for at, copy in enumerate(listed)
    ]
    assert judge_course(apart) == []


def test_a_number_that_was_not_counted_before_is_not_judged() -> None:
    older = {name: number for name, number in FULL.items() if name not in ("executables", "encrypted")}
    assert codes(older, {**FULL, "executables": 4, "encrypted": 1}) == []


def test_a_course_with_programs_may_have_some_more() -> None:
    some_programs = {**FULL, "executables": 6}
    assert codes(some_programs, {**FULL, "executables": 9}) == []
    assert codes(some_programs, {**FULL, "executables": 15}) == ["executables_added"]


def test_a_copy_that_is_not_proven_is_not_the_only_one_that_is_held() -> None:
    listed = copies(FULL, FULL, NOTHING)
    listed[1] = replace(listed[1], verdict=Verdict.INCOMPLETE)
    (found,) = judge_course(listed)
    assert found.before == (listed[1], listed[0])


def test_export_types_and_selections_are_not_compared_with_each_other() -> None:
    whole, empty = copies(FULL, NOTHING)
    other = replace(empty, export=replace(empty.export, type="qti"))
    selected = replace(empty, export=replace(empty.export, select={"pages": [1]}))
    assert judge_course([whole, other, selected]) == []


def test_an_unchanged_course_gives_the_newest_copy_that_names_the_package() -> None:
    first, last = copies(FULL, NOTHING)
    confirmed = replace(
        first, key="courses/101/later.json", confirmed_at=first.created_at + timedelta(hours=9)
    )
    (found,) = judge_course([first, confirmed, last])
    assert found.before == (confirmed,)


COUNTS = some.fixed_dictionaries(
    {name: some.integers(0, 60) for name in (*KINDS, "executables", "encrypted")}
)


@given(some.lists(COUNTS, max_size=12))
def test_what_an_alarm_says_never_changes_with_later_copies(nights: list[dict[str, int]]) -> None:
    listed = copies(*nights)
    whole = judge_course(listed)
    for length in range(len(listed) + 1):
        known = {copy.key for copy in listed[:length]}
        assert judge_course(listed[:length]) == [found for found in whole if found.after.key in known]


@given(some.lists(COUNTS, max_size=8))
def test_the_copy_that_alarms_is_never_held_for_its_own_alarm(nights: list[dict[str, int]]) -> None:
    for found in judge_course(copies(*nights)):
        assert found.before
        assert all(_is_before(copy, found.after) for copy in found.before)


def _is_before(copy: Copy, after: Copy) -> bool:
    return copy.created_at < after.created_at and copy.package.key != after.package.key
