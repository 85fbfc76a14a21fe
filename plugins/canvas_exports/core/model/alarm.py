"""Alarms: what a person should look at although nothing failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from canvas_exports.foreign_text import harmless

#: The most alarms that a run report names.
MOST_ALARMS = 100

_LONGEST_TEXT = 1000


class AlarmScope(str, Enum):
    """What an alarm is about: the whole run, or one course, group or user."""

    RUN = "run"
    COURSE = "course"


class AlarmCode(str, Enum):
    """The kinds of alarms, for programs. A later version may know more."""

    COURSE_EMPTIED = "course_emptied"
    COURSE_SHRANK = "course_shrank"
    FILES_EMPTIED = "files_emptied"
    EXECUTABLES_ADDED = "executables_added"
    ENCRYPTED_MEMBERS = "encrypted_members"
    MANY_COURSES = "many_courses"
    LIST_SHRANK = "list_shrank"
    MANY_CHANGED = "many_changed"
    STORE_GROWTH = "store_growth"

    @property
    def scope(self) -> AlarmScope:
        """Return what alarms of this kind are about."""
        return AlarmScope.COURSE if self in _OF_COURSES else AlarmScope.RUN


_OF_COURSES = frozenset(
    {
        AlarmCode.COURSE_EMPTIED,
        AlarmCode.COURSE_SHRANK,
        AlarmCode.FILES_EMPTIED,
        AlarmCode.EXECUTABLES_ADDED,
        AlarmCode.ENCRYPTED_MEMBERS,
    }
)


@dataclass(frozen=True)
class Alarm:
    """Something about a copy or a run that a person should look at although nothing failed.

    Attributes:
        code: the kind; one of ``AlarmCode``, or one of a later version.
        scope: ``run`` or ``course``.
        sentence: what was noticed, with its numbers.
        next_step: what to do about it.
        context: of a course, group or user: such as ``course:101``; ``None`` for a run.
        name: of it, for people: the code of a course; never the name of a person.
        evidence: JSON data: the numbers ``before`` and ``after``, the keys of the copies, since when.
    """

    code: str
    scope: str
    sentence: str
    next_step: str
    context: str | None = None
    name: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the alarm as a run report has it, its texts made harmless."""
        return {
            "code": self.code,
            "scope": self.scope,
            "context": self.context and harmless(self.context),
            "name": self.name and harmless(self.name, most=_LONGEST_TEXT),
            "sentence": harmless(self.sentence, most=_LONGEST_TEXT),
            "next_step": harmless(self.next_step, most=_LONGEST_TEXT),
            "evidence": dict(self.evidence),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Alarm:
        """Read an alarm that is valid against the schema of run reports; fields of a later version are left out."""
        return cls(
            code=harmless(data["code"]),
            scope=harmless(data["scope"]),
            sentence=harmless(data["sentence"], most=_LONGEST_TEXT),
            next_step=harmless(data["next_step"], most=_LONGEST_TEXT),
            context=(context := data.get("context")) and harmless(context),
            name=(name := data.get("name")) and harmless(name, most=_LONGEST_TEXT),
            evidence=data["evidence"],
        )
