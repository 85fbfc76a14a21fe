"""Documents to compare, and what a comparison of few of them says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tests.support.packages.contents import MadeContent

from canvas_exports.core.packages.changes.compare import compare_courses
from canvas_exports.core.packages.changes.model import ItemChange
from canvas_exports.core.packages.changes.version import Version
from canvas_exports.core.packages.content.model import (
    Answer,
    Document,
    Field,
    Item,
    ItemKind,
    Module,
    ModuleItem,
    Question,
)

PAGE = Document(Item(ItemKind.PAGE, "p1", "Welcome", "wiki_content/welcome.html"), html="<p>Hello world</p>")
FILE = Document(Item(ItemKind.FILE, "f1", "map.pdf", "web_resources/maps/map.pdf", folder="maps", size=10))
QUIZ = Document(
    Item(ItemKind.QUIZ, "z1", "Test"),
    questions=(
        Question(
            "q1",
            "multiple_choice_question",
            "Question",
            "<p>Why?</p>",
            1.0,
            (Answer("1", "yes", is_correct=True), Answer("2", "no", is_correct=False)),
            ("Well done",),
        ),
        Question(
            "q2",
            "short_answer_question",
            "Question",
            "<p>Who?</p>",
            1.0,
            (Answer("1", "Ada", is_correct=True),),
        ),
        Question("q3", "essay_question", "Question", "<p>How?</p>", 1.0),
    ),
)
TASK = Document(
    Item(ItemKind.ASSIGNMENT, "a1", "Essay", is_published=True),
    fields=(Field("points_possible", "Points", "10.0"), Field("due_at", "Due", "2026-11-23T10:00:00Z")),
)


def changes(before: Iterable[Document], after: Iterable[Document], **options: bool) -> tuple[ItemChange, ...]:
    return compare_courses(
        Version(MadeContent(tuple(before))), Version(MadeContent(tuple(after))), **options
    ).changes


def change(before: Document, after: Document, **options: bool) -> ItemChange:
    (found,) = changes([before], [after], **options)
    return found


def renamed(document: Document, **fields: object) -> Document:
    return replace(document, item=replace(document.item, **fields))  # type: ignore[arg-type]  # fields of Item, by name


def course(*lines: tuple[str, str]) -> tuple[Module, ...]:
    """Modules of lines: of one title and the item's identifier each."""
    found: dict[str, list[ModuleItem]] = {}
    for module, name in lines:
        found.setdefault(module, []).append(
            ModuleItem(f"i-{name}", name, target=replace(PAGE.item, identifier=name))
        )
    return tuple(Module(f"m-{title}", title, tuple(items)) for title, items in found.items())


def pages(*names: str) -> tuple[Document, ...]:
    return tuple(renamed(PAGE, identifier=name, title=name) for name in names)
