"""What is stated of the bytes of a package: by its manifest, and by the record of a verification that has read all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from canvas_exports.core.archive.catalog.copies import INTACT
from canvas_exports.core.archive.json_documents import MAX_MANIFEST_BYTES, conform, parse, read_bytes
from canvas_exports.core.archive.records import RecordKind, RecordName
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.packages.digests import can_check, mismatch
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ObjectNotFoundError, UnreadableDocumentError


def recorded_by(records: Iterable[RecordName]) -> RecordName | None:
    """Return the newest record of a verification that has digested the whole package; ``None`` if there is none."""
    return next(
        (
            record
            for record in records
            if record.kind is RecordKind.VERIFY
            and (record.detail, record.result) == (ProofLevel.FULL.value, INTACT)
        ),
        None,
    )


def stated_digests(
    store: Store, key: str, size: int, digests: Mapping[str, str], record: RecordName | None
) -> Mapping[str, str]:
    """Return the digests of a package by which it can be compared.

    Those of its manifest; and only if this process cannot make one of them, or may not (``Store.required_digest``), those of
    the record, too. A record counts if it is about the same package: of the same size, and by the digests that both state.

    Args:
        store: the archive.
        key: of the package.
        size: as its manifest states it.
        digests: as its manifest states them.
        record: see ``recorded_by``.

    Raises:
        ArchiveDeniedError: no right to read the record (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    if record is None or can_check(digests, store.required_digest):
        return digests
    try:
        document = parse(read_bytes(store, record.key, MAX_MANIFEST_BYTES), "verification", key=record.key)
        is_second = (
            isinstance(document, dict) and document.get("schema") == "urn:canvas-exports:verification:2"
        )
        package = conform(document, f"verification-{2 if is_second else 1}", key=record.key)["package"]
        recorded = package.get("digests", {})
        if (package["key"], package["size"]) == (key, size) and mismatch(recorded, digests) is None:
            return {**recorded, **digests}
    except (ObjectNotFoundError, UnreadableDocumentError):
        pass  # as if it did not exist
    return digests
