"""Courses by what people call them, found in the manifests: Canvas forgets a course that is deleted, the archive does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from canvas_exports.core.archive.catalog.index import read_with_index
from canvas_exports.core.archive.catalog.presence import require_copies
from canvas_exports.core.archive.catalog.read import Holding
from canvas_exports.core.archive.manifest import ContextFacts
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import InputError
from canvas_exports.foreign_text import harmless

MOST = 255  # characters of a name that is looked for
ACCEPTED = "a Canvas number, an SIS id, a course code or a name, as the manifests have it"

_TOLD = 5  # of several that bear a name
_SIS = ("sis_course_id", "sis_group_id", "sis_user_id")


@dataclass(frozen=True)
class CourseMatch:
    """A context that bears a name.

    Attributes:
        kind, id: of the context.
        facts: of its newest copy.
        newest: when that was made.
    """

    kind: str
    id: int
    facts: ContextFacts
    newest: datetime

    def __str__(self) -> str:
        known = (self.facts.sis_id, self.facts.course_code, self.facts.name)
        told = ", ".join(dict.fromkeys(harmless(each, most=80) for each in known if each))
        return (
            f"{self.kind}:{self.id}"
            + (f" ({told})" if told else "")
            + f", last copied {self.newest:%Y-%m-%d}"
        )


def parse_course_name(text: str | int | None, *, field: str) -> Context | str:
    """What a person wrote: a context, if it is one, else a name to look for.

    Raises:
        InputError: nothing was written, or it is too long for a name.
    """
    written = " ".join(str("" if text is None else text).split())
    if not written or len(written) > MOST:
        raise InputError(field, "is too long" if written else "is missing", accepted=ACCEPTED)
    try:
        return Context.parse(written, field=field)
    except InputError:
        if "://" in written:  # an address that is none of a course's page
            raise
        return written


def find_course(store: Store, name: Context | str, *, field: str) -> Context:
    """The context that the archive keeps under that name, by its number; Canvas is not asked.

    An SIS id is looked for first, then a course code, then a name, in every manifest, whatever the case. A number is taken
    as it is; for all else the whole archive is read, with the help of its index.

    Raises:
        InputError: no context of the archive bears the name, or several do: then it names them (permanent).
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
        listed = "; ".join(map(str, found[:_TOLD]))
        more = f"; and {len(found) - _TOLD:,} more" if len(found) > _TOLD else ""
        raise InputError(
            field,
            f"{len(found):,} courses are called {harmless(str(name), most=MOST)!r}: {listed}{more}",
            accepted="the number of one of them",
        )
    return Context(ContextKind(found[0].kind), str(found[0].id))


def matching_courses(holdings: Iterable[Holding], name: Context | str) -> list[CourseMatch]:
    """The contexts that bear a name, those with the newest copies first.

    Of a text, only those by the first of SIS id, course code and name that any context bears; groups and users only where
    the context says so.
    """
    ways = _ways(name)
    kind = name.kind.value if isinstance(name, Context) else ContextKind.COURSE.value
    found: list[list[CourseMatch]] = [[] for _ in ways]
    for holding in holdings:
        if holding.kind != kind or not holding.copies:
            continue
        for bears, those in zip(ways, found, strict=True):
            if any(bears(copy.context) for copy in holding.copies):
                last = holding.copies[-1]
                those.append(CourseMatch(holding.kind, holding.id, last.context, last.created_at))
    those = next((each for each in found if each), [])
    return sorted(those, key=lambda each: (each.newest, each.id), reverse=True)


def _ways(name: Context | str) -> list[Callable[[ContextFacts], bool]]:
    if isinstance(name, Context):
        asked, _, value = name.id.partition(":")
        if asked == "uuid":
            return [lambda facts: facts.uuid == value]
        return [lambda facts: _same(facts.sis_id, value)] if asked in _SIS else []
    return [
        lambda facts: _same(facts.sis_id, name),
        lambda facts: _same(facts.course_code, name),
        lambda facts: _same(facts.name, name),
    ]


def _same(known: str | None, name: str) -> bool:
    return known is not None and " ".join(known.split()).casefold() == " ".join(name.split()).casefold()
