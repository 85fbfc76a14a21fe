"""Keep in a run's plan what Canvas said of its courses, for their manifests: then no batch asks Canvas for it again.

A manifest states a course's name, code, SIS id, uuid, account and term. Whoever lists courses is told all of it; see
``canvas-api.md``. The facts lie in the archive, so they may be foreign: they only describe a course, and which course and which
Canvas it is, a batch knows by itself. They hold no person's name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from canvas_exports.core.archive.manifest import ContextFacts
from canvas_exports.core.canvas.api.models import Course
from canvas_exports.core.canvas.http.bounded_values import bounded_int, bounded_text
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.core.text.wording import format_time, parse_time

MOST_BYTES = 36 * 1024 * 1024  # of all facts of a run; those of the courses that were listed first

_LONGEST = 255  # characters of a value, as in Canvas's database
_PLACES = 6
_CLOCK_SKEW = timedelta(minutes=10)  # by which a time may be in the future


@dataclass
class CourseFacts:
    """Collects the facts of a run's courses while they are listed: a few hundred bytes for each, ``MOST_BYTES`` at most.

    Attributes:
        canvas: Canvas's address, such as ``https://canvas.example.edu``.
        read_at: Canvas's time before the first course was read; without it, no facts are kept.
    """

    canvas: str = ""
    read_at: datetime | None = None
    _rows: dict[str, bytes] = field(default_factory=dict, init=False)
    _room: int = field(default_factory=lambda: MOST_BYTES, init=False)

    def add(self, course: Course) -> None:
        """Add a course that Canvas described, unless a field is missing that every course has: then its batch reads it.

        The SIS id is missing where the course has none, or where the token may not see it. Both hold for the course read by
        itself, too (``lib/api/v1/course.rb`` writes both).
        """
        facts = facts_of(course)
        name = f"{facts.kind}:{facts.id}"
        row = _plain(facts)
        if name in self._rows or _read(facts.id, row) is None:
            return
        encoded = json.dumps(row, separators=(",", ":")).encode()
        if len(encoded) <= self._room:
            self._room -= len(encoded)
            self._rows[name] = encoded

    def to_json(self, contexts: Iterable[str]) -> dict[str, Any]:
        """Return the facts of some contexts, such as ``course:101``, as a JSON object; empty if there are none."""
        known = {each: json.loads(self._rows[each]) for each in contexts if each in self._rows}
        if not known or self.read_at is None:
            return {}
        return {"canvas": self.canvas, "read_at": format_time(self.read_at), "courses": known}


@dataclass(frozen=True)
class PlannedFacts:
    """The facts of a batch's courses, as its plan has them.

    Attributes:
        canvas: address of the Canvas that was asked.
        read_at: when it was, in Canvas's time.
        rows: by context, such as ``course:101``; not checked yet.
    """

    canvas: str
    read_at: datetime
    rows: Mapping[str, Any]

    @classmethod
    def from_json(cls, value: Any) -> PlannedFacts | None:
        """Read what ``CourseFacts.to_json`` returned; ``None`` for anything else: it comes from the archive."""
        if not isinstance(value, dict):
            return None
        canvas, read_at = (bounded_text(value.get(key), most=_LONGEST) for key in ("canvas", "read_at"))
        rows = value.get("courses")
        if not canvas or not read_at or not isinstance(rows, dict):
            return None
        try:
            return cls(canvas, parse_time(read_at), rows)
        except ValueError:
            return None

    def of(self, context: Context, *, canvas: str, now: datetime, most_age: timedelta) -> ContextFacts | None:
        """Return the facts of a course; ``None`` if they are missing, odd, of another Canvas or too old.

        Args:
            context: of the course, with Canvas's number.
            canvas: address of the Canvas that the course is exported from.
            now: Canvas's time.
            most_age: how old they may be.
        """
        is_current = -_CLOCK_SKEW <= now - self.read_at <= most_age
        if context.kind is not ContextKind.COURSE or context.canvas_id is None or not is_current:
            return None
        return _read(context.canvas_id, self.rows.get(str(context))) if canvas == self.canvas else None


def facts_of(course: Course) -> ContextFacts:
    """Return what a manifest states of a course."""
    return ContextFacts(
        kind=ContextKind.COURSE.value,
        id=course.id,
        name=course.name,
        course_code=course.course_code,
        sis_id=course.sis_course_id,
        uuid=course.uuid,
        account_id=course.account_id,
        term=course.term_name,
    )


def _plain(facts: ContextFacts) -> list[Any]:
    return [facts.name, facts.course_code, facts.sis_id, facts.uuid, facts.account_id, facts.term]


def _read(course_id: int, row: Any) -> ContextFacts | None:
    """Read the inverse of ``_plain``; ``None`` for anything else, and without a field that every course has."""
    if not isinstance(row, list) or len(row) != _PLACES:
        return None
    name, code, sis_id, uuid, account, term = row
    texts = [bounded_text(each, most=_LONGEST) for each in (name, code, uuid, term)]
    checked_sis_id = None if sis_id is None else bounded_text(sis_id, most=_LONGEST)
    account_id = bounded_int(account, least=1) if isinstance(account, int) else None
    if not all(texts) or account_id is None or (not checked_sis_id and sis_id is not None):
        return None
    return ContextFacts(
        kind=ContextKind.COURSE.value,
        id=course_id,
        name=texts[0],
        course_code=texts[1],
        sis_id=checked_sis_id,
        uuid=texts[2],
        account_id=account_id,
        term=texts[3],
    )
