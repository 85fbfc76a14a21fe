"""Find a course by its SIS id, code or name in the manifests, also if it is deleted in Canvas."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from canvas_exports.core.archive.catalog.index import read_with_index
from canvas_exports.core.archive.catalog.presence import require_copies
from canvas_exports.core.archive.catalog.read import Holding
from canvas_exports.core.archive.manifest import ContextFacts
from canvas_exports.core.model.contexts import SIS_FIELDS, Context, ContextKind
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import InputError
from canvas_exports.foreign_text import harmless

MOST = 255  # characters of a name
ACCEPTED = "a Canvas number, an SIS id, a course code or a name, as the manifests have it"

_LISTED = 5  # courses that an error names


@dataclass(frozen=True)
class CourseMatch:
    """A context that has the wanted name.

    Attributes:
        kind, id: of the context.
        facts: of its newest copy.
        newest: when that copy was made.
    """

    kind: str
    id: int
    facts: ContextFacts
    newest: datetime

    def __str__(self) -> str:
        known = (self.facts.sis_id, self.facts.course_code, self.facts.name)
        names = ", ".join(dict.fromkeys(harmless(each, most=80) for each in known if each))
        return (
            f"{self.kind}:{self.id}"
            + (f" ({names})" if names else "")
            + f", last copied {self.newest:%Y-%m-%d}"
        )


def parse_course_name(text: str | int | None, *, field: str) -> Context | str:
    """Parse what a person wrote: return a context, if it is one, else the name to search for.

    Raises:
        InputError: the text is empty, too long, or an address of something else (permanent).
    """
    written = " ".join(str("" if text is None else text).split())
    if not written or len(written) > MOST:
        raise InputError(field, "is too long" if written else "is missing", accepted=ACCEPTED)
    try:
        return Context.parse(written, field=field)
    except InputError:
        if "://" in written:  # the address of a page that is not a course's
            raise
        return written


def find_course(store: Store, name: Context | str, *, field: str) -> Context:
    """Return the context with that name, by its Canvas number. Sends no request to Canvas.

    The name is compared, without regard to case, with the SIS ids in all manifests, then with the course codes, then with
    the names. A Canvas number is returned as it is; for any other name the whole archive is read, with its index.

    Raises:
        InputError: no context has the name, or several have; the error lists them (permanent).
        NoArchiveError: the archive holds no copy of anything (permanent).
        ArchiveDeniedError: no right to list (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    if isinstance(name, Context) and name.canvas_id is not None:
        return name
    with closing(require_copies(store, read_with_index(store))) as holdings:
        found = matching_courses(holdings, name)
    if not found:
        raise InputError(
            field, f"no manifest in this archive names {harmless(str(name), most=MOST)!r}", accepted=ACCEPTED
        )
    if len(found) > 1:
        listed = "; ".join(map(str, found[:_LISTED]))
        more = f"; and {len(found) - _LISTED:,} more" if len(found) > _LISTED else ""
        raise InputError(
            field,
            f"{len(found):,} courses are called {harmless(str(name), most=MOST)!r}: {listed}{more}",
            accepted="the number of one of them",
        )
    return Context(ContextKind(found[0].kind), str(found[0].id))


def matching_courses(holdings: Iterable[Holding], name: Context | str) -> list[CourseMatch]:
    """Return the contexts with a name, those with the newest copies first.

    A text is compared with SIS ids, then with course codes, then with names; the first of them that any course has decides.
    Groups and users are found by a ``Context`` only.
    """
    tests = _tests(name)
    kind = name.kind.value if isinstance(name, Context) else ContextKind.COURSE.value
    found: list[list[CourseMatch]] = [[] for _ in tests]
    for holding in holdings:
        if holding.kind != kind or not holding.copies:
            continue
        for matches, those in zip(tests, found, strict=True):
            if any(matches(copy.context) for copy in holding.copies):
                last = holding.copies[-1]
                those.append(CourseMatch(holding.kind, holding.id, last.context, last.created_at))
    those = next((each for each in found if each), [])
    return sorted(those, key=lambda each: (each.newest, each.id), reverse=True)


def search_courses(holdings: Iterable[Holding], text: str) -> Iterator[Holding]:
    """Yield the courses, groups and users that a text finds, in the order of the holdings.

    A number, or ``course:101``, finds the context of that number. Any text finds the courses of which one manifest has each of
    its words in the name, the course code or the SIS id, without regard to case.
    """
    number = _number(text)
    words = text.casefold().split()
    for holding in holdings:
        if holding.copies and (
            (holding.kind, holding.id) == number or any(_has(copy.context, words) for copy in holding.copies)
        ):
            yield holding


def _number(text: str) -> tuple[str, int] | None:
    try:
        context = Context.parse(text)
    except InputError:
        return None
    return None if context.canvas_id is None else (context.kind.value, context.canvas_id)


def _has(facts: ContextFacts, words: list[str]) -> bool:
    known = " ".join(each for each in (facts.name, facts.course_code, facts.sis_id) if each).casefold()
    return all(word in known for word in words)


def _tests(name: Context | str) -> list[Callable[[ContextFacts], bool]]:
    if isinstance(name, Context):
        field, _, value = name.id.partition(":")
        if field == "uuid":
            return [lambda facts: facts.uuid == value]
        return [lambda facts: _same(facts.sis_id, value)] if field in SIS_FIELDS else []
    return [
        lambda facts: _same(facts.sis_id, name),
        lambda facts: _same(facts.course_code, name),
        lambda facts: _same(facts.name, name),
    ]


def _same(known: str | None, name: str) -> bool:
    return known is not None and " ".join(known.split()).casefold() == " ".join(name.split()).casefold()
