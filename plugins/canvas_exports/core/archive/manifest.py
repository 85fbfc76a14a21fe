"""The manifest: the document that describes a package and stands beside it. Written last, it is the commit marker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from canvas_exports.core.archive.json_documents import (
    MAX_MANIFEST_BYTES,
    conform,
    encoded,
    parse,
    plain,
    read_bytes,
    rebuild,
)
from canvas_exports.core.archive.layout import (
    context_folder,
    context_of,
    is_package_below,
    names_other_export,
)
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.model.probes import ProbeFacts
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.packages.proof import NEVER_HELD, Finding, Proof, Severity, Verdict
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import format_time, parse_time
from canvas_exports.errors import UnreadableDocumentError

SCHEMA_1 = "urn:canvas-exports:manifest:1"
#: Of manifests that a reader of schema 1 could not act on: without SHA-256, or of a course that was not exported.
SCHEMA_2 = "urn:canvas-exports:manifest:2"
#: How an archive names its manifests: every schema that this release reads.
SCHEMAS = (SCHEMA_1, SCHEMA_2)

_KINDS = {SCHEMA_1: "manifest-1", SCHEMA_2: "manifest-2"}
_SHA256 = "sha256"
_LONGEST_MESSAGE = 1000
_LONGEST_MEMBER = 500  # characters: the manifest stays readable, however many findings there are


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
    """The content export of Canvas. ``canvas_host`` is a host name; the user ``user_id`` exported what they may see.

    ``version`` is the cartridge version that was asked for; ``None`` for Canvas's default.
    """

    id: int
    type: str
    created_at: datetime
    canvas_host: str
    user_id: int | None = None
    finished_at: datetime | None = None
    select: Mapping[str, Any] | None = None
    version: str | None = None


@dataclass(frozen=True)
class PackageFacts:
    """The stored object.

    ``digests`` are those of its bytes, hexadecimal, by algorithm: ``blake3``, ``sha256``, or one that only a later release
    knows. Content digests are comparable within one version of their rules.
    """

    key: str
    size: int
    digests: Mapping[str, str]
    content_digest: str
    member_count: int
    media_type: str
    content_digest_version: int = 1

    @property
    def sha256(self) -> str | None:
        """Return the SHA-256 of the package, in hexadecimal; ``None`` if its manifest does not state it."""
        return self.digests.get(_SHA256)

    @property
    def identity(self) -> str:
        """Return a digest by which to tell this package from any other under its key: the same in every release."""
        name = _SHA256 if _SHA256 in self.digests else min(self.digests)
        return self.digests[name] if name == _SHA256 else f"{name}:{self.digests[name]}"


@dataclass(frozen=True)
class ManifestDraft:
    """The part of a manifest that is known before the download. ``key`` is that of the package (see ``layout.package_key``)."""

    key: str
    context: ContextFacts
    export: ExportFacts
    run: RunFacts
    probe: ProbeFacts | None = None


@dataclass(frozen=True)
class Manifest:
    """A stored package: its content, origin, digests, and the findings of its proof.

    ``confirmed_at`` is set if nothing was exported: the probes read at this time were equal to those of the copy whose
    ``export``, ``package``, ``proof`` and ``probe`` this manifest repeats.
    """

    context: ContextFacts
    export: ExportFacts
    package: PackageFacts
    proof: Proof
    run: RunFacts
    stored_at: datetime
    probe: ProbeFacts | None = None
    confirmed_at: datetime | None = None

    @property
    def created_at(self) -> datetime:
        """Return the time of the copy: when Canvas created its export, or when the copy was confirmed without one."""
        return self.confirmed_at or self.export.created_at

    @property
    def schema(self) -> str:
        """Return the schema of the document: 1 as long as a reader of schema 1 can act on it."""
        return SCHEMA_1 if self.package.sha256 is not None and self.confirmed_at is None else SCHEMA_2

    def to_json(self) -> bytes:
        """Return the document, valid against ``schemas/manifest-1.schema.json`` or ``schemas/manifest-2.schema.json``."""
        is_first = self.schema == SCHEMA_1
        document = {
            "schema": self.schema,
            "context": plain(self.context),
            "export": plain(self.export),
            "package": {**plain(self.package), **({_SHA256: self.package.sha256} if is_first else {})},
            "proof": {
                "level": self.proof.level.value,
                "verdict": self.proof.verdict.value,
                "findings": [plain(_short(finding)) for finding in self.proof.findings],
                "counts": dict(self.proof.counts),
                "never_held": list(NEVER_HELD.get(self.export.type, ())),
            },
            "run": plain(self.run),
            "probe": None if self.probe is None else plain(self.probe),
            "stored_at": format_time(self.stored_at),
        }
        if self.confirmed_at is not None:
            document["confirmed_at"] = format_time(self.confirmed_at)
        if wrong := problem(_KINDS[self.schema], document):
            raise ValueError(f"not a manifest: {wrong}")
        return encoded(document, indent=2) + b"\n"

    @classmethod
    def from_json(cls, document: bytes, *, key: str | None = None) -> Manifest:
        """Read a document. Fields of a newer version are left out.

        Args:
            document: its bytes.
            key: of the document, for the error.

        Raises:
            UnreadableDocumentError: it is not a manifest, or one of another schema (permanent).
        """
        return cls.from_data(parse(document, "manifest", key=key), key=key)

    @classmethod
    def from_data(cls, data: Any, *, key: str | None = None) -> Manifest:
        """Read JSON data, as ``json_documents.parse`` returns it."""
        schema = data.get("schema") if isinstance(data, dict) else None
        is_first = schema != SCHEMA_2
        data = conform(data, "manifest-1" if is_first else "manifest-2", key=key)
        probe, confirmed_at = data.get("probe"), None if is_first else data.get("confirmed_at")
        try:
            return cls(
                context=rebuild(ContextFacts, data["context"]),
                export=rebuild(ExportFacts, data["export"]),
                package=rebuild(PackageFacts, _with_digests(data["package"], is_first=is_first, key=key)),
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
                probe=None if probe is None else rebuild(ProbeFacts, probe),
                confirmed_at=None if confirmed_at is None else parse_time(confirmed_at),
            )
        except ValueError:  # the schema knows no calendar
            raise UnreadableDocumentError(
                "it is not a manifest: it names a time that there is not", key=key
            ) from None

    def placement_problem(self, key: str) -> str | None:
        """Return why the manifest cannot belong to its key, in a sentence; ``None`` if it can.

        A manifest belongs to the folder of its context, and names a package there; another one is never followed to the package
        that it names. If its key names an export and a time, the manifest is about that export, created or confirmed at that time.
        """
        about = (self.context.kind, self.context.id)
        if about != context_of(key):
            return f"it is the manifest of {about[0]}:{about[1]}: it was moved here"
        if not is_package_below(context_folder(*about), self.package.key):
            return "the package it names is not in its context's folder"
        if names_other_export(key, self.created_at, self.export.id):
            return (
                "it is about another export than its own name says: it lies in the place of another manifest"
            )
        return None


def load_manifest(store: Store, key: str, *, size: int | None = None) -> Manifest:
    """Read a manifest without checking its place and the package that it names.

    Args:
        store: the archive.
        key: of the manifest.
        size: as a listing states it; without it, one more request is needed.

    Raises:
        ObjectNotFoundError: there is none (permanent).
        UnreadableDocumentError: it is not a manifest (permanent).
        ArchiveDeniedError: no right to read it (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    return Manifest.from_json(read_bytes(store, key, MAX_MANIFEST_BYTES, size=size), key=key)


def read_manifest(store: Store, key: str, *, size: int | None = None) -> Manifest:
    """Read the manifest of a copy: as ``load_manifest``, and check that it belongs to its key.

    Raises:
        UnreadableDocumentError: it is not a manifest, is about another context, or names a package elsewhere (permanent).
    """
    manifest = load_manifest(store, key, size=size)
    if wrong := manifest.placement_problem(key):
        raise UnreadableDocumentError(wrong, key=key)
    return manifest


def _with_digests(package: Mapping[str, Any], *, is_first: bool, key: str | None) -> Mapping[str, Any]:
    """Return the facts of a package with all its digests in one place.

    Raises:
        UnreadableDocumentError: a manifest of schema 1 states two SHA-256 (permanent).
    """
    if not is_first:
        return package
    digests = {_SHA256: package[_SHA256], **package.get("digests", {})}
    if digests[_SHA256] != package[_SHA256]:
        raise UnreadableDocumentError("it is not a manifest: it states two SHA-256 of one package", key=key)
    return {**package, "digests": digests}


def _short(finding: Finding) -> Finding:
    """Cut long texts: names of members come from packages."""
    if len(finding.message) <= _LONGEST_MESSAGE and len(finding.member or "") <= _LONGEST_MEMBER:
        return finding
    member = finding.member and finding.member[:_LONGEST_MEMBER]
    return replace(finding, message=finding.message[:_LONGEST_MESSAGE], member=member)
