"""The index of a site's search: titles, in pieces that a page loads as scripts, so that it works from a disk."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import Any

from canvas_exports.core.archive.browsing.course_folder import WrittenCourse
from canvas_exports.core.archive.browsing.kinds import KIND_NAMES
from canvas_exports.core.archive.browsing.site.published import PublishedCourse
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ObjectNotFoundError

#: Pieces of the index. A course is always in the same one, so that few are written when few courses change.
BUCKETS = 64

#: In the folder of a course: its titles.
TITLES = "titles.json"

_MAX_TITLES = 300  # of one course
_MAX_TITLE = 100  # characters
_MAX_DOCUMENT = 1 << 20  # bytes


def bucket_of(context: str) -> int:
    """Return the piece that a course is in."""
    return zlib.crc32(context.encode()) % BUCKETS


def titles_document(written: WrittenCourse) -> bytes:
    """Return the titles of a course: of its items without files first, then of its files."""
    ordered = sorted(written.titles, key=lambda each: each[1].value == "file")
    rows = [
        [title[:_MAX_TITLE], KIND_NAMES[kind].one, path]
        for title, kind, path in ordered[:_MAX_TITLES]
        if title
    ]
    return json.dumps(rows).encode()


def write_bucket(site: Store, bucket: int, courses: Sequence[PublishedCourse]) -> None:
    """Write a piece of the index, or replace it."""
    rows = [[each.folder, each.title, _titles(site, each)] for each in courses]
    site.replace(f"search/{bucket}.js", b"addTitles(" + json.dumps(rows).encode() + b");\n")


def _titles(site: Store, course: PublishedCourse) -> list[Any]:
    """Read the titles of a course. They are foreign input: what is no title is left out."""
    try:
        found = json.loads(site.read(course.folder + TITLES, 0, _MAX_DOCUMENT))
    except (ObjectNotFoundError, ValueError, RecursionError):
        return []
    if not isinstance(found, list):
        return []
    return [
        row
        for row in found[:_MAX_TITLES]
        if isinstance(row, list)
        and len(row) == len(("title", "kind", "path"))
        and all(isinstance(cell, str) for cell in row)
        and row[2].startswith("pages/")
    ]
