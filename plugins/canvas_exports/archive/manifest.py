"""The manifest: the document beside a package that says what it is. Written last, it is the commit marker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from canvas_exports.archive.proof import Proof


@dataclass(frozen=True)
class ContextFacts:
    """The course, group or user. ``name`` is dropped for a user: it would be a person's."""

    kind: str
    id: int
    name: str | None = None
    course_code: str | None = None
    sis_id: str | None = None
    uuid: str | None = None
    account_id: int | None = None
    term: str | None = None


@dataclass(frozen=True)
class ExportFacts:
    """Canvas's content export. ``canvas_host`` is a host name, ``user_id`` who exported: what they see is what it holds."""

    id: int
    type: str
    created_at: datetime
    canvas_host: str
    user_id: int | None = None
    finished_at: datetime | None = None
    select: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class RunFacts:
    """Who stored it. All but ``software`` are missing outside Airflow."""

    software: str
    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    map_index: int | None = None
    attempt: int | None = None


@dataclass(frozen=True)
class PackageFacts:
    """The stored object."""

    key: str
    size: int
    sha256: str
    content_digest: str
    member_count: int
    media_type: str


@dataclass(frozen=True)
class ManifestDraft:
    """All that is known before the first byte arrives. ``key`` is the package's (see ``keys.package_key``)."""

    key: str
    context: ContextFacts
    export: ExportFacts
    run: RunFacts


@dataclass(frozen=True)
class Manifest:
    """A stored package: what it is, where it came from, its digests, and what its proof found."""

    context: ContextFacts
    export: ExportFacts
    package: PackageFacts
    proof: Proof
    run: RunFacts
    stored_at: datetime

    def to_json(self) -> bytes:
        """The document, valid against ``schemas/manifest-1.schema.json``."""
        raise NotImplementedError

    @classmethod
    def from_json(cls, document: bytes) -> Manifest:
        """Read a document back.

        Raises:
            ArchiveError: it is not a manifest, or one of a newer schema.
        """
        raise NotImplementedError
