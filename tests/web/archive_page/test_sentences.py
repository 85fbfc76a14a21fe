"""What figures of an archive say in sentences."""

from __future__ import annotations

import pytest

from canvas_exports.core.reports.overview.figures import CourseState, Problem
from canvas_exports.web.archive_page.sentences import problem_sentence


@pytest.mark.parametrize(
    ("why", "reason", "told"),
    [
        (
            "the archive holds no copy",
            "no progress for 1 h",
            "The archive holds no copy: no progress for 1 h",
        ),
        ("1 file missing", None, "1 file missing"),
        ("2 files missing", "2 files missing", "2 files missing"),
        ("courses/107/a.imscc was found damaged", None, "courses/107/a.imscc was found damaged"),
    ],
)
def test_a_problem_says_what_is_missing_and_why(why: str, reason: str | None, told: str) -> None:
    problem = Problem("course:1", None, None, CourseState.MISSING, why, reason=reason)
    assert problem_sentence(problem) == told
