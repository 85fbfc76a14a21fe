"""HTML pages of courses, their exports and imports, for links from reports.

They are plain and need no login; they do not look like Canvas's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape

from canvas_sandbox.campus import Course
from canvas_sandbox.clock import iso
from canvas_sandbox.content.model import Kind
from canvas_sandbox.faults import Fault
from canvas_sandbox.records import COPY_TYPES
from canvas_sandbox.web.api.courses import TITLES
from canvas_sandbox.web.http.messages import HTML_TYPE, Call, Response
from canvas_sandbox.web.http.router import Router
from canvas_sandbox.web.lookups import find_account, find_course
from canvas_sandbox.world import World

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:60rem;padding:1rem 1.5rem 3rem;color:#2d3b45}"
    "header{border-bottom:3px solid #c0392b;margin-bottom:1.5rem}header p{margin:0;padding:.6rem 0}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .8rem .3rem 0;"
    "border-bottom:1px solid #dde3e7;vertical-align:top}a{color:#0374b5}nav{margin-bottom:1rem}.none{color:#6b7780}"
)
_Rows = Iterable[Sequence[object]]


class HtmlPages:
    """The start page, a course, its exports and its imports."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add_to(self, router: Router) -> None:
        """Add the routes; every other page of a course is the course's own."""
        for path in ("/", "/courses", "/accounts/:account_id"):
            router.add("GET", path, self.start)
        router.add("GET", "/courses/:course_id/content_exports", self.exports)
        router.add("GET", "/courses/:course_id/content_migrations", self.imports)
        for path in ("", "/:tab", "/:tab/:thing"):
            router.add("GET", f"/courses/:course_id{path}", self.course)

    def start(self, call: Call) -> Response:
        """``GET /``: every existing course."""
        if "account_id" in call.ids and find_account(self._world, call.ids["account_id"]) is None:
            return _missing()
        rows = [
            (
                _link(f"/courses/{course.id}", course.name),
                course.id,
                course.course_code,
                self._term(course),
                course.api_state,
            )
            for course in self._world.courses.values()
            if course.exists
        ]
        return _page(
            self._world.root_account.name, _table(("Course", "Number", "Code", "Term", "State"), rows)
        )

    def course(self, call: Call) -> Response:
        """``GET /courses/:course_id``: the course and its content."""
        course = self._find(call)
        if isinstance(course, Response):
            return course
        account = self._world.accounts[course.account_id].name
        facts = [
            ("Code", course.course_code),
            ("Number", course.id),
            ("SIS id", course.sis_course_id or "none"),
            ("Account", account),
            ("Term", self._term(course)),
            ("State", course.api_state),
        ]
        content = self._world.contents.of(course)
        counts = [(title, sum(1 for _ in content.of(kind))) for kind, title in TITLES.items()]
        pages = [page.title for page in content.of(Kind.PAGE)][:20]
        held = [row for row in counts if row[1]]
        body = _table((), facts) + "<h2>What it holds</h2>" + _table(("Kind", "Number"), held)
        if pages:
            body += "<h2>Pages</h2><ul>" + "".join(f"<li>{escape(title)}</li>" for title in pages) + "</ul>"
        return _page(course.name, _tabs(course) + body)

    def exports(self, call: Call) -> Response:
        """``GET /courses/:course_id/content_exports``: newest first."""
        return self._list(
            call, "Content exports", ("Export", "Type", "State", "Asked for", "Bytes"), self._export_rows
        )

    def imports(self, call: Call) -> Response:
        """``GET /courses/:course_id/content_migrations``: newest first, with their issues."""
        return self._list(
            call, "Imports", ("Import", "Type", "State", "Asked for", "Issues"), self._import_rows
        )

    def _list(
        self, call: Call, title: str, head: Sequence[str], rows_of: Callable[[Course], _Rows]
    ) -> Response:
        course = self._find(call)
        if isinstance(course, Response):
            return course
        return _page(f"{title}: {course.name}", _tabs(course) + _table(head, rows_of(course)))

    def _export_rows(self, course: Course) -> _Rows:
        for export in reversed(self._world.exports.rows.values()):
            if export.context is course and export.export_type not in COPY_TYPES:
                size = export.attachment.size if export.attachment else "none"
                yield export.id, export.export_type, export.workflow_state, iso(export.created_at), size

    def _import_rows(self, course: Course) -> _Rows:
        for row in self._world.migrations.of(course):
            issues = "; ".join(f"{issue.issue_type}: {issue.description}" for issue in row.issues) or "none"
            yield row.id, row.migration_type, row.api_state, iso(row.created_at), issues

    def _find(self, call: Call) -> Course | Response:
        course = find_course(self._world, call.ids["course_id"])
        if course is None:
            return _missing()
        if Fault.FORBIDDEN in course.active_faults:
            return _page("Access denied", "<p>You may not see this course.</p>", 401)
        return course

    def _term(self, course: Course) -> str:
        term = self._world.terms.get(course.term_id)
        return term.name if term else ""


def _tabs(course: Course) -> str:
    here = f"/courses/{course.id}"
    links = (
        _link(here, "Course"),
        _link(f"{here}/content_exports", "Content exports"),
        _link(f"{here}/content_migrations", "Imports"),
    )
    return f"<nav>{' · '.join(map(_shown, links))}</nav>"


class _Html(str):
    """Text that is not escaped."""

    __slots__ = ()


def _link(path: str, text: str) -> _Html:
    return _Html(f'<a href="{path}">{escape(text)}</a>')


def _shown(value: object) -> str:
    return value if isinstance(value, _Html) else escape(str(value))


def _table(head: Sequence[str], rows: _Rows) -> str:
    lines = ["".join(f"<td>{_shown(value)}</td>" for value in row) for row in rows]
    if not lines:
        return '<p class="none">None.</p>'
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    return (
        f"<table>{f'<tr>{top}</tr>' if head else ''}{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
    )


def _missing() -> Response:
    return _page("Page not found", "<p>This Canvas has no such course, or it was deleted.</p>", 404)


def _page(title: str, body: str, status: int = 200) -> Response:
    html = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        '<header><p><a href="/">Canvas sandbox</a>: it stands in for the Canvas of a university.</p></header>\n'
        f"<main>\n<h1>{escape(title)}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )
    return Response(status, body=html.encode(), content_type=HTML_TYPE)
