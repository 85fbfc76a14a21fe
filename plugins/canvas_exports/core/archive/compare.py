"""Compare two stored packages: as a person means it, and member by member."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.manifest import PackageFacts
from canvas_exports.core.archive.package_content import stored_package
from canvas_exports.core.packages.changes.compare import compare_courses
from canvas_exports.core.packages.changes.model import CourseChanges
from canvas_exports.core.packages.changes.version import Version
from canvas_exports.core.packages.content.open import open_content
from canvas_exports.core.packages.diff import PackageContents, PackageDiff, diff, read_contents
from canvas_exports.core.packages.random_access import StoredPackage
from canvas_exports.core.packages.zip.directory import read_directory
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import CorruptPackageError


@dataclass(frozen=True)
class Comparison:
    """What differs between two copies.

    Attributes:
        content: as a person means it.
        members: the members of the packages. They may differ where the content does not, such as in the order of settings.
    """

    content: CourseChanges = field(default_factory=CourseChanges)
    members: PackageDiff = field(default_factory=PackageDiff)

    @property
    def is_same(self) -> bool:
        """Return whether nothing differs."""
        return self.members.is_same and self.content.is_same

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON data; ``content`` follows ``changes-1.schema.json``."""
        return {**self.members.to_json(), "same": self.is_same, "content": self.content.to_json()}


def compare_copies(store: Store, before: Copy, after: Copy, *, with_key: bool = False) -> Comparison:
    """Compare two copies of a course, or of two courses, of one export type.

    Nothing is read if both name one package, or packages of equal content digest. Otherwise the directories, the manifests and
    the documents that differ are read, with a few ranged requests; files are compared by the CRC in the directory.

    Args:
        store: the archive that holds both.
        before: the first version.
        after: the second.
        with_key: show what answer keys of quizzes say; otherwise only whether they differ.

    Raises:
        ObjectNotFoundError: a package is not there.
        CorruptPackageError: a package is not what was stored, or cannot be opened, see ``open_content`` (retryable: verify it).
        ArchiveUnavailableError: the store failed (retryable).
    """
    if has_equal_content(before, after):
        return Comparison()
    export_type = after.export.type
    opened = [_open(store, copy, export_type) for copy in (before, after)]
    members = diff(*(contents for contents, _ in opened))
    return Comparison(compare_courses(*(version for _, version in opened), with_key=with_key), members)


def has_equal_content(before: Copy, after: Copy) -> bool:
    """Return whether the manifests of two copies say that their packages have the same content."""
    one, other = before.package, after.package
    return one.key == other.key or (
        (one.content_digest, one.content_digest_version, before.export.type)
        == (other.content_digest, other.content_digest_version, after.export.type)
    )


def compare_packages(
    store: Store, before: PackageFacts, after: PackageFacts, *, export_type: str
) -> PackageDiff:
    """Compare the members of two stored packages of one export type. Nothing is read to compare a package with itself.

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


def _open(store: Store, copy: Copy, export_type: str) -> tuple[PackageContents, Version]:
    package = stored_package(store, copy)
    try:
        contents = read_contents(package, export_type=export_type)
        checksums = {member.name: (member.size, member.crc) for member in read_directory(package)}
        return contents, Version(open_content(package, export_type=export_type), checksums)
    except CorruptPackageError as error:
        raise type(error)(error.message, context=copy.name, export_id=copy.export.id) from None
