"""The items of a course, and the identifiers that Canvas gives them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from xml.sax.saxutils import escape


class Kind(str, Enum):
    """A type of content; the value is the collection name that ``select`` and ``content_list`` use."""

    FOLDER = "folders"
    FILE = "attachments"
    PAGE = "wiki_pages"
    ASSIGNMENT = "assignments"
    ASSIGNMENT_GROUP = "assignment_groups"
    QUIZ = "quizzes"
    DISCUSSION = "discussion_topics"
    ANNOUNCEMENT = "announcements"
    EVENT = "calendar_events"
    RUBRIC = "rubrics"
    OUTCOME = "learning_outcomes"
    TOOL = "context_external_tools"
    MODULE = "context_modules"
    MODULE_ITEM = "content_tags"
    BANK = "assessment_question_banks"
    GRADING_STANDARD = "grading_standards"

    @property
    def asset(self) -> str:
        """First half of an asset string, such as ``wiki_page_12``."""
        special = {Kind.QUIZ: "quiz", Kind.ANNOUNCEMENT: "discussion_topic"}
        return special.get(self, self.value[:-1])


@dataclass(frozen=True)
class Question:
    """A question of a quiz: its number within the quiz, its text, its answers and which of them is correct.

    ``type`` is Canvas's question type, without ``_question``: ``multiple_choice``, ``true_false``, ``short_answer`` (every
    answer is accepted) or ``essay`` (without answers).
    """

    number: int
    text: str
    answers: tuple[str, ...] = ("True", "False")
    correct: int = 0
    points: float = 1.0
    type: str = "multiple_choice"


@dataclass(frozen=True)
class Criterion:
    """A criterion of a rubric. ``ratings`` are descriptions with points, the best one first."""

    text: str
    ratings: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Item:
    """One item. ``links`` are ids of files its text refers to; ``parent`` is a file's folder or a module item's module.

    ``target`` is what a module item points at, ``size`` a file's bytes; ``locked`` files are for teachers only.
    ``migration_id`` is the original identifier of an imported item; its ``body`` is HTML, that of others plain text. A New
    Quiz is an assignment to Canvas; its questions are in the New Quizzes service. ``settings`` are elements of its settings
    beside or instead of the usual ones; ``questions`` those of an edited quiz or bank; ``version`` counts the uploads of a
    file. ``html`` is a text with marks and links, instead of ``body``; ``criteria`` are those of a rubric; a file with a
    ``picture`` is the picture of that name. ``overrides`` are due dates of an assignment for some students; ``usage_rights``
    is the licence of a file, ``captions`` are the languages of its captions.
    """

    kind: Kind
    id: int
    title: str
    body: str = ""
    links: tuple[int, ...] = ()
    parent: int | None = None
    target: int | None = None
    size: int = 0
    locked: bool = False
    migration_id: str = ""
    is_new_quiz: bool = False
    settings: tuple[tuple[str, str], ...] = ()
    questions: tuple[Question, ...] = ()
    version: int = 0
    html: str = ""
    criteria: tuple[Criterion, ...] = ()
    picture: str = ""
    overrides: tuple[str, ...] = ()
    usage_rights: str = ""
    captions: tuple[str, ...] = ()

    @property
    def asset_string(self) -> str:
        """Type and id, such as ``wiki_page_12``."""
        return f"{self.kind.asset}_{self.id}"

    @property
    def key(self) -> str:
        """Return the identifier in a package, the same in every export."""
        return self.migration_id or create_key(self.asset_string)

    @property
    def all_questions(self) -> tuple[Question, ...]:
        """Return the questions of a quiz; unless it was edited, the first three sentences of its text."""
        sentences = enumerate(self.body.split(". ")[:3], start=1)
        return self.questions or tuple(Question(number, f"{text}.") for number, text in sentences)

    @property
    def text(self) -> str:
        """Return the text as HTML; a plain one is a paragraph."""
        return self.html or f"<p>{escape(self.body)}</p>"

    @property
    def slug(self) -> str:
        """Return the title as it appears in file names."""
        return slug(self.title)


@dataclass(frozen=True)
class Content:
    """Content of a context, by id. The folder ``root`` contains all others; ``settings`` are those of the course itself.

    Two settings have documents of their own: ``syllabus_body``, and ``late_policy``, the percentage deducted each day.
    """

    root: int
    items: dict[int, Item] = field(default_factory=dict)
    settings: tuple[tuple[str, str], ...] = ()

    def of(self, kind: Kind) -> Iterator[Item]:
        """Return the items of one kind, in order of id."""
        return (item for item in self.items.values() if item.kind is kind)

    def path(self, item: Item) -> str:
        """Return the path of a file or folder below the root folder."""
        names = [item.title]
        while item.parent is not None and item.parent != self.root:
            item = self.items[item.parent]
            names.append(item.title)
        return "/".join(reversed(names))

    def without_locked(self) -> Content:
        """Return the content that a student may have."""
        kept = {key: item for key, item in self.items.items() if not item.locked}
        return Content(self.root, kept, self.settings)


def create_key(asset_string: str, prefix: str = "") -> str:
    """Return Canvas's stable package identifier of an object."""
    return "g" + hashlib.md5((prefix + asset_string).encode(), usedforsecurity=False).hexdigest()


def slug(text: str) -> str:
    """Return lower case, with every run of characters other than letters and digits as a hyphen."""
    return "-".join("".join(sign if sign.isalnum() else " " for sign in text.lower()).split())
