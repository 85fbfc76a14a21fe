"""The permissions of Canvas that backups and restores need, by their names on Canvas's page of permissions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Permission:
    """A permission of an account role.

    Attributes:
        label: its name on the page *Admin, Permissions, Account Roles*, in English.
        names: its names in the API; each of them is enough.
        effect: what happens without it.
        required: a backup fails without it.
    """

    label: str
    names: tuple[str, ...]
    effect: str
    required: bool = False

    def is_missing(self, granted: Mapping[str, bool]) -> bool:
        """Return whether Canvas has said of each name that the user does not have it."""
        return all(granted.get(name) is False for name in self.names)


#: What a backup needs. Canvas leaves out what the user may not see, without an error.
FOR_BACKUPS = (
    Permission(
        "Courses - view list",
        ("read_course_list",),
        "backups cannot list the courses of an account",
        required=True,
    ),
    Permission(
        "Course Content - view", ("read_course_content",), "every course ends as denied", required=True
    ),
    Permission(
        "Course Files - add",
        ("manage_files_add", "manage_files_edit", "manage_files_delete"),
        "packages may lack locked and hidden files",
    ),
    Permission("SIS Data - read", ("read_sis",), "manifests and reports have no SIS ids"),
    Permission("Announcements - view", ("read_announcements",), "packages may lack announcements"),
    Permission("Discussions - view", ("read_forum",), "packages may lack discussions"),
    Permission("Discussions - moderate", ("moderate_forum",), "packages may lack locked and delayed topics"),
    Permission(
        "Assignments and Quizzes - edit",
        ("manage_assignments_edit",),
        "packages may lack assignments and quizzes that are not yet open or not published",
    ),
    Permission("Pages - update", ("manage_wiki_update",), "packages may lack pages limited to some users"),
    Permission(
        "Question banks - view and link", ("read_question_banks",), "packages may lack question banks"
    ),
)

#: What a restore needs beside it. A user for backups alone should not have it.
FOR_RESTORES = (
    Permission("Course Content - add", ("manage_course_content_add",), "packages cannot be restored"),
    Permission("Course Content - edit", ("manage_course_content_edit",), "packages cannot be restored"),
)

#: Every name in the API.
NAMES = tuple(name for permission in (*FOR_BACKUPS, *FOR_RESTORES) for name in permission.names)
