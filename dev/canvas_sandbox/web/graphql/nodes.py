"""What the fields of GraphQL return: accounts, courses and the items of courses, as the caller may read them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from graphql import GraphQLError

from canvas_sandbox.campus import Account, Course, User
from canvas_sandbox.content.model import Content, Item, Kind
from canvas_sandbox.web.lookups import ancestry, find_account, find_course
from canvas_sandbox.web.permissions import can_read, can_see_sis_ids
from canvas_sandbox.world import World

_ZONE = timezone(timedelta(hours=-7))
"""Times have the offset of the user's time zone, where REST has ``Z``."""


class Reader:
    """Reads for one query of one user. ``read`` counts the objects that were read."""

    def __init__(self, world: World, caller: User) -> None:
        self.world = world
        self.caller = caller
        self.read = 0

    def account(self, _info: object, id: str | None = None, sisId: str | None = None) -> AccountNode | None:  # noqa: A002, N803  Canvas's names
        """Return an account, for its admins."""
        text = f"sis_account_id:{sisId}" if sisId is not None else _plain_id("Account", id)
        found = find_account(self.world, text)
        return None if found is None or self.caller.role != "admin" else AccountNode(self, found)

    def course(self, _info: object, id: str | None = None, sisId: str | None = None) -> CourseNode | None:  # noqa: A002, N803  Canvas's names
        """Return a course that the caller may read."""
        text = f"sis_course_id:{sisId}" if sisId is not None else _plain_id("Course", id)
        found = find_course(self.world, text)
        if found is None or not can_read(self.world, self.caller, found):
            return None
        return CourseNode(self, found)

    def connection(
        self,
        rows: Sequence[Any],
        node: Callable[[Any], Any],
        *,
        first: int | None = None,
        last: int | None = None,
        after: str | None = None,
        before: str | None = None,
    ) -> dict[str, Any]:
        """Return one page of ``rows``. A cursor is a place in the list, as Canvas has it: it does not follow its row."""
        start = _place(after) if after is not None else 0
        stop = _place(before) - 1 if before is not None else len(rows)
        limit = self.world.kernel.switches.graphql_page_size
        if first is None and last is not None:
            start = max(start, stop - min(last, limit))
        end = min(stop, start + min(limit if first is None else max(first, 0), limit))
        nodes = [node(row) for row in rows[start:end]]
        self.read += 1 + len(nodes)
        return {
            "nodes": nodes,
            "edges": lambda _info: [
                {"cursor": _cursor(place), "node": each} for place, each in enumerate(nodes, start=start + 1)
            ],
            "pageInfo": {
                "hasNextPage": end < len(rows),
                "hasPreviousPage": start > 0,
                "startCursor": _cursor(start + 1) if nodes else None,
                "endCursor": _cursor(start + len(nodes)) if nodes else None,
            },
        }


class AccountNode:
    """An account."""

    def __init__(self, reader: Reader, account: Account) -> None:
        self._reader = reader
        self._account = account
        self.id, self._id = _global_id("Account", account.id), str(account.id)
        self.name = account.name
        self.sisId = account.sis_account_id if can_see_sis_ids(reader.caller) else None
        reader.read += 1

    def coursesConnection(self, _info: object, **page: Any) -> dict[str, Any] | None:  # noqa: N802  Canvas's name
        """Return the courses of the account and its sub-accounts, in the order in which the database finds them.

        A row that is written moves to the end, so a course may be missing from the pages, or be on two of them.
        """
        reader = self._reader
        if not reader.caller.may("read_course_list"):
            return None
        world = reader.world
        rows = [
            course
            for course in world.courses.values()
            if course.state != "deleted" and self._account.id in ancestry(world, course.account_id)
        ]
        rows.sort(key=lambda course: (world.contents.timestamps.course(course), course.id))
        return reader.connection(rows, lambda course: CourseNode(reader, course), **page)

    def subAccountsConnection(self, _info: object, **page: Any) -> dict[str, Any]:  # noqa: N802  Canvas's name
        """Return the accounts directly below."""
        rows = [row for row in self._reader.world.accounts.values() if row.parent_id == self._account.id]
        return self._reader.connection(rows, lambda row: AccountNode(self._reader, row), **page)


