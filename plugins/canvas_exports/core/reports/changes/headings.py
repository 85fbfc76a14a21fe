"""The names of the kinds of items, as headings."""

from __future__ import annotations

_HEADINGS = {
    "page": "Pages",
    "syllabus": "Syllabus",
    "module": "Modules",
    "module_item": "Items of modules",
    "assignment": "Assignments",
    "discussion": "Discussions",
    "announcement": "Announcements",
    "quiz": "Quizzes",
    "question_bank": "Question banks",
    "file": "Files",
    "web_link": "Web links",
    "external_tool": "External tools",
    "rubric": "Rubrics",
    "outcome": "Outcomes",
    "event": "Events",
    "settings": "Settings of the course",
}


def heading_of(kind: str) -> str:
    """Return the heading of the items of a kind."""
    return _HEADINGS.get(kind, kind)
