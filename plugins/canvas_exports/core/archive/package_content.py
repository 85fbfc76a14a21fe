"""Open the package of a copy for reading, by ranged reads."""

from __future__ import annotations

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.packages.content.model import CourseContent
from canvas_exports.core.packages.content.open import open_content
from canvas_exports.core.packages.random_access import StoredPackage
from canvas_exports.core.storage.buffers import MiB
from canvas_exports.core.storage.store import Store

# Of the zip's directory, which is at the end, and of what Canvas puts before it.
_PER_MEMBER = 160
_BEFORE = MiB // 4
_MOST = 4 * MiB


def open_package(store: Store, copy: Copy) -> CourseContent:
    """Open the package of a copy: two to four ranged requests, for a package of any size.

    The package is not compared with its manifest in the archive, except for its size: *verify* does that.

    Raises:
        ObjectNotFoundError: the package is not there (permanent).
        CorruptPackageError: it cannot be opened, see ``open_content``.
        ArchiveDeniedError: no right to read it (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    return open_content(stored_package(store, copy), export_type=copy.export.type)


def stored_package(store: Store, copy: Copy) -> StoredPackage:
    """Return the package of a copy for ranged reads; its directory and what is before it take one request. Nothing is read."""
    facts = copy.package
    end = min(_BEFORE + _PER_MEMBER * max(facts.member_count, 0), _MOST)
    return StoredPackage(store, facts.key, facts.size, end=end)
