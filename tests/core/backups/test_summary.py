from __future__ import annotations

from typing import Any

import pytest

from canvas_exports.core.backups.backup import Backup
from canvas_exports.core.backups.summary import summarize


def told(**fields: Any) -> str:
    given: dict[str, Any] = {
        "name": "nightly",
        "file": "include/backups/nightly.yaml",
        "schedule": "0 2 * * *",
        "archive": "s3://campus/canvas",
        "listing": {"courses": [101]},
        **fields,
    }
    return summarize(Backup(**given))


@pytest.mark.parametrize(
    ("limit", "length"), [("P7D", "7 days"), ("{{ var.value.limit }}", "`{{ var.value.limit }}`")]
)
def test_it_says_that_unchanged_courses_are_skipped_and_for_how_long(limit: str, length: str) -> None:
    sentence = f"Each is exported again after {length} at the latest."
    assert sentence in told(settings={"skip_unchanged": limit})
    assert "exported again" not in told(settings={"skip_unchanged": "never"})
    assert "exported again" not in told()


def test_it_says_what_where_when_and_what_counts_as_failure() -> None:
    text = told(
        description="Every course, every night.",
        timezone="America/Chicago",
        listing={
            "account": 1,
            "filters": {"state": ["available"], "public": False, "enrollment_term_id": "current"},
        },
        export_types=("common_cartridge", "qti", "zip"),
        settings={"fail_on": "5%"},
    )
    assert text.splitlines() == [
        "Every course, every night.",
        "",
        (
            "Backs up the courses of account `1` with `state`: `available`; `public`: no; `enrollment_term_id`: `current`. "
            "Of each, it stores a Common Cartridge, its classic quizzes (QTI) and its files (zip) in `s3://campus/canvas`, "
            "proven whole. It runs every day at 02:00 (America/Chicago time), one run at a time. A run fails if more than 5 % of "
            "its exports have no whole copy."
        ),
        "",
        (
            "**After a run**, open its task `report`, the tab *Details*, and the button *Run report*. The page begins with the courses that have "
            "no good copy, and says why and what to do. Its table finds a course by name or id, and shows its batch: the "
            "name of its `export` task in Airflow."
        ),
        "",
        (
            "**To get a course back**, trigger the DAG *Canvas restore*. A backup changes nothing in Canvas, and does not "
            "hold enrolments, submissions and grades."
        ),
        "",
        (
            "The task `list` finds the courses, each mapped task `export` exports a batch of them, and `report` lists the "
            "outcome of every course. This page is generated from `include/backups/nightly.yaml`: change the backup there."
        ),
    ]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"schedule": None}, "It runs only when it is triggered."),
        ({"start_date": "2026-09-01"}, "for the first time on or after 2026-09-01"),
        ({"settings": {"fail_on": "any"}}, "A run fails if any export has no whole copy."),
        ({"settings": {"fail_on": "never"}}, "A run never fails because of a course."),
        (
            {"settings": {"fail_on": "{{ var.value.x }}"}},
            "`{{ var.value.x }}` decides when a run fails.",
        ),
        (
            {"listing": {"courses": [1, 2], "groups": [7], "users": ["self"]}},
            "2 courses, group `7` and user `self`.",
        ),
        (
            {"listing": {"course_list": "/srv/include/courses/pilot.csv"}},
            "the courses listed in `pilot.csv`.",
        ),
        (
            {"listing": {"course_list": "https://host/pilot.csv?sig=secret"}},
            "the courses listed in `pilot.csv`.",
        ),
        ({"listing": {"account": "self"}}, "Backs up the courses of account `self`."),
        ({"options": {"select": {"pages": [1]}}}, "(only the objects that `select` names)"),
    ],
)
def test_it_says_what_is_special(fields: dict[str, Any], said: str) -> None:
    assert said in told(**fields)
