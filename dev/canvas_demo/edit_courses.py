"""The edits of teachers between two nights of the demo, made in the sandbox."""

from __future__ import annotations

from typing import Any

import requests

from canvas_sandbox.content.model import Kind

EDITED = {"BIO 101": 2001, "PHY 101": 2036, "JPN 101": 2211}
"""The edited courses by code, with their ids."""
_TIMEOUT = 60.0  # seconds


def edit_courses(canvas: str) -> None:
    """Edit the courses. A second call changes nothing more, so that an interrupted one can be repeated.

    Args:
        canvas: URL of the sandbox.

    Raises:
        requests.HTTPError: the sandbox refuses an edit, which then is not one of this scenario.
    """
    with requests.Session() as http:
        http.trust_env = False
        biology, physics, japanese = (_Teacher(http, canvas, number) for number in EDITED.values())
        biology.rewrite("Reading list", "chapter 4, for week 2", "chapters 4 and 5, for week 3")
        biology.edit("How we work with data", title="Working with data")
        biology.edit("Lab report", settings={"points_possible": "20.0", "due_at": "2026-12-04T22:59:00"})
        biology.add(
            Kind.PAGE,
            "Field trip to the wetland",
            '<p>We look at the nitrogen cycle. Bring boots; see <a href="https://maps.example.org/wetland">the map</a>.</p>',
        )
        biology.rewrite_syllabus("Late work loses 10% a day", "Late work loses 5% a day")
        physics.rewrite_syllabus("Tuesday, 14:00", "Thursday, 14:00")
        japanese.remove("Questions about the course")


class _Teacher:
    """Somebody who edits one course."""

    def __init__(self, http: requests.Session, canvas: str, course: int) -> None:
        self._http, self._canvas, self._course = http, canvas, course

    def add(self, kind: Kind, title: str, html: str) -> None:
        if self._find(title) is None:
            self._change("add_item", kind.value, {"title": title, "html": html})

    def edit(self, title: str, /, **fields: Any) -> None:
        if item := self._find(title):
            self._change("edit_item", item["id"], fields)

    def rewrite(self, title: str, old: str, new: str) -> None:
        if item := self._find(title):
            self.edit(title, html=item["html"].replace(old, new))

    def rewrite_syllabus(self, old: str, new: str) -> None:
        syllabus = self._content()["settings"]["syllabus_body"]
        self._change("set_course", {"syllabus_body": syllabus.replace(old, new)})

    def remove(self, title: str) -> None:
        if item := self._find(title):
            self._change("remove_item", item["id"])

    def _find(self, title: str) -> dict[str, Any] | None:
        """Return the item of a title that is not a line of a module, which has the same."""
        items: list[dict[str, Any]] = self._content()["items"]
        lines = Kind.MODULE_ITEM.value
        return next((item for item in items if item["title"] == title and item["kind"] != lines), None)

    def _content(self) -> dict[str, Any]:
        answer = self._http.get(f"{self._canvas}/sandbox/courses/{self._course}", timeout=_TIMEOUT)
        answer.raise_for_status()
        content: dict[str, Any] = answer.json()
        return content

    def _change(self, what: str, *arguments: Any) -> None:
        body = {"what": what, "arguments": [self._course, *arguments]}
        self._http.post(f"{self._canvas}/sandbox/changes", json=body, timeout=_TIMEOUT).raise_for_status()
