"""The changes from one course to another: the one result that text, JSON and HTML show.

Every text in it is plain text from the packages, not HTML, and may hold anything: who shows it escapes it. It never holds a
secret of an external tool, and the key of a quiz only if that was asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from canvas_exports.core.text.wording import format_count

SCHEMA = "urn:canvas-exports:changes:1"

#: Kinds beside those of ``ItemKind``.
MODULE, MODULE_ITEM = "module", "module_item"

#: What is shown in place of a value that nobody should read.
HIDDEN = "(hidden)"


class Change(str, Enum):
    """What happened to an item, a question, a line or a part of a line."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    SAME = "same"

    @property
    def mirrored(self) -> Change:
        """Return what it is the other way round."""
        return {Change.ADDED: Change.REMOVED, Change.REMOVED: Change.ADDED}.get(self, self)


@dataclass(frozen=True)
class Piece:
    """A part of a line: in both versions, or only in one."""

    change: Change
    text: str


@dataclass(frozen=True)
class Line:
    """A paragraph, heading, list item or row of a text.

    Attributes:
        change: ``added``, ``removed``, ``changed`` (then with ``pieces`` of all three other kinds), or ``same``: the line before
            or after a change.
        pieces: in order. Long parts that are the same are shortened in their middle.
        left_out: of a ``same`` line without pieces: how many unchanged lines it stands for.
    """

    change: Change
    pieces: tuple[Piece, ...] = ()
    left_out: int = 0


@dataclass(frozen=True)
class TextChange:
    """A text that differs.

    Attributes:
        name: stable: ``text``, ``answers``, ``feedback``, or the caption of a table.
        label: for a person.
        lines: the lines that differ, each with its neighbours.
        is_cut: whether lines are missing from here on, because the change is too large to show.
    """

    name: str
    label: str
    lines: tuple[Line, ...] = ()
    is_cut: bool = False


@dataclass(frozen=True)
class FieldChange:
    """A setting that differs. Empty means that the version does not have it.

    Attributes:
        name: stable: the package's own, such as ``due_at``; or ``title``, ``published``, ``front_page``, ``folder``, ``module``,
            ``position``, ``points``, ``size``.
        label: for a person.
        before: in the first version.
        after: in the second.
    """

    name: str
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class QuestionChange:
    """A question of a quiz or question bank that differs.

    Attributes:
        change: added, removed or changed.
        text: the question in one line, of the later version that has it.
        number: in the second version; of a removed question in the first; from 1.
        fields: with ``position`` if the question was moved among the others.
        texts: of the question, its answers and, if asked for, its key.
        is_key_changed: whether the answer key differs, though it is not shown.
    """

    change: Change
    text: str
    number: int
    fields: tuple[FieldChange, ...] = ()
    texts: tuple[TextChange, ...] = ()
    is_key_changed: bool = False


@dataclass(frozen=True)
class ItemChange:
    """An item, a module, or a line of a module that differs.

    Attributes:
        change: added, removed or changed.
        kind: a value of ``ItemKind``, or ``module`` or ``module_item``.
        title: of the later version that has it.
        before: identifier in the first version; ``""`` if it was not there.
        after: identifier in the second version; ``""`` if it is gone.
        place: the folder of a file, the module of a line, the modules that lead to an item; ``""`` if there is none.
        fields: its settings, with ``title`` if it was renamed and ``folder``, ``module`` or ``position`` if it was moved.
        texts: its texts.
        questions: of a quiz or question bank.
        questions_left_out: how many further questions differ, too many to list.
        links_added: addresses that only the second version leads to.
        links_removed: addresses that only the first version leads to.
        is_content_changed: of a file, whether its bytes differ.
        is_format_changed: whether only the format of its text differs, such as bold or colours.
        problem: why it could not be compared, or not wholly, in one sentence; else ``""``.
    """

    change: Change
    kind: str
    title: str
    before: str = ""
    after: str = ""
    place: str = ""
    fields: tuple[FieldChange, ...] = ()
    texts: tuple[TextChange, ...] = ()
    questions: tuple[QuestionChange, ...] = ()
    questions_left_out: int = 0
    links_added: tuple[str, ...] = ()
    links_removed: tuple[str, ...] = ()
    is_content_changed: bool = False
    is_format_changed: bool = False
    problem: str = ""

    @property
    def what(self) -> tuple[str, ...]:
        """Return what happened, in words: ``added``, ``removed``, or those of renamed, moved, published and changed that apply."""
        if self.change is not Change.CHANGED:
            return (self.change.value,)
        names = {field.name: field for field in self.fields}
        words = []
        if "title" in names:
            words.append("renamed")
        if names.keys() & _PLACES:
            words.append("moved")
        if "published" in names:
            words.append("published" if names["published"].after == "yes" else "unpublished")
        if names.keys() - _PLACES - {"title", "published"} or self._is_edited:
            words.append("changed")
        return tuple(words)

    @property
    def is_empty(self) -> bool:
        """Return whether nothing differs."""
        return self.change is Change.CHANGED and not (self.fields or self._is_edited)

    @property
    def _is_edited(self) -> bool:
        return bool(
            self.texts
            or self.questions
            or self.questions_left_out
            or self.links_added
            or self.links_removed
            or self.is_content_changed
            or self.is_format_changed
            or self.problem
        )


@dataclass(frozen=True)
class CourseChanges:
    """The changes from one course, or copy of a course, to another.

    Attributes:
        changes: by kind, then in the order of the course.
        left_out: how many further changes there are, too many to list.
        unread: how many documents were not compared, too many to read.
    """

    changes: tuple[ItemChange, ...] = ()
    left_out: int = 0
    unread: int = 0

    @property
    def is_same(self) -> bool:
        """Return whether nothing was found to differ."""
        return not (self.changes or self.left_out)

    @property
    def summary(self) -> str:
        """Return the changes in one line, such as ``1 page added, 2 assignments changed``."""
        parts = [
            f"{count_of(kind, number)} {word}" for (kind, word), number in _counted(self.changes).items()
        ]
        if self.left_out:
            parts.append(f"{self.left_out:,} more")
        return ", ".join(parts) or "nothing changed"

    def to_json(self) -> dict[str, Any]:
        """Return the changes as JSON data; see ``changes-1.schema.json``."""
        return {
            "schema": SCHEMA,
            "same": self.is_same,
            "summary": self.summary,
            "changes": [{"what": list(each.what), **asdict(each)} for each in self.changes],
            "left_out": self.left_out,
            "unread": self.unread,
        }


def count_of(kind: str, number: int) -> str:
    """Return a number of items of a kind as a person says it: ``2 quizzes``, ``the syllabus``."""
    if number == 1 and kind in _ONLY:
        return _ONLY[kind]
    if kind == "quiz" and number != 1:
        return f"{number:,} quizzes"
    return format_count(number, kind.replace("_", " "))


def _counted(changes: Iterable[ItemChange]) -> Counter[tuple[str, str]]:
    return Counter((change.kind, " and ".join(change.what)) for change in changes)


_PLACES = frozenset({"folder", "module", "position"})
_ONLY = {"syllabus": "the syllabus", "settings": "the settings of the course"}