class CourseNode:
    """A course."""

    def __init__(self, reader: Reader, course: Course) -> None:
        self._reader = reader
        self._course = course
        self._content: Content | None = None
        times = reader.world.contents.timestamps
        self.id, self._id = _global_id("Course", course.id), str(course.id)
        self.name, self.courseCode, self.state = course.name, course.course_code, course.state
        self.sisId = course.sis_course_id if can_see_sis_ids(reader.caller) else None
        self.createdAt, self.updatedAt = _moment(times.created_at), _moment(times.course(course))
        reader.read += 1

    def account(self, _info: object) -> AccountNode | None:
        """Return the account of the course."""
        found = self._reader.world.accounts.get(self._course.account_id)
        return None if found is None else AccountNode(self._reader, found)

    def modulesConnection(self, _info: object, **page: Any) -> dict[str, Any]:  # noqa: N802  Canvas's name
        """Return the modules in their order."""
        rows = list(enumerate(self._rows(Kind.MODULE), start=1))
        return self._reader.connection(
            rows,
            lambda row: self._node("Module", row[1], name=row[1].title, position=row[0], published=True),
            **page,
        )

    def quizzesConnection(self, _info: object, **page: Any) -> dict[str, Any]:  # noqa: N802  Canvas's name
        """Return the classic quizzes and, as assignments of their ids, the New Quizzes."""
        rows = [*self._rows(Kind.QUIZ), *(item for item in self._rows(Kind.ASSIGNMENT) if item.is_new_quiz)]
        return self._reader.connection(rows, lambda item: self._node("Quiz", item), **page)

    def assignmentGroupsConnection(self, _info: object, **page: Any) -> dict[str, Any]:  # noqa: N802  Canvas's name
        """Return the assignment groups."""
        return self._listed("AssignmentGroup", Kind.ASSIGNMENT_GROUP, page, lambda item: {"name": item.title})

    def assignmentsConnection(  # noqa: N802  Canvas's name
        self,
        _info: object,
        filter: dict[str, Any] | None = None,  # noqa: A002  Canvas's name
        **page: Any,
    ) -> dict[str, Any]:
        """Return the assignments, New Quizzes among them. There are no grading periods, so a filter by them finds all."""
        del filter
        items = self._all().items

        def fields(item: Item) -> dict[str, Any]:
            group = items.get(item.parent or 0)
            return {
                "name": item.title,
                "position": _position(item),
                "isNewQuiz": item.is_new_quiz,
                "submissionTypes": ["external_tool" if item.is_new_quiz else "online_upload"],
                "assignmentGroup": None
                if group is None
                else self._node("AssignmentGroup", group, name=group.title),
            }

        return self._listed("Assignment", Kind.ASSIGNMENT, page, fields)

    def rubricsConnection(self, _info: object, **page: Any) -> dict[str, Any]:  # noqa: N802  Canvas's name
        """Return the rubrics by title. They have no times."""
        rows = sorted(self._rows(Kind.RUBRIC), key=lambda item: (item.title, item.id))
        return self._reader.connection(rows, _rubric, **page)

    def foldersConnection(self, _info: object, **page: Any) -> dict[str, Any]:  # noqa: N802  Canvas's name
        """Return the folders, with the one that contains all others."""
        content = self._all()

        def fields(item: Item) -> dict[str, Any]:
            is_root = item.id == content.root
            path = "course files" if is_root else f"course files/{content.path(item)}"
            parent = None if is_root else str(item.parent)
            return {"name": item.title, "fullName": path, "parentFolderId": parent}

        return self._listed("Folder", Kind.FOLDER, page, fields)

    def filesConnection(self, _info: object, **page: Any) -> dict[str, Any]:  # noqa: N802  Canvas's name
        """Return the files."""
        return self._listed("File", Kind.FILE, page, lambda item: {"displayName": item.title})

    def pagesConnection(self, _info: object, **page: Any) -> dict[str, Any]:  # noqa: N802  Canvas's name
        """Return the pages."""
        return self._listed("Page", Kind.PAGE, page, lambda item: {"title": item.title})

    def discussionsConnection(self, _info: object, **page: Any) -> dict[str, Any]:  # noqa: N802  Canvas's name
        """Return the discussions, without announcements."""
        return self._listed(
            "Discussion",
            Kind.DISCUSSION,
            page,
            lambda item: {"title": item.title, "position": _position(item), "isAnnouncement": False},
        )

    def externalToolsConnection(self, _info: object, **page: Any) -> dict[str, Any]:  # noqa: N802  Canvas's name
        """Return the external tools of the course."""
        return self._listed(
            "ExternalTool", Kind.TOOL, page, lambda item: {"name": item.title, "description": item.body}
        )

    def _all(self) -> Content:
        if self._content is None:
            self._content = self._reader.world.contents.of(self._course)
        return self._content

    def _rows(self, kind: Kind) -> list[Item]:
        return list(self._all().of(kind))

    def _listed(
        self, name: str, kind: Kind, page: dict[str, Any], fields: Callable[[Item], dict[str, Any]]
    ) -> dict[str, Any]:
        rows = sorted(self._rows(kind), key=lambda item: item.id)
        return self._reader.connection(rows, lambda item: self._node(name, item, **fields(item)), **page)

    def _node(self, kind: str, item: Item, /, **fields: Any) -> dict[str, Any]:
        times = self._reader.world.contents.timestamps
        return {
            "id": lambda _info: _global_id(kind, item.id),
            "_id": str(item.id),
            "createdAt": _moment(times.created_at),
            "updatedAt": _moment(times.item(self._course, item.id)),
            **fields,
        }


