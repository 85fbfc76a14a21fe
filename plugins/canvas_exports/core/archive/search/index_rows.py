"""Rows of the search index: a package, a document. A row that nobody would write is not read."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from canvas_exports.core.archive.json_documents import encoded, parse
from canvas_exports.core.archive.layout import context_of
from canvas_exports.core.archive.search.documents import (
    KINDS,
    MOST_DOCUMENTS,
    MOST_HOSTS,
    MOST_IDENTIFIER,
    MOST_TITLE,
    SearchDocument,
)
from canvas_exports.core.archive.search.hosts import host_of
from canvas_exports.core.archive.search.plain_text import MOST_TEXT
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.core.storage.object_keys import is_key
from canvas_exports.core.text.wording import format_time, parse_time
from canvas_exports.errors import ArchiveError

_LONGEST_FACT = 1_000
_DIGEST = re.compile("[0-9a-f]{32}")
_SHA256 = re.compile("[0-9a-f]{64}")
_OTHER_DIGEST = re.compile("[a-z0-9-]{1,20}:[0-9a-f]{8,256}")
_FACTS = ("name", "course_code", "sis_id", "term")
_TYPES = frozenset(each.value for each in ExportType)
_MOST_ID = 2**63


@dataclass(frozen=True)
class IndexedPackage:
    """A package whose documents are in the index.

    Attributes:
        key, size, identity: of the package; see ``PackageFacts.identity``.
        manifest: key of the manifest that was written for it.
        canvas_id: number of the course.
        name, course_code, sis_id, term: of the course, as the manifest has them.
        export_type: one of ``ExportType``.
        created_at: when Canvas created the export.
        is_selection: whether only selected objects were exported.
        problem: why its documents are missing, or not all; else ``""``.
        items: identifiers in the package, with the digests of their documents.
    """

    key: str
    size: int
    identity: str
    manifest: str
    canvas_id: int
    export_type: str
    created_at: datetime
    name: str | None = None
    course_code: str | None = None
    sis_id: str | None = None
    term: str | None = None
    is_selection: bool = False
    problem: str = ""
    items: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> bytes:
        """Return the row of a segment."""
        row = {
            "package": self.key,
            "size": self.size,
            _identity_field(self.identity): self.identity,
            "manifest": self.manifest,
            "type": self.export_type,
            "created_at": format_time(self.created_at),
            "course": {name: value for name in _FACTS if (value := getattr(self, name)) is not None},
            "items": self.items,
        }
        if self.is_selection:
            row["selection"] = True
        if self.problem:
            row["problem"] = self.problem
        return encoded(row)

    @classmethod
    def from_json(cls, line: bytes) -> IndexedPackage | None:
        """Read a row; ``None`` if nobody would write it."""
        try:
            row = parse(line, "row of the search index")
            course = {name: _fact(row["course"].get(name)) for name in _FACTS}
            context = context_of(row["package"])
            identity = row["sha256"] if "sha256" in row else row["digest"]
            if (
                context is None
                or context[0] != "course"
                or not all(
                    is_key(key) and context_of(key) == context for key in (row["package"], row["manifest"])
                )
                or not (_SHA256 if "sha256" in row else _OTHER_DIGEST).fullmatch(identity)
                or row["type"] not in _TYPES
                or not 0 <= read_whole(row["size"]) < _MOST_ID
                or len(row["items"]) > MOST_DOCUMENTS
            ):
                return None
            return cls(
                key=row["package"],
                size=row["size"],
                identity=identity,
                manifest=row["manifest"],
                canvas_id=context[1],
                export_type=row["type"],
                created_at=parse_time(row["created_at"]),
                is_selection=row.get("selection") is True,
                problem=_fact(row.get("problem")) or "",
                items=tuple(_item(*each) for each in row["items"]),
                **course,
            )
        except (ArchiveError, KeyError, TypeError, ValueError, AttributeError):
            return None


def _identity_field(identity: str) -> str:
    """Return the field of a row for the digest of a package: readers of rows with SHA-256 know no other."""
    return "digest" if ":" in identity else "sha256"


def document_digest(row: bytes) -> str:
    """Return the digest that names a document, of its row."""
    return hashlib.sha256(row).hexdigest()[:32]


def parse_document(row: bytes) -> SearchDocument | None:
    """Read the row of a document; ``None`` if nobody would write it."""
    try:
        kind, title, text, hosts, tools = json.loads(row)
        if (
            kind not in KINDS
            or len(_text(title)) > MOST_TITLE
            or len(_text(text)) > MOST_TEXT
            or not _are_hosts(hosts)
            or not _are_hosts(tools)
        ):
            return None
    except (TypeError, ValueError, RecursionError):
        return None
    return SearchDocument(kind, title, text, tuple(hosts), tuple(tools))


def _item(identifier: Any, digest: Any) -> tuple[str, str]:
    if not 0 < len(_text(identifier)) <= MOST_IDENTIFIER:
        raise ValueError("not an identifier")
    return identifier, read_digest(digest)


def read_digest(value: Any) -> str:
    """Return the digest of a document. Raises ``ValueError`` or ``TypeError`` for anything else."""
    if not _DIGEST.fullmatch(value):
        raise ValueError("not a digest")
    return str(value)


def read_whole(value: Any) -> int:
    """Return a whole number. Raises ``TypeError`` for anything else."""
    if type(value) is not int:
        raise TypeError("not a whole number")
    return value


def _text(value: Any) -> str:
    """Return text that can be encoded."""
    if not isinstance(value, str):
        raise TypeError("not text")
    value.encode()
    return value


def _fact(value: Any) -> str | None:
    return None if value is None else _text(value)[:_LONGEST_FACT]


def _are_hosts(values: Any) -> bool:
    return (
        isinstance(values, list)
        and len(values) <= 2 * MOST_HOSTS
        and all(isinstance(each, str) and host_of(f"//{_bracketed(each)}") == each for each in values)
    )


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
