"""Compare two stored packages of one export type."""

from __future__ import annotations

from canvas_exports.core.archive.manifest import PackageFacts
from canvas_exports.core.packages.diff import PackageDiff, diff, read_contents
from canvas_exports.core.packages.random_access import StoredPackage
from canvas_exports.core.storage.store import Store


def compare_packages(
    store: Store, before: PackageFacts, after: PackageFacts, *, export_type: str
) -> PackageDiff:
    """Compare two stored packages of one export type. Nothing is read to compare a package with itself.

    Args:
        store: the archive that holds both.
        before: the first version.
        after: the second.
        export_type: ``common_cartridge``, ``qti`` or ``zip``.

    Raises:
        ObjectNotFoundError: a package is not there.
        CorruptPackageError: a package is not what was stored, see ``read_directory`` (retryable: verify it).
        ArchiveUnavailableError: the store failed (retryable).
    """
    if before.key == after.key:
        return PackageDiff()
    first, second = (
        read_contents(StoredPackage(store, package.key, package.size), export_type=export_type)
        for package in (before, after)
    )
    return diff(first, second)
