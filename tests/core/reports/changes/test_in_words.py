"""What changed from one copy to the next, in one line, from their manifests."""

from __future__ import annotations

import pytest

from canvas_exports.core.reports.changes.in_words import change_in_words


@pytest.mark.parametrize(
    ("before", "after", "more_bytes", "said"),
    [
        ({"pages": 3}, {"pages": 5}, 0, "2 pages more"),
        (
            {"pages": 3, "quizzes": 2},
            {"pages": 2, "quizzes": 3},
            -3_100_000,
            "1 page fewer, 1 quiz more, 3.1 MB less",
        ),
        ({"pages": 3}, {"pages": 3}, 80, "the content changed"),
        ({"pages": 3}, {"pages": 3, "questions": 900}, 0, "the content changed"),
        ({"files": 2_000}, {"files": 0}, 0, "2,000 files fewer"),
        ({"members": 3, "findings": 1}, {"members": 4, "findings": 0}, 0, "the content changed"),
    ],
)
def test_counts_that_both_manifests_have_are_told(
    before: dict[str, int], after: dict[str, int], more_bytes: int, said: str
) -> None:
    assert change_in_words(before, after, more_bytes=more_bytes) == said


def test_copies_of_equal_content_changed_nothing() -> None:
    assert change_in_words({"pages": 1}, {"pages": 2}, is_same=True) == "nothing changed"
