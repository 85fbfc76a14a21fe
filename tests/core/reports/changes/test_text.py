"""The changes as text."""

from __future__ import annotations

from tests.support.reports.course_changes import CHANGES

from canvas_exports.core.packages.changes.model import CourseChanges
from canvas_exports.core.reports.changes.text import changes_text


def test_a_changed_line_shows_its_words() -> None:
    lines = list(changes_text(CHANGES))
    assert "        ~ The exam is on [-Monday-]{+Tuesday+}." in [f"  {line}" for line in lines]
    assert any(line.endswith("... 12 unchanged lines") for line in lines)


def test_every_line_can_be_printed_on_a_terminal() -> None:
    assert all(line.isprintable() for line in changes_text(CHANGES))


def test_what_is_missing_is_told() -> None:
    lines = list(changes_text(CHANGES))
    assert "3 further changes not listed" in lines
    assert "1 document not compared: too many differ" in lines
    assert list(changes_text(CourseChanges())) == []
