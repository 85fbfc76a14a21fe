"""Prove a package at level ``full``: read a stored package from its first byte to its last, and unpack every member."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.packages.cartridge.document_readers import DocumentReaders
from canvas_exports.core.packages.proof import Expectation, Proof
from canvas_exports.core.packages.prove_directory import Inspection, inspect
from canvas_exports.core.packages.random_access import StoredPackage
from canvas_exports.core.packages.zip.stored_stream import ReadLimit, ReadLimitReached, StoredStream
from canvas_exports.core.packages.zip.unpacking import unpack
from canvas_exports.core.storage.store import Store, not_found

__all__ = ["ReadLimit", "StoredProof", "prove_stored"]


@dataclass(frozen=True)
class StoredProof:
    """The proof of a stored package, and how much of it was read.

    Attributes:
        proof: its ``level`` is ``full`` only if the whole package was read.
        size: size of the object in bytes.
        covered: bytes from the beginning, up to the end of a member, that were read and are consistent; ``size`` if the whole
            package was read.
        digests: of all bytes, hexadecimal, by algorithm; ``None`` unless the whole package was read.
        bytes_read: bytes read from the store, including the directory.
    """

    proof: Proof
    size: int
    covered: int
    digests: Mapping[str, str] | None
    bytes_read: int

    @property
    def is_complete(self) -> bool:
        """Return whether every byte was read."""
        return self.digests is not None


def prove_stored(
    store: Store,
    key: str,
    expect: Expectation,
    *,
    level: ProofLevel = ProofLevel.FULL,
    limit: ReadLimit | None = None,
    algorithms: Iterable[str] = (),
) -> StoredProof:
    """Prove a package in an archive, without changing anything there.

    Reads the directory and the manifest from the end of the package, then, at level ``full``, the whole package in one
    request. Memory holds one block of the store, the directory, and the data that is being unpacked, for packages of any
    size.

    A ``limit`` that is reached is no failure: the proof is then one of level ``directory``, without digest. ``covered`` is
    the number of consistent bytes; damage after them is not detected.

    Args:
        store: the archive.
        key: of the package.
        expect: the expected package.
        level: level of the proof.
        limit: how much may be read at level ``full``.
        algorithms: of the digests to make at level ``full``; see ``core.packages.digests``.

    Raises:
        ObjectNotFoundError: there is no such object, or it was deleted during the read (permanent).
        CorruptPackageError: truncated, damaged, or hostile; names the member if there is one.
        WrongPackageError: of another course or another Canvas (permanent).
        ArchiveDeniedError: no right to read (permanent).
        ArchiveUnavailableError: the store failed, so the state of the package is unknown (retryable).
    """
    info = store.stat(key)
    if info is None:
        raise not_found(key)
    package = StoredPackage(store, key, info.size)
    inspection = inspect(package, expect)
    shallow = inspection.proof(ProofLevel.DIRECTORY)
    if level is ProofLevel.DIRECTORY:
        return StoredProof(shallow, info.size, 0, None, package.bytes_read)
    with StoredStream(store.blocks(key), info.size, limit or ReadLimit(), algorithms) as stream:
        try:
            _prove_members(inspection, stream)
        except ReadLimitReached:
            return StoredProof(shallow, info.size, stream.covered, None, package.bytes_read + stream.read)
        return StoredProof(
            proof=inspection.proof(ProofLevel.FULL),
            size=info.size,
            covered=info.size,
            digests=stream.digests,
            bytes_read=package.bytes_read + stream.read,
        )


def _prove_members(inspection: Inspection, stream: StoredStream) -> None:
    if inspection.manifest is None:
        inspection.findings.update(unpack(stream, inspection.members, lambda _: None))
        stream.finish()
        return
    readers = DocumentReaders(
        inspection.manifest, inspection.files, inspection.work, is_qti=inspection.expect.export_type == "qti"
    )
    inspection.findings.update(unpack(stream, inspection.members, readers.reader_for))
    stream.finish()
    inspection.findings.update(readers.findings())
    inspection.counts |= readers.counts
