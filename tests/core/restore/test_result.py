"""What a result tells, and what it never holds."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.canvas.api.migrations import IssueType, MigrationIssue
from canvas_exports.core.restore.result import (
    MOST_ISSUES,
    RestoreOutcome,
    RestoreResult,
    canvas_text,
    summarize_issues,
)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("The file upload process timed out.", "The file upload process timed out."),
        (
            "Broken link: https://canvas.example.edu/files/7?verifier=secret in a page",
            "Broken link: https://canvas.example.edu/files/7 in a page",
        ),
        ("see http://a/b#access_token=secret.", "see http://a/b"),
        ("ask jane.doe@example.edu about it", "ask (a mail address) about it"),
        ('<a href="https://a/?x=secret">here</a>', "here"),
        ("two\nlines\tand\x1b[31m colours", "two lines and [31m colours"),
        ("", "(no text)"),
    ],
)
def test_what_canvas_says_is_reported_without_links_that_open_doors_or_people(text: str, kept: str) -> None:
    assert canvas_text(text) == kept


@pytest.mark.parametrize("outcome", RestoreOutcome)
def test_every_end_but_restored_says_what_to_do(outcome: RestoreOutcome) -> None:
    assert bool(outcome.next_step) is (outcome is not RestoreOutcome.RESTORED)
    assert not outcome.next_step or outcome.next_step.endswith(".")


@given(st.text())
def test_whatever_canvas_says_is_one_short_printable_line(text: str) -> None:
    line = canvas_text(text)
    assert 0 < len(line) <= 300
    assert line.isprintable()


def test_every_issue_is_counted_and_the_gravest_are_reported() -> None:
    issues = [MigrationIssue(number, IssueType.TODO, "look") for number in range(200)]
    counts, texts = summarize_issues([*issues, MigrationIssue(200, IssueType.ERROR, "a page is lost")])
    assert counts == {"error": 1, "todo": 200}
    assert len(texts) == MOST_ISSUES
    assert texts[:2] == ("error: a page is lost", "todo: look")


@pytest.mark.parametrize(
    ("outcome", "issues", "failed_on"),
    [
        (RestoreOutcome.RESTORED, {}, set()),
        (RestoreOutcome.RESTORED_WITH_ISSUES, {"todo": 1}, {"issues"}),
        (RestoreOutcome.RESTORED_WITH_ISSUES, {"warning": 2, "error": 1}, {"issues", "errors"}),
        (RestoreOutcome.FAILED, {}, {"issues", "errors", "failure"}),
        (RestoreOutcome.STALLED, {}, {"issues", "errors", "failure"}),
    ],
)
def test_each_policy_counts_what_it_says(
    outcome: RestoreOutcome, issues: dict[str, int], failed_on: set[str]
) -> None:
    result = RestoreResult(outcome, "key", 300, issues=issues)
    assert {policy for policy in ("issues", "errors", "failure") if result.is_failure(policy)} == failed_on


def test_a_result_survives_being_written_down() -> None:
    result = RestoreResult(
        RestoreOutcome.RESTORED_WITH_ISSUES,
        "key",
        300,
        9,
        "Canvas noted 1 todo",
        2.5,
        4,
        {"todo": 1},
        ("todo: x",),
    )
    assert RestoreResult.from_json(json.loads(json.dumps(result.to_json()))) == result
