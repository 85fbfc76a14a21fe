"""Read change probes from Canvas: ``updated_at`` and the fingerprint of many courses with few requests.

A probe is a help, never a need: where Canvas does not answer, or not with what was asked for, there is no probe, and the course
is exported.

The order of readings is what makes a comparison true. ``updated_at`` is read first, the fingerprint after it, and an export is
asked for after both. So an edit that no reading has seen is either in the export, or shows in the next readings. An older
reading stored with a copy can only cause an export too many; a reading that was taken after its export was asked for would hide
the edits in between, so it is never stored with that export's copy. Tonight's readings must be taken after the last export was
asked for, else they say nothing of the time since. The time of a probe is that of its oldest reading.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from canvas_exports.core.canvas.api.graphql import GraphQLQuery, GraphQLResult, read_legacy_id
from canvas_exports.core.canvas.http.bounded_values import iso_text
from canvas_exports.core.export.changes.course_query import can_be_read, first_pages, next_pages
from canvas_exports.core.export.changes.fingerprint import RULES, CourseContents, Rules
from canvas_exports.core.export.changes.probe import ALIASES, Reading
from canvas_exports.core.export.changes.query_limits import QueryLimits
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.model.probes import ProbeFacts
from canvas_exports.errors import CanvasError, CredentialError

COURSES_A_QUERY = (
    10  #: of Canvas's 20 aliases: ten lists of ten courses stay far below its complexity of 375,000
)

_MOST_ROUNDS = 100  # further pages of one list: 10,000 objects


class GraphQLClient(Protocol):
    """The part of the Canvas client that reading probes needs."""

    def graphql(self, query: GraphQLQuery) -> GraphQLResult:
        """``POST /api/graphql``."""
        ...

    def server_now(self) -> datetime:
        """Return Canvas's time in UTC."""
        ...


@dataclass(frozen=True)
class CourseProbe:
    """What was read of one course.

    Attributes:
        canvas_id: its number, also where it was named by a SIS id; ``None`` if only a reading from a list is known.
        facts: the probe.
    """

    canvas_id: int | None
    facts: ProbeFacts


class ProbeReader:
    """Reads probes for one batch of courses, now and again, and remembers what this Canvas refuses.

    A query that Canvas refuses as a whole is divided, for hosts with smaller limits and for courses that no query survives. A
    Canvas without GraphQL, or one that keeps refusing, is not asked again.

    Args:
        client: of the Canvas.
        courses: how many one query reads.
    """

    def __init__(self, client: GraphQLClient, *, courses: int = COURSES_A_QUERY) -> None:
        self._client = client
        self._limits = QueryLimits(courses)

    def read(
        self, courses: Iterable[Context], readings: Mapping[str, Reading] | None = None
    ) -> dict[str, CourseProbe]:
        """Return the probes of courses by context, such as ``course:101``; those of which nothing is known are left out.

        ``POST /api/graphql``, one request for ten courses, and more for courses with more than 100 objects of a kind.

        Args:
            courses: each once.
            readings: ``updated_at`` by context, as a list of courses had it: it is taken in place of a newer one.

        Raises:
            CredentialError: Canvas refuses the token (permanent).
            Stopped: the client was stopped.
        """
        listed, known = list(courses), readings or {}
        found = {
            str(course): CourseProbe(course.canvas_id, _facts(known[str(course)]))
            for course in listed
            if str(course) in known
        }
        waiting = deque([[course for course in listed if can_be_read(course)]])
        while waiting and (rules := self._limits.rules) is not None:
            group = waiting.popleft()
            if len(group) > self._limits.courses:
                waiting.extendleft(reversed(_cut(group, self._limits.courses)))
                continue
            began = time.monotonic()
            result = self._ask(first_pages(group, rules), len(group)) if group else None
            if result is not None:
                read_at = self._client.server_now() - timedelta(seconds=time.monotonic() - began)
                for course, node, contents in self._contents(group, result, rules):
                    probe = _probe(node, contents, rules, read_at, known.get(str(course)))
                    if course.canvas_id in (None, probe.canvas_id):
                        found[str(course)] = probe
            elif self._limits.rules is not rules:
                waiting.appendleft(group)
            elif len(group) > 1:
                waiting.extendleft(reversed(_cut(group, (len(group) + 1) // 2)))
        return found

    def _contents(
        self, group: Sequence[Context], result: GraphQLResult, rules: Rules
    ) -> list[tuple[Context, Mapping[str, Any], CourseContents]]:
        """Return the course object and the contents of each course that the result has, with their further pages."""
        read: list[tuple[Context, Mapping[str, Any], CourseContents]] = []
        unfinished: list[tuple[Context, CourseContents]] = []
        for at, course in enumerate(group):
            node = result.whole(f"c{at}")
            if not isinstance(node, Mapping):
                continue
            contents = CourseContents(rules, course.canvas_id)
            if (
                contents.add(node) and contents.new_quizzes is not True
            ):  # with New Quizzes, it is exported anyway
                unfinished.append((course, contents))
            read.append((course, node, contents))
        for _ in range(_MOST_ROUNDS):
            if not unfinished or self._limits.rules is None:
                break
            unfinished = self._next_pages(unfinished)
        return read

    def _next_pages(
        self, unfinished: list[tuple[Context, CourseContents]]
    ) -> list[tuple[Context, CourseContents]]:
        """Add the next pages of each course; return those that have more."""
        query = next_pages([(course, contents.pending) for course, contents in unfinished])
        result = self._ask(query, len(unfinished))
        if result is None:
            return []
        following = []
        for at, (course, contents) in enumerate(unfinished):
            node = result.whole(f"c{at}")
            if isinstance(node, Mapping) and contents.add(node):
                following.append((course, contents))
        return following

    def _ask(self, query: GraphQLQuery, courses: int) -> GraphQLResult | None:
        """Send a query; ``None`` if it was refused as a whole."""
        try:
            result = self._client.graphql(query)
        except CredentialError:
            raise
        except CanvasError as error:
            self._limits.fail(error, courses)
            return None
        return result if self._limits.check(result, courses) else None


def _probe(
    node: Mapping[str, Any],
    contents: CourseContents,
    rules: Rules,
    read_at: datetime,
    reading: Reading | None,
) -> CourseProbe:
    updated_at = iso_text(node.get("updatedAt"))
    if reading is None and updated_at is not None:
        reading = Reading(updated_at, read_at, ALIASES)
    complete = contents.is_complete
    return CourseProbe(
        read_legacy_id(node),
        _facts(
            reading,
            read_at=read_at,
            fingerprint=contents.fingerprint(),
            version=rules.version,
            new_quizzes=contents.new_quizzes if complete or contents.new_quizzes else None,
        ),
    )


def _facts(
    reading: Reading | None,
    *,
    read_at: datetime | None = None,
    fingerprint: str | None = None,
    version: int = RULES[0].version,
    new_quizzes: bool | None = None,
) -> ProbeFacts:
    at = reading.read_at if reading is not None else read_at
    assert at is not None
    return ProbeFacts(
        read_at=at,
        updated_at=None if reading is None else reading.updated_at,
        source=None if reading is None else reading.source,
        fingerprint=fingerprint,
        fingerprint_version=version,
        new_quizzes=new_quizzes,
    )


def _cut(courses: Sequence[Context], size: int) -> list[list[Context]]:
    return [list(courses[start : start + size]) for start in range(0, len(courses), size)]
