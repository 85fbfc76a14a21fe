"""Write the record of a verification beside the manifest, which itself is never changed."""

from __future__ import annotations

from datetime import datetime

from canvas_exports.core.archive.json_documents import encoded, plain
from canvas_exports.core.archive.records import RecordKind, RecordName, described
from canvas_exports.core.archive.run_report import OutcomeRecord
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.archive.verification.candidates import Candidate
from canvas_exports.core.archive.verification.verify_package import PackageVerification, VerificationResult
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import format_time


def put_record(store: Store, verification: PackageVerification, run: RunFacts) -> RecordName:
    """Write the record of a verification. A second record of the same second and result is not written.

    Raises:
        ArchiveDeniedError: no right to write (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    candidate = verification.candidate
    name = RecordName(
        candidate.manifest,
        RecordKind.VERIFY,
        verification.ended_at,
        verification.level.value,
        verification.result.value,
    )
    version, package = described(candidate.key, candidate.size, verification.digests)
    document = {
        "schema": f"urn:canvas-exports:verification:{version}",
        "context": candidate.context,
        "package": package,
        "level": verification.level.value,
        "result": verification.result.value,
        "reason": verification.reason,
        "ended_at": format_time(verification.ended_at),
        "seconds": verification.seconds,
        "bytes_read": verification.bytes_read,
        "run": plain(run),
    }
    if wrong := problem(f"verification-{version}", document):
        raise ValueError(f"not a verification: {wrong}")
    store.put_if_absent(name.key, encoded(document, indent=2) + b"\n")
    return name


def row(verification: PackageVerification) -> OutcomeRecord:
    """Return a verification as a row of a run report."""
    return _row(
        verification.candidate,
        verification.result,
        verification.reason,
        verification.seconds,
        verification.ended_at,
    )


def row_of_record(candidate: Candidate, name: RecordName) -> OutcomeRecord:
    """Return the row of a package that an earlier attempt of the same run has verified."""
    result = VerificationResult(name.result)
    return _row(
        candidate, result, f"{result.definition} An earlier attempt of this run found it.", None, name.at
    )


def _row(
    candidate: Candidate, result: VerificationResult, reason: str, seconds: float | None, ended_at: datetime
) -> OutcomeRecord:
    return OutcomeRecord(
        context=candidate.context,
        export_type=candidate.export_type,
        outcome=result.value,
        reason=reason,
        next_step=result.next_step,
        problem=result is not VerificationResult.INTACT,
        name=candidate.label,
        export_id=candidate.export_id,
        key=candidate.key,
        size=candidate.size,
        seconds=seconds,
        finished_at=ended_at,
    )
