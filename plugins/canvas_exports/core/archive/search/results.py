"""What is searched for, and what was found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from canvas_exports.core.archive.search.snippets import Snippet


@dataclass(frozen=True)
class SearchQuery:
    """What to search for: at least one of ``text``, ``host`` and ``tool``; a result has them all.

    Attributes:
        text: words, which must all occur; ``"several words"`` is a phrase, ``begin*`` the beginning of a word.
        host: documents that link to this host, or to a host of this domain.
        tool: documents that use an external tool: the host or domain that it is at, or words of its name.
        kinds: of ``KINDS``; none for all.
        course: number, SIS id, code or name of a course, whole.
        term: name of a term.
        all_copies: search every copy, not only the newest of each course.
    """

    text: str = ""
    host: str = ""
    tool: str = ""
    kinds: tuple[str, ...] = ()
    course: str = ""
    term: str = ""
    all_copies: bool = False


@dataclass(frozen=True)
class FoundCopy:
    """A copy of a course that holds what was found.

    Attributes:
        manifest: its key.
        package: key of its package.
        export_type: one of ``ExportType``.
        created_at: when Canvas created the export.
    """

    manifest: str
    package: str
    export_type: str
    created_at: datetime


@dataclass(frozen=True)
class FoundItem:
    """An item of a course that was found.

    Attributes:
        kind: one of ``KINDS``.
        identifier: in the package; with the kind, what ``CourseContent.find`` takes (a module has its own).
        snippet: its title and a part of its text.
        copies: those that hold it, the newest first.
    """

    kind: str
    identifier: str
    snippet: Snippet
    copies: tuple[FoundCopy, ...]


@dataclass(frozen=True)
class FoundCourse:
    """A course with what was found in it, best first.

    Attributes:
        canvas_id: Canvas's number.
        name, course_code, sis_id, term: as its newest manifest has them.
        items: no more than were asked for.
        more: how many further items were found.
    """

    canvas_id: int
    name: str | None
    course_code: str | None
    sis_id: str | None
    term: str | None
    items: tuple[FoundItem, ...]
    more: int = 0


@dataclass(frozen=True)
class SearchResults:
    """The answer to a query.

    Attributes:
        courses: best first.
        has_more: whether further courses were found.
        is_complete: whether everything that the index holds was looked at; if not, there are more matches than are counted.
        packages: in the index.
        indexed_courses: in the index.
        newest: when the newest of these packages was created; ``None`` if the index is empty.
        segments_left: segments of the index that were not read yet.
    """

    courses: tuple[FoundCourse, ...]
    has_more: bool
    is_complete: bool
    packages: int
    indexed_courses: int
    newest: datetime | None
    segments_left: int = 0
