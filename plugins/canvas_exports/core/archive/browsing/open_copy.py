"""Open the package of a copy for reading, after a look at whether it still is what was stored."""

from __future__ import annotations

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.package_content import open_package
from canvas_exports.core.archive.verification.candidates import candidate_of
from canvas_exports.core.archive.verification.verify_package import VerificationResult, verify_package
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.packages.content.model import CourseContent
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import PackageError


def open_copy(store: Store, copy: Copy) -> CourseContent:
    """Return the content of a copy, after a comparison of the package's directory with the manifest.

    Reads a few ranges, of a package of any size. Each file and document is checked when it is read.

    Raises:
        PackageError: the package is missing, or not what was stored (permanent).
        ArchiveDeniedError: no right to read it (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    found = verify_package(store, candidate_of(copy, ProofLevel.DIRECTORY), ProofLevel.DIRECTORY)
    if found.result is not VerificationResult.INTACT:
        raise PackageError(f"{copy.package.key}: {found.reason.rstrip('.')}", context=copy.name)
    return open_package(store, copy)
