"""What a site holds: the document ``publish.json``, by which the next run knows what has changed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from canvas_exports.core.storage.object_keys import is_key
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import InputError, ObjectNotFoundError

STATE = "publish.json"

#: The folder of all pages of courses.
COURSES = "courses/"

_SCHEMA = "urn:canvas-exports:published-site:1"
_CONTEXT = re.compile("course:[1-9][0-9]{0,18}")
_MAX_STATE = 256 << 20  # bytes; of 200,000 courses, some 100 MB


@dataclass(frozen=True)
class PublishedCourse:
    """A course of a site.

    Attributes:
        context: such as ``course:101``.
        folder: of its pages, ending in a slash.
        fingerprint: of what was written: equal ones mean equal pages.
        title: of the course.
        code: of the course; may be empty.
        term: likewise.
        created_at: of the copy, ISO 8601.
        manifest: key of its manifest in the archive.
    """

    context: str
    folder: str
    fingerprint: str
    title: str
    code: str
    term: str
    created_at: str
    manifest: str


@dataclass
class PublishedSite:
    """What a site holds.

    Attributes:
        courses: by context.
        is_finished: whether the start page and the search have all of them, and there are no other pages; ``False`` while a
            run writes, and after one that was killed.
    """

    courses: dict[str, PublishedCourse] = field(default_factory=dict)
    is_finished: bool = True

    def save(self, store: Store) -> None:
        """Write the document, or replace it."""
        document = {
            "schema": _SCHEMA,
            "finished": self.is_finished,
            "courses": [vars(each) for _, each in sorted(self.courses.items())],
        }
        store.replace(STATE, json.dumps(document).encode())


def home_of(context: str) -> str:
    """Return the folder of all that a site holds of a course: ``courses/101/``."""
    return f"{COURSES}{context.rpartition(':')[2]}/"


def load_site(store: Store, *, field: str) -> PublishedSite:
    """Read what a site holds; an empty site, if there is nothing at its address.

    Args:
        store: the place of the site.
        field: to blame in an error.

    Raises:
        InputError: something else is there, or the document cannot be read (permanent).
        ArchiveError: the store failed (retryable), or denied (permanent).
    """
    try:
        data = store.read(STATE, 0, _MAX_STATE)
    except ObjectNotFoundError:
        if any(True for _ in store.list()):
            raise InputError(
                field,
                f"{store.uri} holds something else than courses that were published",
                accepted="an address with nothing at it",
            ) from None
        return PublishedSite()
    try:
        document = json.loads(data)
        courses = _courses(document)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(
            field, f"{STATE} at {store.uri} cannot be read", accepted="an address with nothing at it"
        ) from None
    return PublishedSite({each.context: each for each in courses}, document.get("finished", True) is True)


def _courses(document: Any) -> list[PublishedCourse]:
    if document["schema"] != _SCHEMA:
        raise ValueError(document["schema"])
    return [_course(each) for each in document["courses"]]


def _course(document: Mapping[str, Any]) -> PublishedCourse:
    names = PublishedCourse.__dataclass_fields__
    found = {name: document[name] for name in names}
    if not all(isinstance(value, str) for value in found.values()):
        raise TypeError(found)
    course = PublishedCourse(**found)
    # Only what lies below the folder of a course is ever read or deleted, whatever the document says.
    if not _CONTEXT.fullmatch(course.context):
        raise ValueError(course.context)
    if not course.folder.startswith(home_of(course.context)) or not is_key(course.folder + "x"):
        raise ValueError(course.folder)
    return course
