"""Choose the stored packages to verify, and their order."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from canvas_exports.core.archive.catalog.copies import DAMAGED, INTACT, VANISHED, Copy
from canvas_exports.core.archive.catalog.read import Holding
from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.manifest import read_manifest
from canvas_exports.core.archive.records import RecordKind, RecordName
from canvas_exports.core.archive.verification.stated_digests import recorded_by
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ObjectNotFoundError

#: Packages of one run; at a minute each, they take five weeks. It bounds the memory for the order.
MOST = 50_000

_KNOWN = (INTACT, DAMAGED, VANISHED)


@dataclass(frozen=True)
class Candidate:
    """A stored package that one or more manifests name.

    Attributes:
        context: such as ``course:101``.
        export_type: ``common_cartridge``, ``qti`` or ``zip``.
        export_id: Canvas's id of the export that built it.
        key: of the package.
        size: bytes, as its manifest states them.
        digests: of its bytes, by algorithm, as its manifest states them.
        content_digest: as its manifest states it.
        content_digest_version: version of the rules for ``content_digest``.
        member_count: number of files in it, as its manifest states it.
        label: the course code, for people.
        stored_at: when the first manifest that names it was written.
        named_by: key of the manifest from which all of this is.
        verified: its newest verification of the wanted level or a deeper one; ``None`` if there is none.
        recorded: see ``stated_digests.recorded_by``.
    """

    context: str
    export_type: str
    export_id: int
    key: str
    size: int
    digests: Mapping[str, str]
    content_digest: str
    content_digest_version: int
    member_count: int
    label: str | None
    stored_at: datetime
    named_by: str
    verified: RecordName | None
    recorded: RecordName | None

    @property
    def manifest(self) -> str:
        """Key of the manifest that was written for the package, beside which its records lie."""
        return manifest_key(self.key)


def candidates(holding: Holding, level: ProofLevel) -> Iterator[Candidate]:
    """Yield every package that the manifests of a context name, each once.

    Args:
        holding: the copies of a context.
        level: level of the verification; earlier verifications of a shallower level do not count.
    """
    seen: set[str] = set()
    for copy in holding.copies:  # oldest first: the package was built for the first copy that names it
        if copy.package.key not in seen:
            seen.add(copy.package.key)
            yield candidate_of(copy, level)


def reread_candidate(store: Store, candidate: Candidate) -> Candidate | None:
    """Return the candidate as its manifest states it now; ``None`` if the manifest is deleted.

    The candidate may come from the index, which may be stale or forged.

    Raises:
        UnreadableDocumentError: the manifest cannot be read (permanent).
        ArchiveDeniedError: no right to read it (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    try:
        manifest = read_manifest(store, candidate.named_by)
    except ObjectNotFoundError:
        return None
    current = candidate_of(Copy.of(candidate.named_by, manifest), ProofLevel.FULL)
    return replace(current, verified=candidate.verified, recorded=candidate.recorded)


def least_recently_verified(found: Iterable[Candidate], most: int = MOST) -> list[Candidate]:
    """Return the candidates whose verification is longest ago: those never verified first, the oldest of them first.

    Memory is bounded by ``most``.
    """
    return heapq.nsmallest(most, found, key=_urgency)


def _urgency(candidate: Candidate) -> tuple[float, float, str]:
    verified = candidate.verified
    return verified.at.timestamp() if verified else 0.0, candidate.stored_at.timestamp(), candidate.key


def candidate_of(copy: Copy, level: ProofLevel) -> Candidate:
    """Return the package of a copy, to be verified at a level."""
    return Candidate(
        context=copy.name,
        export_type=copy.export.type,
        export_id=copy.export.id,
        key=copy.package.key,
        size=copy.package.size,
        digests=copy.package.digests,
        content_digest=copy.package.content_digest,
        content_digest_version=copy.package.content_digest_version,
        member_count=copy.package.member_count,
        label=copy.context.course_code,
        stored_at=copy.stored_at,
        named_by=copy.key,
        verified=next((record for record in copy.records if _counts(record, level)), None),
        recorded=recorded_by(copy.records),
    )


def _counts(record: RecordName, level: ProofLevel) -> bool:
    deep_enough = level is ProofLevel.DIRECTORY or record.detail == level.value
    return record.kind is RecordKind.VERIFY and record.result in _KNOWN and deep_enough
