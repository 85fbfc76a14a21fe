"""Compute the fingerprint of a course: a digest over what ``updated_at`` of the course does not show.

``updated_at`` of a course does not move when assignments are reordered, a module item is deleted, a question of a quiz is
edited, or a rubric. The lists of its contents show that: ids, times, positions, and the text of rubrics, which have no time.
Two fingerprints are equal only if every list has the same objects with the same values. What is in no list (bank questions,
texts of outcomes, captions, usage rights, due dates of sections) changes no fingerprint.

Many courses have more files than fit one page. Their further pages would be most of all requests, and show nothing
that ``updated_at`` of the course does not.

Of discussions, only order and number are compared: a student's reply moves their time, and a teacher's edit the time of the
course. Assignments are asked for in all grading periods; without that argument, Canvas lists those of the current one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from canvas_exports.core.canvas.api.graphql import LARGEST_PAGE, read_legacy_id, read_page
from canvas_exports.core.canvas.http.bounded_values import iso_text

Shape = dict[str, "Shape | None"]
"""The fields that an object must have by name; ``None`` for those of one value, which may be null."""


@dataclass(frozen=True)
class ContentList:
    """A list of a course's contents.

    Attributes:
        name: of the connection in Canvas's GraphQL type ``Course``.
        fields: what is read of each object.
        filter: the argument of that name.
        is_shown: whether ``updated_at`` of the course moves with every edit of these objects. They are read for the sake of
            imports that failed half way, which it does not show, so a list of more than 100 is not read further.
    """

    name: str
    fields: str
    filter: str = ""
    is_shown: bool = False

    def selection(self, after: str | None = None) -> str:
        """Return the GraphQL of one page.

        Args:
            after: the variable that holds the cursor; ``None`` for the first page.
        """
        arguments = [f"first: {LARGEST_PAGE}"]
        arguments += [f"after: ${after}"] if after else []
        arguments += [f"filter: {self.filter}"] if self.filter else []
        page = f"nodes {{ {self.fields} }} pageInfo {{ hasNextPage endCursor }}"
        return f"{self.name}({', '.join(arguments)}) {{ {page} }}"

    @cached_property
    def shape(self) -> Shape:
        """Return the names of ``fields``."""
        return _shape(iter(self.fields.split()))


@dataclass(frozen=True)
class Rules:
    """What a fingerprint is made of. Fingerprints of different versions are never compared."""

    version: int
    lists: tuple[ContentList, ...]


_ASSIGNMENTS = "_id updatedAt position assignmentGroup { _id } submissionTypes"
_UNSEEN = (
    ContentList("modulesConnection", "_id updatedAt position"),
    ContentList("assignmentGroupsConnection", "_id updatedAt position"),
    ContentList("quizzesConnection", "_id updatedAt"),
    ContentList(
        "rubricsConnection",
        "_id title pointsPossible criteria { _id description longDescription points ratings { _id description points } }",
    ),
)
_ALL_PERIODS = "{gradingPeriodId: null}"
_MANY = f"more than {LARGEST_PAGE}"  # in place of the objects of a list

#: The rules in the order in which they are tried: the second are for a Canvas whose schema lacks a field of the first. These lack
#: the lists whose changes ``updated_at`` shows as well.
RULES = (
    Rules(
        1,
        (
            *_UNSEEN,
            ContentList("assignmentsConnection", f"{_ASSIGNMENTS} isNewQuiz", _ALL_PERIODS),
            ContentList("discussionsConnection", "_id position"),
            ContentList("pagesConnection", "_id updatedAt", is_shown=True),
            ContentList("filesConnection", "_id updatedAt", is_shown=True),
            ContentList("foldersConnection", "_id updatedAt", is_shown=True),
            ContentList("externalToolsConnection", "_id updatedAt", is_shown=True),
        ),
    ),
    Rules(2, (*_UNSEEN, ContentList("assignmentsConnection", _ASSIGNMENTS, _ALL_PERIODS))),
)


class CourseContents:
    """Collects the lists of one course page by page, in the memory of a digest for each object.

    Args:
        rules: what is read.
        canvas_id: Canvas's number of the course; ``None`` for that of the first page. Pages of another are not readable.

    Attributes:
        pending: the lists that have a next page, each with its cursor; ``None`` for the first page.
        new_quizzes: whether an assignment is a New Quiz; ``None`` if one may be.
    """

    def __init__(self, rules: Rules, canvas_id: int | None = None) -> None:
        self._rules = rules
        self._objects: dict[str, list[str]] = {each.name: [] for each in rules.lists}
        self._is_readable = True
        self.pending: dict[ContentList, str | None] = dict.fromkeys(rules.lists)
        self.new_quizzes: bool | None = False
        self._canvas_id = canvas_id

    @property
    def is_complete(self) -> bool:
        """Return whether every list has been read to its end."""
        return self._is_readable and not self.pending

    def add(self, course: Mapping[str, Any]) -> bool:
        """Add the next page of every pending list. Return whether more are to be asked for."""
        number = read_legacy_id(course)
        if number is None or self._canvas_id not in (None, number):
            self._is_readable = False
            return False
        self._canvas_id = number
        for each in tuple(self.pending):
            page = read_page(course.get(each.name))
            if page is None or not all(self._add(each, node) for node in page.nodes):
                self._is_readable = False
                return False
            objects = self._objects[each.name]
            if each.is_shown and len(objects) + (page.after is not None) > LARGEST_PAGE:
                self._objects[each.name] = [_MANY]
                del self.pending[each]
            elif page.after is None:
                del self.pending[each]
            elif page.after == self.pending[each] or not page.nodes:  # it would never end
                self._is_readable = False
                return False
            else:
                self.pending[each] = page.after
        return bool(self.pending)

    def fingerprint(self) -> str | None:
        """Return the fingerprint, 64 hexadecimal digits; ``None`` unless every list was read to its end."""
        if not self.is_complete:
            return None
        lists = {name: sorted(objects) for name, objects in self._objects.items()}
        return _digest({"version": self._rules.version, "lists": lists})

    def _add(self, each: ContentList, node: Mapping[str, Any]) -> bool:
        names = each.shape
        if not _has(node, names) or read_legacy_id(node) is None:
            return False
        if "updatedAt" in names and iso_text(node["updatedAt"]) is None:
            return False
        if "submissionTypes" in names and self.new_quizzes is not True:
            is_new_quiz = _is_new_quiz(node)
            self.new_quizzes = self.new_quizzes if is_new_quiz is False else is_new_quiz
        self._objects[each.name].append(_digest(node))
        return True


def _shape(words: Iterator[str]) -> Shape:
    """Read the names of a GraphQL selection, up to its closing brace."""
    shape: Shape = {}
    last = ""
    for word in words:
        if word == "}":
            break
        if word == "{":
            shape[last] = _shape(words)
        else:
            last = word
            shape[last] = None
    return shape


def _has(node: Any, shape: Shape) -> bool:
    """Return whether an object has every field that was asked for; a list of objects, whether each has."""
    if isinstance(node, list):
        return all(isinstance(each, Mapping) and _has(each, shape) for each in node)
    return isinstance(node, Mapping) and all(
        name in node and (inner is None or _has(node[name], inner)) for name, inner in shape.items()
    )


def _is_new_quiz(assignment: Mapping[str, Any]) -> bool | None:
    """Return whether an assignment is a New Quiz; ``None`` if it may be: it opens a tool, and Canvas does not say which."""
    told = assignment.get("isNewQuiz")
    if isinstance(told, bool):
        return told
    types = assignment.get("submissionTypes")
    return False if isinstance(types, list) and "external_tool" not in types else None


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
