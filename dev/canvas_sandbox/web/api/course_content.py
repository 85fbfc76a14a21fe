"""The content of a course: modules, pages, assignments, quizzes, discussions, files and folders."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from html import escape, unescape
from typing import Any
from urllib.parse import quote, unquote

from canvas_sandbox.campus import Course
from canvas_sandbox.clock import iso
from canvas_sandbox.content.model import Content, Item, Kind
from canvas_sandbox.web.http import errors
from canvas_sandbox.web.http.messages import Call, Response
from canvas_sandbox.web.http.pagination import paginate
from canvas_sandbox.web.http.params import is_true
from canvas_sandbox.web.http.router import Router
from canvas_sandbox.web.lookups import find_course
from canvas_sandbox.web.permissions import can_read, can_read_as_admin
from canvas_sandbox.world import World

_FILE_LINK = re.compile(r'"(?:\$IMS-CC-FILEBASE\$|%24IMS-CC-FILEBASE%24)/([^"?]*)(?:\?[^"]*)?"')
_TYPES = {
    Kind.PAGE: "Page",
    Kind.ASSIGNMENT: "Assignment",
    Kind.QUIZ: "Quiz",
    Kind.DISCUSSION: "Discussion",
    Kind.ANNOUNCEMENT: "Discussion",
    Kind.FILE: "File",
}


class CourseContentEndpoints:
    """List the items of a course to users who may read it, with the fields that identify an item."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add_to(self, router: Router) -> None:
        """Add the routes."""
        course = "/api/v1/courses/:course_id"
        for name, kind, render in (
            ("modules", Kind.MODULE, self._module),
            ("pages", Kind.PAGE, self._page),
            ("assignments", Kind.ASSIGNMENT, self._assignment),
            ("assignment_groups", Kind.ASSIGNMENT_GROUP, self._group),
            ("quizzes", Kind.QUIZ, self._quiz),
            ("files", Kind.FILE, self._file),
            ("folders", Kind.FOLDER, self._folder),
        ):
            router.add("GET", f"{course}/{name}", self._lister(kind, render))
        router.add("GET", f"{course}/discussion_topics", self.topics)
        router.add("GET", f"{course}/files/quota", self.quota)
        router.add("GET", f"{course}/folders/root", self.root_folder)
        router.add("GET", f"{course}/modules/:module_id/items", self.module_items)
        router.add("GET", f"{course}/pages/:url_or_id", self.page)

    def topics(self, call: Call) -> Response:
        """``GET .../discussion_topics``: discussions, or announcements with ``only_announcements``."""
        only = is_true(call.query.get("only_announcements", ""))
        return self._lister(Kind.ANNOUNCEMENT if only else Kind.DISCUSSION, self._topic)(call)

    def quota(self, call: Call) -> Response:
        """``GET .../files/quota``: bytes that may be used, and bytes that are used."""
        course = self._course(call)
        if not can_read_as_admin(self._world, call.user, course):
            raise errors.denied(self._world.kernel.switches)
        quota, used = self._world.contents.quota(course)
        return Response(data={"quota": quota, "quota_used": used})

    def root_folder(self, call: Call) -> Response:
        """``GET .../folders/root``: the folder that contains all others."""
        course = self._course(call)
        content = self._world.contents.of(course)
        return Response(data=self._folder(content, content.items[content.root], course, call))

    def module_items(self, call: Call) -> Response:
        """``GET .../modules/:id/items``."""
        course = self._course(call)
        content = self._world.contents.of(course)
        module = self._item(content, Kind.MODULE, call.ids["module_id"])
        rows = [item for item in content.of(Kind.MODULE_ITEM) if item.parent == module.id]
        return paginate(
            call, rows, lambda item: self._module_item(content, item), f"{call.base_url}{call.path}"
        )

    def page(self, call: Call) -> Response:
        """``GET .../pages/:url_or_id``: a page with its text, in which links lead to files of this course."""
        course = self._course(call)
        content = self._world.contents.of(course)
        wanted = call.ids["url_or_id"]
        for item in content.of(Kind.PAGE):
            if wanted in (item.slug, str(item.id)):
                body = _html(content, item, f"{call.base_url}/courses/{course.id}")
                return Response(data=self._page(content, item, course, call) | {"body": body})
        raise errors.not_found()

    def _lister(
        self, kind: Kind, render: Callable[[Content, Item, Course, Call], dict[str, Any]]
    ) -> Callable[[Call], Response]:
        def index(call: Call) -> Response:
            course = self._course(call)
            content = self._world.contents.of(course)
            url = f"{call.base_url}/api/v1/courses/{course.id}/{call.path.rpartition('/')[2]}"
            rows = list(content.of(kind))
            return paginate(call, rows, lambda item: render(content, item, course, call), url)

        return index

    def _course(self, call: Call) -> Course:
        course = find_course(self._world, call.ids["course_id"])
        if course is None:
            raise errors.not_found()
        if not can_read(self._world, call.user, course):
            raise errors.denied(self._world.kernel.switches)
        return course

    @staticmethod
    def _item(content: Content, kind: Kind, number: str) -> Item:
        item = content.items.get(int(number)) if number.isdecimal() else None
        if item is None or item.kind is not kind:
            raise errors.not_found()
        return item

    def _module(self, content: Content, item: Item, course: Course, call: Call) -> dict[str, Any]:
        rows = [each for each in content.of(Kind.MODULE) if each.id <= item.id]
        return {
            "id": item.id,
            "name": item.title,
            "position": len(rows),
            "published": True,
            "items_count": sum(1 for each in content.of(Kind.MODULE_ITEM) if each.parent == item.id),
            "items_url": f"{call.base_url}/api/v1/courses/{course.id}/modules/{item.id}/items",
        }

    def _module_item(self, content: Content, item: Item) -> dict[str, Any]:
        target = content.items.get(item.target) if item.target is not None else None
        data: dict[str, Any] = {
            "id": item.id,
            "module_id": item.parent,
            "title": item.title,
            "type": "SubHeader" if target is None else _TYPES.get(target.kind, "ExternalUrl"),
        }
        if target is not None and target.kind is Kind.PAGE:
            data["page_url"] = target.slug
        elif target is not None:
            data["content_id"] = target.id
        return data

    def _page(self, _content: Content, item: Item, course: Course, call: Call) -> dict[str, Any]:
        return {
            "page_id": item.id,
            "url": item.slug,
            "title": item.title,
            "published": True,
            "front_page": False,
            "updated_at": self._updated_at(course, item),
            "html_url": f"{call.base_url}/courses/{course.id}/pages/{item.slug}",
        }

    def _updated_at(self, course: Course, item: Item) -> str:
        return iso(self._world.contents.timestamps.item(course, item.id))

    def _assignment(self, content: Content, item: Item, course: Course, call: Call) -> dict[str, Any]:
        return {
            "id": item.id,
            "name": item.title,
            "description": _html(content, item, f"{call.base_url}/courses/{course.id}"),
            "course_id": course.id,
            "assignment_group_id": item.parent,
            "published": True,
            "html_url": f"{call.base_url}/courses/{course.id}/assignments/{item.id}",
        }

    def _group(self, _content: Content, item: Item, _course: Course, _call: Call) -> dict[str, Any]:
        return {"id": item.id, "name": item.title}

    def _quiz(self, _content: Content, item: Item, course: Course, call: Call) -> dict[str, Any]:
        return {
            "id": item.id,
            "title": item.title,
            "quiz_type": "assignment",
            "published": True,
            "html_url": f"{call.base_url}/courses/{course.id}/quizzes/{item.id}",
        }

    def _topic(self, content: Content, item: Item, course: Course, call: Call) -> dict[str, Any]:
        return {
            "id": item.id,
            "title": item.title,
            "message": _html(content, item, f"{call.base_url}/courses/{course.id}"),
            "is_announcement": item.kind is Kind.ANNOUNCEMENT,
            "published": True,
            "html_url": f"{call.base_url}/courses/{course.id}/discussion_topics/{item.id}",
        }

    def _file(self, content: Content, item: Item, course: Course, _call: Call) -> dict[str, Any]:
        return {
            "id": item.id,
            "folder_id": item.parent if item.parent is not None else content.root,
            "display_name": item.title,
            "filename": quote(item.title),
            "size": item.size,
            "created_at": iso(self._world.contents.timestamps.created_at),
            "updated_at": self._updated_at(course, item),
            "locked": item.locked,
            "hidden": False,
        }

    def _folder(self, content: Content, item: Item, course: Course, _call: Call) -> dict[str, Any]:
        is_root = item.id == content.root
        return {
            "id": item.id,
            "name": item.title,
            "full_name": "course files" if is_root else posixpath.join("course files", content.path(item)),
            "parent_folder_id": None if is_root else item.parent,
            "context_type": "Course",
            "context_id": course.id,
            "files_count": sum(1 for each in content.of(Kind.FILE) if each.parent == item.id),
            "folders_count": sum(1 for each in content.of(Kind.FOLDER) if each.parent == item.id),
        }


def _html(content: Content, item: Item, url: str) -> str:
    """Return the text of an item as HTML. Links to files of a package become links to the course's files."""
    files = {content.path(content.items[number]): number for number in item.links if number in content.items}

    def rewritten(match: re.Match[str]) -> str:
        number = files.get(unquote(unescape(match[1])))
        return match[0] if number is None else f'"{url}/files/{number}"'

    if item.migration_id:
        return _FILE_LINK.sub(rewritten, item.body)
    anchors = "".join(
        f'<p><a href="{url}/files/{number}">{escape(posixpath.basename(path))}</a></p>'
        for path, number in files.items()
    )
    return (_FILE_LINK.sub(rewritten, item.text) if item.html or item.body else "") + anchors
