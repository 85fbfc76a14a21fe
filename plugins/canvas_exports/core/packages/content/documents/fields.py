"""Settings of an item as fields: the known ones in a fixed order, then what else the package says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from canvas_exports.core.packages.content.model import Field
from canvas_exports.core.packages.content.xml_tree import Element
from canvas_exports.foreign_text import harmless

_LABELS: Mapping[str, str] = {
    "points_possible": "Points",
    "grading_type": "Grading",
    "submission_types": "Submission",
    "assignment_group": "Assignment group",
    "rubric": "Rubric",
    "due_at": "Due",
    "unlock_at": "Available from",
    "lock_at": "Available until",
    "delayed_post_at": "Posts at",
    "posted_at": "Posted",
    "all_day_date": "Day",
    "start_at": "Starts",
    "end_at": "Ends",
    "location_name": "Place",
    "location_address": "Address",
    "quiz_type": "Kind of quiz",
    "allowed_attempts": "Attempts",
    "time_limit": "Minutes",
    "url": "Address",
    "launch_url": "Launch address",
    "workflow_state": "State",
    "mastery_points": "Mastery at",
    "todo_date": "To-do date",
}
_MOST = 200
_LONGEST = 4_000

# What links documents of a package to each other, or orders them: nothing that a person set.
_INTERNAL = frozenset(("title", "position", "migration_id", "identifier", "topic_id", "assignment_overrides"))
_INTERNAL_ENDS = ("_identifierref", "_migration_id", "_content_type")


def fields_of(
    *elements: Element | None, without: Iterable[str] = (), more: Mapping[str, str] | None = None
) -> tuple[Field, ...]:
    """Return the simple values in elements as fields; of two with one name, the first.

    Args:
        elements: whose children are values.
        without: names that are shown elsewhere, such as the text of an assignment.
        more: further values by name.
    """
    values = dict(more or {})
    for element in elements:
        for name, value in _values(element):
            values.setdefault(name, value)
    left_out = {*without, *_INTERNAL}
    names = [
        name
        for name in (*_LABELS, *sorted(values.keys() - _LABELS.keys()))
        if values.get(name) and name not in left_out and not name.endswith(_INTERNAL_ENDS)
    ]
    return tuple(Field(name, label(name), harmless(values[name], most=_LONGEST)) for name in names[:_MOST])


def label(name: str) -> str:
    """Return the name of a setting for a person: ``Points``, ``Peer reviews``."""
    words = " ".join(name.replace("_", " ").split())
    return _LABELS.get(name) or harmless(words[:1].upper() + words[1:], most=100)


def _values(element: Element | None) -> Iterator[tuple[str, str]]:
    for child in element.children if element else ():
        if not child.children:
            yield child.name, child.text.strip()
