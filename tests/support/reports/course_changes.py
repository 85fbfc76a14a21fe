"""Changes of a course: one of each kind, with texts that try to be markup."""

from __future__ import annotations

from canvas_exports.core.packages.changes.model import (
    Change,
    CourseChanges,
    FieldChange,
    ItemChange,
    Line,
    Piece,
    QuestionChange,
    TextChange,
)

HOSTILE = "<img src=x onerror=document.title=1></del><script>document.title=1</script>\u202e\x1b[2J"

TEXT = TextChange(
    "text",
    "Text",
    (
        Line(Change.SAME, (Piece(Change.SAME, "Before it"),)),
        Line(
            Change.CHANGED,
            (
                Piece(Change.SAME, "The exam is on "),
                Piece(Change.REMOVED, "Monday"),
                Piece(Change.ADDED, "Tuesday"),
                Piece(Change.SAME, "."),
            ),
        ),
        Line(Change.SAME, left_out=12),
        Line(Change.REMOVED, (Piece(Change.REMOVED, "Gone"),)),
        Line(Change.ADDED, (Piece(Change.ADDED, HOSTILE),)),
    ),
    is_cut=True,
)

CHANGES = CourseChanges(
    (
        ItemChange(Change.ADDED, "page", "New page", "", "p2", place="Week 1"),
        ItemChange(
            Change.CHANGED,
            "page",
            HOSTILE,
            "p1",
            "p1",
            fields=(
                FieldChange("title", "Title", "Welcome", HOSTILE),
                FieldChange("due_at", "Due", "2026-11-23", ""),
            ),
            texts=(TEXT,),
            links_added=("https://example.org/new",),
            links_removed=("javascript:alert(1)",),
        ),
        ItemChange(
            Change.CHANGED,
            "quiz",
            "Quiz",
            "z1",
            "z1",
            questions=(
                QuestionChange(Change.CHANGED, "Why?", 1, texts=(TEXT,), is_key_changed=True),
                QuestionChange(Change.REMOVED, HOSTILE, 2),
            ),
        ),
        ItemChange(Change.REMOVED, "file", "map.pdf", "f1", "", place="/"),
        ItemChange(Change.CHANGED, "file", "film.mp4", "f2", "f2", place="/", is_content_changed=True),
        ItemChange(Change.CHANGED, "event", "Lecture", "e1", "e1", is_format_changed=True),
        ItemChange(Change.CHANGED, "rubric", "", "r1", "r1", problem="the package does not hold it"),
    ),
    left_out=3,
    unread=1,
)
