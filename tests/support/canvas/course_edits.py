"""Edits of a course in the sandbox, each with what a comparison has to tell of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from canvas_sandbox import Sandbox
from canvas_sandbox.content.model import Kind

#: ``kind``, ``title`` and ``what`` of a change.
Told = tuple[str, str, tuple[str, ...]]

COURSE = 101
SYLLABUS = "<p>Read chapter one before the first lecture.</p>"


@dataclass(frozen=True)
class Campus:
    """A course with one item for each edit, and the ids of what it holds by title."""

    canvas: Sandbox
    ids: Mapping[str, int]

    def edit(self, name: str, /, **fields: Any) -> None:
        self.canvas.edit_item(COURSE, self.ids[name], fields)

    def add(self, kind: Kind, **fields: Any) -> int:
        return self.canvas.add_item(COURSE, kind.value, fields)


@dataclass(frozen=True)
class Edit:
    """An edit.

    Attributes:
        told: what a comparison tells of it.
        apply: makes it.
        shown: words that the comparison shows, at the places ``fields`` or ``texts``.
    """

    told: Told
    apply: Callable[[Campus], object]
    shown: tuple[str, ...] = ()


def prepare(canvas: Sandbox) -> Campus:
    """Fill the course: twelve pages in four modules, and one item of each kind that the sandbox does not make by itself."""
    for number in range(4):
        module = canvas.add_item(COURSE, Kind.MODULE.value, {"title": f"Module {number}"})
        for place in range(3):
            title = f"Reading {number}.{place}"
            page = canvas.add_item(
                COURSE,
                Kind.PAGE.value,
                {
                    "title": title,
                    "body": f"The reading number {number} {place} is about cells and their membranes.",
                },
            )
            canvas.add_item(
                COURSE, Kind.MODULE_ITEM.value, {"title": title, "parent": module, "target": page}
            )
    root = canvas.content(COURSE).root
    folder = canvas.add_item(COURSE, Kind.FOLDER.value, {"title": "Maps", "parent": root})
    for title in ("north.pdf", "south.pdf", "east.pdf", "west.pdf", "up.pdf"):
        canvas.add_item(COURSE, Kind.FILE.value, {"title": title, "parent": root, "size": 1000 + len(title)})
    for kind, title in (
        (Kind.TOOL, "Whiteboard"),
        (Kind.OUTCOME, "Can measure"),
        (Kind.RUBRIC, "Lab rubric"),
    ):
        canvas.add_item(COURSE, kind.value, {"title": title, "body": "What it is for."})
    canvas.set_course(COURSE, {"syllabus_body": SYLLABUS, "license": "private"})
    ids = {
        ("line " if item.kind is Kind.MODULE_ITEM else "") + item.title: item.id
        for item in canvas.content(COURSE).items.values()
    }
    return Campus(canvas, {**ids, "folder": folder, "root": root})


def _titled(campus: Campus, kind: Kind, number: int = 0) -> str:
    """The title of an item that the sandbox makes by itself."""
    return list(campus.canvas.content(COURSE).of(kind))[number].title


def edits(campus: Campus) -> dict[str, Edit]:
    """Edits of different items, so that any of them can be made together."""
    quiz, essay, lab, talk = (
        _titled(campus, kind, number)
        for kind, number in ((Kind.QUIZ, 0), (Kind.ASSIGNMENT, 0), (Kind.ASSIGNMENT, 1), (Kind.DISCUSSION, 0))
    )
    content = campus.canvas.content(COURSE)
    questions = [
        {"number": each.number, "text": each.text, "answers": list(each.answers), "points": each.points}
        for each in content.items[campus.ids[quiz]].all_questions
    ]
    changed = [{**questions[0], "text": "How many cells are there?", "points": 2.0}, *questions[1:]]
    group = next(content.of(Kind.ASSIGNMENT_GROUP)).id

    def add_module(at: Campus) -> None:
        module = at.add(Kind.MODULE, title="Module new")
        at.add(Kind.MODULE_ITEM, title="Reading 3.1", parent=module, target=at.ids["Reading 3.1"])

    return {
        "a page is renamed, with its line": Edit(
            ("page", "Membranes", ("renamed",)),
            lambda at: at.edit("Reading 0.0", title="Membranes"),
            ("Reading 0.0", "Membranes"),
        ),
        "a page is rewritten": Edit(
            ("page", "Reading 0.1", ("changed",)),
            lambda at: at.edit(
                "Reading 0.1", body="The reading number 0 1 is about genes and their membranes."
            ),
            ("cells ", "genes "),
        ),
        "a page is no longer published": Edit(
            ("page", "Reading 0.2", ("unpublished",)),
            lambda at: at.edit("Reading 0.2", settings={"workflow_state": "unpublished"}),
            ("yes", "no"),
        ),
        "a page is removed, with its line": Edit(
            ("page", "Reading 1.0", ("removed",)),
            lambda at: at.canvas.remove_item(COURSE, at.ids["Reading 1.0"]),
        ),
        "a page links to a file": Edit(
            ("page", "Reading 1.1", ("changed",)),
            lambda at: at.edit("Reading 1.1", links=[at.ids["up.pdf"]]),
            ("up.pdf",),
        ),
        "a page is added": Edit(
            ("page", "Brand new", ("added",)),
            lambda at: at.add(Kind.PAGE, title="Brand new", body="Something else."),
        ),
        "an assignment is due later": Edit(
            ("assignment", essay, ("changed",)),
            lambda at: at.edit(essay, settings={"due_at": "2026-12-04T22:59:00", "points_possible": "12.5"}),
            ("2026-12-04T22:59:00", "10.0", "12.5"),
        ),
        "an assignment is rewritten and renamed": Edit(
            ("assignment", "Field report", ("renamed", "changed")),
            lambda at: at.edit(lab, title="Field report", body="Write about the field."),
            (lab, "Field report", "Write about the field."),
        ),
        "an assignment is added": Edit(
            ("assignment", "Oral exam", ("added",)),
            lambda at: at.add(Kind.ASSIGNMENT, title="Oral exam", parent=group),
        ),
        "a question is rewritten and worth more": Edit(
            ("quiz", quiz, ("changed",)),
            lambda at: at.edit(quiz, questions=changed),
            ("How many cells are there?", "1", "2"),
        ),
        "a discussion is rewritten": Edit(
            ("discussion", talk, ("changed",)),
            lambda at: at.edit(talk, body="Say who you are."),
            ("Say who you are.",),
        ),
        "an announcement is delayed": Edit(
            ("announcement", "Welcome to the course", ("changed",)),
            lambda at: at.edit("Welcome to the course", settings={"delayed_post_at": "2026-12-01T08:00:00"}),
            ("2026-12-01T08:00:00",),
        ),
        "an event is moved to another day": Edit(
            ("event", "Guest lecture", ("changed",)),
            lambda at: at.edit(
                "Guest lecture", settings={"start_at": "2026-12-03T10:00:00", "location_name": "Hall 2"}
            ),
            ("2026-12-03T10:00:00", "Hall 2"),
        ),
        "a rubric is worth more": Edit(
            ("rubric", "Lab rubric", ("changed",)),
            lambda at: at.edit("Lab rubric", settings={"points_possible": "15"}),
            ("15",),
        ),
        "a rubric is removed": Edit(
            ("rubric", "Essay rubric", ("removed",)),
            lambda at: at.canvas.remove_item(COURSE, at.ids["Essay rubric"]),
        ),
        "an outcome is renamed": Edit(
            ("outcome", "Can weigh", ("renamed",)), lambda at: at.edit("Can measure", title="Can weigh")
        ),
        "a tool has another address": Edit(
            ("external_tool", "Whiteboard", ("changed",)),
            lambda at: at.edit("Whiteboard", settings={"launch_url": "https://board.example.org/start"}),
            ("https://board.example.org/start",),
        ),
        "a tool is added": Edit(
            ("external_tool", "Poll", ("added",)), lambda at: at.add(Kind.TOOL, title="Poll")
        ),
        "a file is renamed": Edit(
            ("file", "north pole.pdf", ("renamed",)), lambda at: at.edit("north.pdf", title="north pole.pdf")
        ),
        "a file is moved": Edit(
            ("file", "south.pdf", ("moved",)),
            lambda at: at.edit("south.pdf", parent=at.ids["folder"]),
            ("Maps",),
        ),
        "a file is uploaded again": Edit(
            ("file", "east.pdf", ("changed",)), lambda at: at.edit("east.pdf", version=1)
        ),
        "a file is locked": Edit(
            ("file", "up.pdf", ("unpublished",)), lambda at: at.edit("up.pdf", locked=True)
        ),
        "a file is removed": Edit(
            ("file", "west.pdf", ("removed",)), lambda at: at.canvas.remove_item(COURSE, at.ids["west.pdf"])
        ),
        "a module is renamed": Edit(
            ("module", "First steps", ("renamed",)), lambda at: at.edit("Module 0", title="First steps")
        ),
        "a module is no longer published": Edit(
            ("module", "Module 1", ("unpublished",)),
            lambda at: at.edit("Module 1", settings={"workflow_state": "unpublished"}),
        ),
        "a module is removed, with its lines": Edit(
            ("module", "Module 2", ("removed",)), lambda at: at.canvas.remove_item(COURSE, at.ids["Module 2"])
        ),
        "a module becomes the first": Edit(
            ("module", "Module 3", ("moved",)), lambda at: at.canvas.move_item(COURSE, at.ids["Module 3"], 0)
        ),
        "a module is added, with a line": Edit(("module", "Module new", ("added",)), add_module),
        "a line becomes the last of its module": Edit(
            ("module_item", "Reading 3.0", ("moved",)),
            lambda at: at.canvas.move_item(COURSE, at.ids["line Reading 3.0"], 2),
        ),
        "a line is moved to another module": Edit(
            ("module_item", "Reading 1.2", ("moved",)),
            lambda at: at.canvas.move_item(COURSE, at.ids["line Reading 1.2"], 0, at.ids["Start here"]),
            ("Module 1", "Start here"),
        ),
        "a line is removed": Edit(
            ("module_item", "Reading 3.2", ("removed",)),
            lambda at: at.canvas.remove_item(COURSE, at.ids["line Reading 3.2"]),
        ),
        "the syllabus is rewritten": Edit(
            ("syllabus", "Syllabus", ("changed",)),
            lambda at: at.canvas.set_course(COURSE, {"syllabus_body": SYLLABUS.replace("one", "two")}),
            ("one ", "two "),
        ),
        "a setting of the course is changed": Edit(
            ("settings", "Course settings", ("changed",)),
            lambda at: at.canvas.set_course(COURSE, {"license": "cc_by"}),
            ("private", "cc_by"),
        ),
    }
