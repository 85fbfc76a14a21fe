"""Read the settings of a course: what its settings documents say, as fields and tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from canvas_exports.core.packages.content.documents.fields import fields_of, label
from canvas_exports.core.packages.content.documents.list_entries import cell
from canvas_exports.core.packages.content.documents.source import DocumentSource
from canvas_exports.core.packages.content.model import Document, Item, Table
from canvas_exports.core.packages.content.xml_tree import Element

FOLDER = "course_settings/"

#: Every document that the settings are read from.
DOCUMENTS = tuple(
    f"{FOLDER}{name}.xml"
    for name in (
        "course_settings",
        "late_policy",
        "context",
        "assignment_groups",
        "grading_standards",
        "nav_menu_links",
        "external_feeds",
    )
)

_MOST_ROWS = 1_000
_MOST_STANDARDS = 50
_LONGEST_JSON = 256 * 1024
# The parts of a course by the numbers that Canvas gives them in its navigation.
_PARTS: Mapping[object, str] = {
    0: "Home",
    1: "Syllabus",
    2: "Pages",
    3: "Assignments",
    4: "Quizzes",
    5: "Grades",
    6: "People",
    7: "Groups",
    8: "Discussions",
    10: "Modules",
    11: "Files",
    12: "Conferences",
    13: "Settings",
    14: "Announcements",
    15: "Outcomes",
    16: "Collaborations",
    17: "Collaborations",
    18: "Rubrics",
    19: "Schedule",
    20: "Course pacing",
}


def read_settings(item: Item, source: DocumentSource) -> Document:
    """Read the settings of the course. A document that cannot be read is a ``problem``, and the others are shown."""
    trees = {name: source.tree(name) for name in DOCUMENTS if source.holds(name)}
    roots = {name.removeprefix(FOLDER).removesuffix(".xml"): tree.root for name, tree in trees.items()}
    empty = Element("", {})
    course, late, context = (roots.get(name, empty) for name in ("course_settings", "late_policy", "context"))
    policies = [child for child in course.children if child.children]
    fields = fields_of(
        course, *policies, late, context, without=("tab_configuration",), more={"name": course.value("title")}
    )
    tables = (
        *_navigation(course.value("tab_configuration")),
        *_groups(roots.get("assignment_groups", empty)),
        *_standards(roots.get("grading_standards", empty)),
        *_list("Links in the course navigation", roots.get("nav_menu_links", empty)),
        *_list("External feeds", roots.get("external_feeds", empty)),
    )
    problem = next((tree.problem for tree in trees.values() if tree.problem), "")
    return replace(Document(item, problem=problem), fields=fields, tables=tables)


def _navigation(text: str) -> Iterator[Table]:
    rows = []
    for tab in _list_in_json(text):
        if isinstance(tab, dict):
            number = tab.get("id")
            name = _PARTS.get(number) if isinstance(number, int) else None
            shown = name or str(tab.get("label") or number)
            rows.append((cell(shown), "hidden" if tab.get("hidden") else "visible"))
    if rows:
        yield Table("Course navigation", ("Part", "Students see it"), tuple(rows[:_MOST_ROWS]))


def _groups(root: Element) -> Iterator[Table]:
    groups = [each for each in root.children if each.name == "assignmentGroup"][:_MOST_ROWS]
    if groups:
        rows = tuple(
            (cell(each.value("title")), _weight(each), cell(", ".join(_rules(each)))) for each in groups
        )
        yield Table("Assignment groups", ("Group", "Weight", "Rules"), rows)


def _weight(group: Element) -> str:
    weight = group.value("group_weight")
    return f"{cell(weight)} %" if weight else ""


def _rules(group: Element) -> Iterator[str]:
    for rule in group.all("rule"):
        count = rule.value("drop_count")
        yield f"{label(rule.value('drop_type')).lower()}{f': {count}' if count else ''}"


def _standards(root: Element) -> Iterator[Table]:
    for standard in list(root.all("gradingStandard"))[:_MOST_STANDARDS]:
        pairs = (each for each in _list_in_json(standard.value("data")) if isinstance(each, list))
        rows = tuple((cell(str(each[0])), _percent(each[1])) for each in pairs if len(each) == 2)  # noqa: PLR2004 - pairs
        if rows:
            title = cell(standard.value("title")) or "Grading scheme"
            yield Table(f"Grading scheme: {title}", ("Grade", "From"), rows[:_MOST_ROWS])


def _percent(share: object) -> str:
    return f"{share * 100:g} %" if isinstance(share, int | float) and 0 <= share <= 1 else cell(str(share))


def _list(caption: str, root: Element) -> Iterator[Table]:
    """Yield a table of a list whose entries are titles and addresses."""
    entries = [each for each in root.children if each.children][:_MOST_ROWS]
    rows = (
        (each.value("title") or each.value("label") or each.value("header_match"), each.value("url"))
        for each in entries
    )
    found = tuple((cell(title), cell(url)) for title, url in rows if title or url)
    if found:
        yield Table(caption, ("Title", "Address"), found)


def _list_in_json(text: str) -> list[Any]:
    if not text or len(text) > _LONGEST_JSON:
        return []
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return found if isinstance(found, list) else []
