"""Collect the names of a run's courses while they are listed, also of courses that never get a copy.

It is written into the run's plan in the archive, once for all tasks, and read by the one that writes the run report. It
never goes through Airflow's database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass, field, replace
from itertools import islice
from typing import Any, Protocol

from canvas_exports.core.archive.run_report import OutcomeRecord
from canvas_exports.core.canvas.api.models import Course
from canvas_exports.core.export.planning.course_facts import CourseFacts
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.errors import CanvasExportsError, NotFoundError, PermissionDeniedError
from canvas_exports.foreign_text import harmless

MOST_ASKED = 200  # courses whose name Canvas is asked for, one by one
MOST_CHARACTERS = 8 * 1024 * 1024  # of all names of a plan; those of the first courses in the list

_LONGEST = 120  # characters
_PLACES = 4


class NamingClient(Protocol):
    """The part of the Canvas client that naming needs."""

    def course(self, context: Context) -> Course:
        """``GET /api/v1/courses/:id``."""
        ...

    def resolve(self, context: Context) -> int:
        """``GET /api/v1/{courses,groups,users}/:id``."""
        ...


@dataclass(frozen=True)
class CourseName:
    """Hold a course's names; each ``None`` if it is not known.

    Attributes:
        name: its title.
        code: its course code.
        sis_id: its SIS id.
        term: the name of its term, or the term's SIS id.
    """

    name: str | None = None
    code: str | None = None
    sis_id: str | None = None
    term: str | None = None

    @classmethod
    def of(cls, course: Course) -> CourseName:
        """Return the names in a course of Canvas's API."""
        term = course.term_name or course.sis_term_id
        return cls(*map(_short, (course.name, course.course_code, course.sis_course_id, term)))

    @classmethod
    def from_json(cls, value: object) -> CourseName | None:
        """Read the inverse of ``dataclasses.astuple``; ``None`` for anything else: it comes from the archive."""
        if isinstance(value, list) and len(value) == _PLACES:
            return cls(*(_short(each) if isinstance(each, str) else None for each in value))
        return None


@dataclass
class Names:
    """Hold the known names, by context such as ``course:101``.

    Attributes:
        canvas: Canvas's address, such as ``https://canvas.example.edu``; ``None`` where it is not known.
        courses: what its courses are called.
        facts: takes what manifests state of the courses that Canvas describes, if it is kept.
    """

    canvas: str | None = None
    courses: dict[str, CourseName] = field(default_factory=dict)
    facts: CourseFacts | None = None

    def add_course(self, course: Course) -> Context:
        """Add a course that Canvas described; return its context."""
        context = Context(ContextKind.COURSE, str(course.id))
        self.courses[str(context)] = CourseName.of(course)
        if self.facts is not None:
            self.facts.add(course)
        return context

    def add_listed(self, context: Context, name: CourseName) -> None:
        """Add the names that a list gives a course, as they are written there."""
        if context.kind is ContextKind.COURSE and name != CourseName():
            self.courses.setdefault(str(context), CourseName(*map(_short, astuple(name))))

    def resolver(self, client: NamingClient) -> Callable[[Context], int]:
        """Return a ``client.resolve`` that also adds names: of a course, Canvas returns them in the same response."""

        def resolve(context: Context) -> int:
            if context.kind is not ContextKind.COURSE:
                return client.resolve(context)
            course = client.course(context)
            self.add_course(course)
            return course.id

        return resolve

    def nameless(self, contexts: Iterable[Context]) -> list[Context]:
        """Return the courses without a name, as many as may be requested one by one."""
        courses = (
            each for each in contexts if each.kind is ContextKind.COURSE and each.canvas_id is not None
        )
        return list(islice((each for each in courses if str(each) not in self.courses), MOST_ASKED))

    def request_missing(self, client: NamingClient, contexts: Iterable[Context]) -> None:
        """Request names from Canvas, one request for each course, until Canvas fails.

        Never raises on account of Canvas: nothing is worse without a name.
        """
        for context in contexts:
            if not self._request_one(client, context):
                return

    def _request_one(self, client: NamingClient, context: Context) -> bool:
        """Request the names of one course; return whether to go on."""
        try:
            self.add_course(client.course(context))
        except (NotFoundError, PermissionDeniedError):
            return True
        except CanvasExportsError:
            return False
        return True

    def named(self, record: OutcomeRecord) -> OutcomeRecord:
        """Return a row of a report with the names that it lacks."""
        known = self.courses.get(record.context)
        if known is None:
            return record
        return replace(
            record,
            name=record.name or known.code,
            title=record.title or known.name,
            sis_id=record.sis_id or known.sis_id,
            term=record.term or known.term,
        )

    def to_json(self, contexts: Iterable[str]) -> dict[str, Any]:
        """Return the names of some contexts, up to a limit of characters, as fields of a JSON object."""
        names: dict[str, list[str | None]] = {}
        room = MOST_CHARACTERS
        for context in contexts:
            if (known := self.courses.get(context)) is None:
                continue
            room -= sum(len(each or "") for each in astuple(known)) + len(context)
            if room < 0:
                break
            names[context] = list(astuple(known))
        return {"canvas": self.canvas, "names": names} if names else {}

    def add_json(self, document: Mapping[str, Any]) -> None:
        """Add the names of such an object; ignore everything else in it."""
        canvas, names = document.get("canvas"), document.get("names")
        self.canvas = self.canvas or (canvas if isinstance(canvas, str) else None)
        for context, value in names.items() if isinstance(names, dict) else ():
            if (known := CourseName.from_json(value)) is not None:
                self.courses.setdefault(context, known)


def _short(text: str | None) -> str | None:
    return harmless(text, most=_LONGEST) or None if text else None