def _rubric(item: Item) -> dict[str, Any]:
    criteria = [
        {
            "_id": f"{item.id}_{number}",
            "description": criterion.text,
            "points": criterion.ratings[0][1],
            "ratings": [
                {"_id": f"{number}_{place}", "description": text, "points": points, "rubricId": str(item.id)}
                for place, (text, points) in enumerate(criterion.ratings)
            ],
        }
        for number, criterion in enumerate(item.criteria, start=1)
    ]
    return {
        "id": _global_id("Rubric", item.id),
        "_id": str(item.id),
        "title": item.title,
        "pointsPossible": sum(criterion["points"] for criterion in criteria),
        "criteriaCount": len(criteria),
        "criteria": criteria,
        "workflowState": "active",
        "hasRubricAssociations": False,
    }


def _position(item: Item) -> int | None:
    position = dict(item.settings).get("position")
    return int(position) if position else None


def _moment(moment: float) -> str:
    return _whole_moment(int(moment))


@lru_cache(maxsize=1024)
def _whole_moment(moment: int) -> str:
    return datetime.fromtimestamp(moment, tz=_ZONE).isoformat()


def _global_id(name: str, number: int) -> str:
    return base64.b64encode(f"{name}-{number}".encode()).decode()


def _plain_id(name: str, text: str | None) -> str:
    """Return the number of an id, which is a number, or a type and a number in Base64."""
    if text is None:
        raise GraphQLError("Must specify exactly one of id or sisId")
    if text.isdecimal():
        return text
    try:
        kind, _, number = base64.b64decode(text, validate=True).decode().rpartition("-")
    except ValueError:
        return ""
    return number if kind == name and number.isdecimal() else ""


def _cursor(place: int) -> str:
    return base64.b64encode(str(place).encode()).decode().rstrip("=")


def _place(cursor: str) -> int:
    try:
        return int(base64.b64decode(cursor + "=" * (-len(cursor) % 4), validate=True))
    except ValueError:
        raise GraphQLError(f"Invalid cursor: {cursor!r}") from None
