"""Open the package of a copy for reading, by ranged reads; if asked, after a look at whether it still is what was stored."""

from __future__ import annotations

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.verification.candidates import candidate_of
from canvas_exports.core.archive.verification.verify_package import VerificationResult, verify_package
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.packages.content.model import CourseContent
from canvas_exports.core.packages.content.open import open_content
from canvas_exports.core.packages.random_access import StoredPackage
from canvas_exports.core.storage.buffers import MiB
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import PackageError

# Of the zip's directory, which is at the end, and of what Canvas puts before it.
_PER_MEMBER = 160
_BEFORE = MiB // 4
_MOST = 4 * MiB


def open_package(store: Store, copy: Copy) -> CourseContent:
    """Open the package of a copy: two to four ranged requests, for a package of any size.

    The package is not compared with its manifest in the archive, except for its size: ``open_copy`` does that.

    Raises:
        ObjectNotFoundError: the package is not there (permanent).
        CorruptPackageError: it cannot be opened, see ``open_content``.
        ArchiveDeniedError: no right to read it (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    return open_content(stored_package(store, copy), export_type=copy.export.type)


def open_copy(store: Store, copy: Copy) -> CourseContent:
    """Return the content of a copy, after ``check_directory``: a few ranges more than ``open_package``.

    Raises:
        PackageError: the package is missing, or not what was stored (permanent).
        UnknownDigestError: none of its digests can be made here (permanent).
        ArchiveDeniedError: no right to read it (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    check_directory(store, copy)
    return open_package(store, copy)


def check_directory(store: Store, copy: Copy) -> None:
    """Compare the directory of a package with its manifest in the archive.

    Reads a few ranges, of a package of any size. Each file and document is checked when it is read.

    Raises:
        PackageError: the package is missing, or not what was stored (permanent).
        UnknownDigestError: none of its digests can be made here (permanent).
        ArchiveDeniedError: no right to read it (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    found = verify_package(store, candidate_of(copy, ProofLevel.DIRECTORY), ProofLevel.DIRECTORY)
    if found.result is not VerificationResult.INTACT:
        raise PackageError(f"{copy.package.key}: {found.reason.rstrip('.')}", context=copy.name)


def stored_package(store: Store, copy: Copy) -> StoredPackage:
    """Return the package of a copy for ranged reads; its directory and what is before it take one request. Nothing is read."""
    facts = copy.package
    end = min(_BEFORE + _PER_MEMBER * max(facts.member_count, 0), _MOST)
    return StoredPackage(store, facts.key, facts.size, end=end)
