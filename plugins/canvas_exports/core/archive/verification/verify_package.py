"""Verify one stored package: prove it again, and compare it with its manifest."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum

from canvas_exports.core.archive.verification.candidates import Candidate
from canvas_exports.core.archive.verification.stated_digests import stated_digests
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.packages.content_digest import VERSION
from canvas_exports.core.packages.digests import algorithms_to_verify, mismatch
from canvas_exports.core.packages.proof import Expectation
from canvas_exports.core.packages.prove_stored import StoredProof, prove_stored
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import CorruptPackageError, ObjectNotFoundError


class VerificationResult(str, Enum):
    """The result of the verification of a package."""

    INTACT = "intact"
    DAMAGED = "damaged"
    VANISHED = "vanished"

    @property
    def definition(self) -> str:
        """Return the meaning, in one sentence."""
        return _DEFINITIONS[self][0]

    @property
    def next_step(self) -> str | None:
        """Return what to do about it; ``None`` if there is nothing to do."""
        return _DEFINITIONS[self][1]


_OLDER_VERSION = (
    "Look for an older version of the object in the store. The next backup stores the course again; "
    "do not delete the course in Canvas before."
)
_DEFINITIONS = {
    VerificationResult.INTACT: ("The package is what was stored.", None),
    VerificationResult.DAMAGED: ("The package is there, but is not what was stored.", _OLDER_VERSION),
    VerificationResult.VANISHED: (
        "The manifest is there, but its package is not.",
        f"Find out who deleted it. {_OLDER_VERSION}",
    ),
}


@dataclass(frozen=True)
class PackageVerification:
    """The verification of one package.

    Attributes:
        candidate: the package.
        level: level of the verification.
        result: its result.
        reason: the reason, in one sentence.
        ended_at: its end (UTC, whole seconds).
        seconds: its duration.
        bytes_read: bytes read from the store.
        digests: of the package, by algorithm: those that its manifest states, and those that this verification has added.
    """

    candidate: Candidate
    level: ProofLevel
    result: VerificationResult
    reason: str
    ended_at: datetime
    seconds: float
    bytes_read: int
    digests: Mapping[str, str]


def verify_package(store: Store, candidate: Candidate, level: ProofLevel) -> PackageVerification:
    """Prove one stored package again, and compare it with its manifest. Changes nothing.

    Level ``directory`` checks the size, the directory of the zip and the manifest of the cartridge; it does not detect
    damage inside a file. Level ``full`` reads every byte, unpacks every file, compares the digests, and adds those that the
    manifest does not state.

    Raises:
        UnknownDigestError: no digest of the package can be made here: its state is unknown (permanent).
        ArchiveDeniedError: no right to read (permanent).
        ArchiveUnavailableError: the store failed: the state of the package is unknown (retryable).
    """
    began = time.monotonic()
    stated = stated_digests(store, candidate.key, candidate.size, candidate.digests, candidate.recorded)
    algorithms = algorithms_to_verify(stated, store.required_digest, key=candidate.named_by)
    result, reason, read, added = _compared(store, candidate, level, stated, algorithms)
    return PackageVerification(
        candidate=candidate,
        level=level,
        result=result,
        reason=reason,
        ended_at=datetime.now(timezone.utc).replace(microsecond=0),
        seconds=round(time.monotonic() - began, 3),
        bytes_read=read,
        digests={**added, **candidate.digests},
    )


def _compared(
    store: Store,
    candidate: Candidate,
    level: ProofLevel,
    stated: Mapping[str, str],
    algorithms: Sequence[str],
) -> tuple[VerificationResult, str, int, Mapping[str, str]]:
    """Return the result, its reason, the bytes read, and the digests of a package that is intact."""
    try:
        stored = prove_stored(
            store, candidate.key, Expectation(candidate.export_type), level=level, algorithms=algorithms
        )
    except ObjectNotFoundError:
        return VerificationResult.VANISHED, VerificationResult.VANISHED.definition, 0, {}
    except CorruptPackageError as error:
        # How much was read is unknown, so the budget counts the whole package.
        read = candidate.size if level is ProofLevel.FULL else 0
        return VerificationResult.DAMAGED, error.message, read, {}
    if wrong := _difference(candidate, stored, stated):
        return VerificationResult.DAMAGED, wrong, stored.bytes_read, {}
    return (
        VerificationResult.INTACT,
        VerificationResult.INTACT.definition,
        stored.bytes_read,
        stored.digests or {},
    )


def _difference(candidate: Candidate, stored: StoredProof, stated: Mapping[str, str]) -> str | None:
    """Return in what the package differs from its manifest; ``None`` if it does not differ."""
    if stored.size != candidate.size:
        return f"it has {stored.size:,} bytes, not the {candidate.size:,} that were stored"
    if stored.digests is not None and (name := mismatch(stored.digests, stated)):
        return f"its {name} is not the one that was stored"
    if stored.proof.member_count != candidate.member_count:
        return f"it holds {stored.proof.member_count:,} files, not the {candidate.member_count:,} of its manifest"
    if (
        candidate.content_digest_version == VERSION
        and stored.proof.content_digest != candidate.content_digest
    ):
        return "its directory is not the one that was stored"
    return None
