"""The proof at level ``full``: a stored package read from its first byte to its last, and every member unpacked."""

from __future__ import annotations

from dataclasses import dataclass

from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.packages.cartridge.document_readers import Contents
from canvas_exports.core.packages.proof import Expectation, Proof
from canvas_exports.core.packages.prove_directory import Inspection, inspect
from canvas_exports.core.packages.random_access import StoredPackage
from canvas_exports.core.packages.zip.directory import Member
from canvas_exports.core.packages.zip.stored_stream import Limit, LimitReached, Stream
from canvas_exports.core.packages.zip.unpacking import unpack
from canvas_exports.core.storage.store import Store, not_found

__all__ = ["Limit", "StoredProof", "prove_stored"]


@dataclass(frozen=True)
class StoredProof:
    """What was found out about a stored package.

    Attributes:
        proof: its ``level`` is ``full`` only if all of it was read.
        size: bytes of the object.
        covered: bytes from its front, up to the end of a member, that were read and hold together; ``size`` once all of it
            was read.
        sha256: of all its bytes, in hexadecimal; ``None`` unless all of it was read.
        bytes_read: that came from the store, the directory included.
    """

    proof: Proof
    size: int
    covered: int
    sha256: str | None
    bytes_read: int

    @property
    def is_complete(self) -> bool:
        """Whether every byte was read."""
        return self.sha256 is not None


def prove_stored(
    store: Store,
    key: str,
    expect: Expectation,
    *,
    level: ProofLevel = ProofLevel.FULL,
    limit: Limit | None = None,
) -> StoredProof:
    """Prove a package that lies in an archive. Changes nothing there.

    First the directory and the manifest are read from its end, then, at level ``full``, all of it in one request from its
    front: memory holds one block of the store, the directory, and what is being unpacked, however large the package is.

    A ``limit`` that is reached is no failure: the proof is then one of level ``directory``, without digest, and ``covered``
    says how far it came. What was read until then holds together; damage behind it is not seen.

    Args:
        store: the archive.
        key: of the package.
        expect: what it must be.
        level: how deep to look.
        limit: how much may be read at level ``full``.

    Raises:
        ObjectNotFoundError: there is no such object, or it vanished while it was read (permanent).
        CorruptPackageError: truncated, damaged, or hostile; names the member where there is one.
        WrongPackageError: of another course or another Canvas (permanent).
        ArchiveDeniedError: no right to read (permanent).
        ArchiveUnavailableError: the store failed, so nothing is known of the package (retryable).
    """
    info = store.stat(key)
    if info is None:
        raise not_found(key)
    package = StoredPackage(store, key, info.size)
    inspection = inspect(package, expect)
    shallow = inspection.proof(ProofLevel.DIRECTORY)
    if level is ProofLevel.DIRECTORY:
        return StoredProof(shallow, info.size, 0, None, package.fetched)
    with Stream(store.blocks(key), info.size, limit or Limit()) as stream:
        try:
            _look_deeper(inspection, stream)
        except LimitReached:
            return StoredProof(shallow, info.size, stream.covered, None, package.fetched + stream.read)
        return StoredProof(
            proof=inspection.proof(ProofLevel.FULL),
            size=info.size,
            covered=info.size,
            sha256=stream.sha256,
            bytes_read=package.fetched + stream.read,
        )


def _look_deeper(inspection: Inspection, stream: Stream) -> None:
    if inspection.manifest is None:
        inspection.findings.update(unpack(stream, inspection.members, _nobody))
        stream.finish()
        return
    contents = Contents(
        inspection.manifest, inspection.files, inspection.work, is_qti=inspection.expect.export_type == "qti"
    )
    inspection.findings.update(unpack(stream, inspection.members, contents.of))
    stream.finish()
    inspection.findings.update(contents.findings())
    inspection.counts |= contents.counts


def _nobody(_: Member) -> None:
    """A file export: people's files only."""
