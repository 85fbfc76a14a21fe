"""Archives in which a course lost content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tests.support.archives.holdings import lay, manifest

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.storage.store import Store

FULL = {
    "pages": 40,
    "assignments": 30,
    "quizzes": 10,
    "discussions": 20,
    "files": 50,
    "modules": 9,
    "module_items": 80,
    "bytes": 90_000_000,
    "empty_files": 0,
    "executables": 0,
    "encrypted": 0,
}
#: After a night in which the course was emptied.
NOTHING = dict.fromkeys(FULL, 0)


def content(
    day: int, counts: Mapping[str, int], *, context: str = "course:101", export_type: str = "common_cartridge"
) -> Manifest:
    """The manifest of a copy with these counts; the package is another one each day."""
    items = sum(counts.get(name, 0) for name in ("pages", "assignments", "quizzes", "discussions", "files"))
    made = manifest(
        context,
        day=day,
        export_id=500 + day,
        export_type=export_type,
        verdict=Verdict.WHOLE if items else Verdict.EMPTY,
        facts={"name": "Biology", "course_code": "BIO-101"},
    )
    return replace(
        made,
        package=replace(made.package, member_count=items + 8),
        proof=replace(made.proof, counts=dict(counts), member_count=items + 8),
    )


def copies(*nights: Mapping[str, int]) -> list[Copy]:
    """The copies of a course, one a day."""
    found = [content(day, counts) for day, counts in enumerate(nights)]
    return [Copy.of(manifest_key(each.package.key), each) for each in found]


def lay_nights(store: Store, *nights: Mapping[str, int], context: str = "course:101") -> list[Manifest]:
    """Store the copies of a course, one a day."""
    return [lay(store, content(day, counts, context=context)) for day, counts in enumerate(nights)]
