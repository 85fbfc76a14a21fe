"""Notice what became much smaller although nothing failed: a course that lost content, a list that lost courses."""

from __future__ import annotations

from collections.abc import Iterable

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.text.wording import format_day

#: A course of fewer items, and a list of fewer exports, may change by half any day.
FEWEST = 10
#: What remains of a course or a list that has shrunk, at most.
COURSE_LEFT, LIST_LEFT = 0.5, 0.8

_ITEMS = ("pages", "assignments", "quizzes", "question_banks", "discussions", "files", "web_links")


def shrunk_course(copies: Iterable[Copy]) -> str:
    """Describe how the newest proven copy is much smaller than the one before it; empty if it is not.

    Args:
        copies: of one export type, oldest first.
    """
    proven = [copy for copy in copies if copy.is_proven][-2:]
    if len(proven) < 2:  # noqa: PLR2004 - a pair
        return ""
    before, after = map(_items, proven)
    if before < FEWEST or after > COURSE_LEFT * before:
        return ""
    return f"{after:,} of {before:,} items are left since the copy of {format_day(proven[0].created_at)}"


def is_shrunk_list(before: int, after: int) -> bool:
    """Return whether a run has much fewer exports than the run before it."""
    return before >= FEWEST and after < LIST_LEFT * before


def _items(copy: Copy) -> int:
    return sum(max(0, copy.counts.get(name, 0)) for name in _ITEMS)
