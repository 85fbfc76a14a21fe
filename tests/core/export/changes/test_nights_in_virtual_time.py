"""Nights of a small campus in virtual time, as ``python -m benchmarks.night`` prints them for a large one: counts, not times."""

from __future__ import annotations

from typing import Any

import pytest
from benchmarks.campus import Campus
from benchmarks.virtual_night import changed_nights

COURSES, CONCLUDED, EDITED = 60, 24, 6
MOST_PROBES = 0.3  # requests for a course that has not changed


@pytest.fixture(scope="module")
def nights() -> dict[str, dict[str, Any]]:
    return changed_nights(Campus(courses=COURSES, median=86.0), concluded=CONCLUDED)


def test_the_first_night_exports_everything(nights: dict[str, dict[str, Any]]) -> None:
    assert (nights["first"]["exports"], nights["first"]["skipped"]) == (COURSES, None)


def test_a_night_exports_what_has_changed_and_nothing_else(nights: dict[str, dict[str, Any]]) -> None:
    second = nights["second"]
    assert (second["exports"], second["skipped"]) == (EDITED, COURSES - EDITED)
    assert (second["left_out"], second["needless"]) == (0, 0)
    assert second["probes"] <= MOST_PROBES


def test_some_exports_of_a_week_are_due_and_a_sis_import_leaves_the_concluded_courses(
    nights: dict[str, dict[str, Any]],
) -> None:
    assert nights["week"]["left_out"] == 0
    assert 0 < nights["week"]["needless"] < COURSES / 2
    sis = nights["sis"]
    assert (sis["left_out"], sis["needless"]) == (0, 0)
    assert COURSES - CONCLUDED <= sis["exports"] < COURSES


def test_nothing_is_refused_beside_a_second_client(nights: dict[str, dict[str, Any]]) -> None:
    for row in nights.values():
        assert (row["refusals"], row["refusals_of_the_second_client"]) == (0, 0)
