"""Write the record of a drill beside the manifest of the copy. The manifest itself is never rewritten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from canvas_exports.core.archive.catalog.copies import FAILED, PASSED, Copy
from canvas_exports.core.archive.json_documents import encoded, plain
from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.records import RecordKind, RecordName, described
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.restore.result import RestoreResult
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import format_time

_INTO = "course"


@dataclass(frozen=True)
class DrillResult:
    """The result of a drill, without links, credentials or people's names.

    Attributes:
        passed: Canvas restored the package and reported no error, and the counts are those of the stored package.
        reason: in a sentence.
        copy: key of the manifest of the copy.
        restore: result of the restore; ``None`` if it did not begin.
        stored, restored: counts by kind, of the stored package and of the export of the restored course.
        differences: between these counts.
        content_equal: whether the content digests are equal, too; ``None`` if there is no second package.
        seconds: of the restore, the export and the comparison.
        record: key of the record.
    """

    passed: bool
    reason: str
    copy: str
    restore: RestoreResult | None = None
    stored: Mapping[str, int] = field(default_factory=dict)
    restored: Mapping[str, int] = field(default_factory=dict)
    differences: tuple[str, ...] = ()
    content_equal: bool | None = None
    seconds: float = 0.0
    record: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value."""
        return {
            "passed": self.passed,
            "reason": self.reason,
            "copy": self.copy,
            "restore": self.restore and self.restore.to_json(),
            "stored": dict(self.stored),
            "restored": dict(self.restored),
            "differences": list(self.differences),
            "content_equal": self.content_equal,
            "seconds": self.seconds,
            "record": self.record,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> DrillResult:
        """Read what ``to_json`` wrote."""
        values = dict(document)
        values["differences"] = tuple(values["differences"])
        if values["restore"] is not None:
            values["restore"] = RestoreResult.from_json(values["restore"])
        return cls(**values)


def record_key(copy: Copy, result: DrillResult, ended_at: datetime) -> str:
    """Return the key of the record of a drill."""
    word = PASSED if result.passed else FAILED
    return RecordName(manifest_key(copy.package.key), RecordKind.DRILL, ended_at, _INTO, word).key


def put_record(
    store: Store, copy: Copy, result: DrillResult, *, canvas: str, ended_at: datetime, run: RunFacts
) -> str:
    """Write the record of a drill and return its key. Does not write a second record of the same second and result.

    Raises:
        ArchiveDeniedError: no right to write (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    restore = result.restore
    version, package = described(copy.package.key, copy.package.size, copy.package.digests)
    document = {
        "schema": f"urn:canvas-exports:drill:{version}",
        "context": copy.name,
        "manifest": copy.key,
        "package": package,
        "into": {
            "canvas_host": urlsplit(canvas).netloc,
            "course_id": restore and restore.course_id,
            "migration_id": restore and restore.migration_id,
        },
        "result": PASSED if result.passed else FAILED,
        "reason": result.reason,
        "counts": {"stored": dict(result.stored), "restored": dict(result.restored)},
        "differences": list(result.differences),
        "content_equal": result.content_equal,
        "issues": dict(restore.issues) if restore else {},
        "texts": list(restore.texts) if restore else [],
        "seconds": {"restore": restore.seconds if restore else 0.0, "total": result.seconds},
        "ended_at": format_time(ended_at),
        "run": plain(run),
    }
    if wrong := problem(f"drill-{version}", document):
        raise ValueError(f"not a record of a drill: {wrong}")
    key = record_key(copy, result, ended_at)
    store.put_if_absent(key, encoded(document, indent=2) + b"\n")
    return key
