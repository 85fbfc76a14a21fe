"""The start page of a site: its courses by term, and the search."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from canvas_exports.core.archive.browsing.course_folder import HOME
from canvas_exports.core.archive.browsing.site.published import PublishedCourse
from canvas_exports.core.text.html_templates import load_template, read_part

#: The script of the search.
SCRIPT = read_part(__package__, "search.js")

_POLICY = (
    "default-src 'none'; script-src 'self' file:; style-src 'self' file:; base-uri 'none'; form-action 'none'"
)
_MAX_COURSES = 20_000  # that the page lists; the search finds all


def start_page(courses: Iterable[PublishedCourse], *, buckets: int) -> bytes:
    """Return the page.

    Args:
        courses: of the site.
        buckets: pieces of the search's index.
    """
    ordered = sorted(courses, key=lambda each: (each.term, each.title.casefold(), each.context))
    shown = ordered[:_MAX_COURSES]
    newest_first = sorted(
        ((term, list(members)) for term, members in groupby(shown, key=lambda each: each.term)),
        key=lambda each: max(course.created_at for course in each[1]),
        reverse=True,
    )
    page = load_template(__package__, "start.html").render(
        policy=_POLICY,
        number=len(ordered),
        more=len(ordered) - len(shown),
        terms=newest_first,
        home=HOME,
        buckets=buckets,
    )
    return page.encode("utf-8", "replace")
