"""The manifest: the document beside a package that says what it is. Written last, it is the commit marker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from canvas_exports.archive.documents import format_time, parse_time, plain, rebuild
from canvas_exports.archive.proof.model import NEVER_HELD, Finding, Proof, ProofLevel, Severity, Verdict
from canvas_exports.archive.schemas import problem
from canvas_exports.errors import ArchiveError

SCHEMA = "urn:canvas-exports:manifest:1"


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

    def __post_init__(self) -> None:
        if self.kind == "user":
            object.__setattr__(self, "name", None)


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
    """The stored object. Content digests are comparable within one version of their rules."""

    key: str
    size: int
    sha256: str
    content_digest: str
    member_count: int
    media_type: str
    content_digest_version: int = 1


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
        document = {
            "schema": SCHEMA,
            "context": plain(self.context),
            "export": plain(self.export),
            "package": plain(self.package),
            "proof": {
                "level": self.proof.level.value,
                "verdict": self.proof.verdict.value,
                "findings": [plain(finding) for finding in self.proof.findings],
                "counts": dict(self.proof.counts),
                "never_held": list(NEVER_HELD.get(self.export.type, ())),
            },
            "run": plain(self.run),
            "stored_at": format_time(self.stored_at),
        }
        if wrong := problem("manifest-1", document):
            raise ValueError(f"not a manifest: {wrong}")
        return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"

    @classmethod
    def from_json(cls, document: bytes) -> Manifest:
        """Read a document back. Fields of a newer version are left out.

        Raises:
            ArchiveError: it is not a manifest, or one of another schema.
        """
        try:
            data = json.loads(document)
        except ValueError:
            raise ArchiveError("not a manifest: no JSON") from None
        if wrong := problem("manifest-1", data):
            raise ArchiveError(f"not a manifest: {wrong}")
        return cls(
            context=rebuild(ContextFacts, data["context"]),
            export=rebuild(ExportFacts, data["export"]),
            package=rebuild(PackageFacts, data["package"]),
            proof=Proof(
                level=ProofLevel(data["proof"]["level"]),
                verdict=Verdict(data["proof"]["verdict"]),
                findings=tuple(
                    rebuild(Finding, {**finding, "severity": Severity(finding["severity"])})
                    for finding in data["proof"]["findings"]
                ),
                member_count=data["package"]["member_count"],
                content_digest=data["package"]["content_digest"],
                counts=data["proof"]["counts"],
            ),
            run=rebuild(RunFacts, data["run"]),
            stored_at=parse_time(data["stored_at"]),
        )
