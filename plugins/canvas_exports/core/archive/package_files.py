"""List and read the files in a stored package, by ranged reads, without reading the rest of it."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.package_content import check_directory
from canvas_exports.core.packages.random_access import StoredPackage
from canvas_exports.core.packages.zip.directory import Member, read_directory, stream
from canvas_exports.core.packages.zip.members import is_readable
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import CorruptPackageError, InputError, ObjectNotFoundError
from canvas_exports.foreign_text import harmless


def package_files(store: Store, copy: Copy) -> list[Member]:
    """Return the files in the package of a copy, by name, after a comparison of its directory with the manifest.

    Reads the directory and the cartridge's manifest: a few ranged requests, for a package of any size. The names are those in
    the package: they may be anything, and are no paths to write to.

    Raises:
        PackageError: the package is missing, or not what was stored (permanent).
        ArchiveDeniedError: no right to read it (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    check_directory(store, copy)
    members = read_directory(_opened(store, copy))
    return sorted((member for member in members if not member.is_folder), key=lambda member: member.name)


def find_file(members: list[Member], name: str, *, field: str) -> Member:
    """Return the one file with a name.

    Raises:
        InputError: the package has no such file, or several; or it is a link, or cannot be read (permanent).
    """
    found = [member for member in members if member.name == name]
    if not found:
        near = get_close_matches(name, [member.name for member in members], n=3)
        accepted = ", ".join(harmless(each, most=200) for each in near) or "the name of a file in the package"
        raise InputError(field, f"the package holds no file {harmless(name, most=200)!r}", accepted=accepted)
    if len(found) > 1:
        raise InputError(field, f"{len(found)} files of the package are called {found[0].label!r}")
    if found[0].is_special or not is_readable(found[0]):
        raise InputError(field, f"{found[0].label!r} is no plain file that can be read")
    return found[0]


def file_content(store: Store, copy: Copy, member: Member) -> Iterator[bytes]:
    """Yield the content of one file, in ranges of at most 4 MiB; check its size and CRC at the end.

    Raises:
        CorruptPackageError: the file is not what the directory of the package states; what was yielded is worthless.
        ArchiveUnavailableError: the store failed (retryable).
    """
    try:
        yield from stream(member, _opened(store, copy))
    except ObjectNotFoundError:
        raise CorruptPackageError(f"{copy.package.key} was deleted while it was read") from None


def _opened(store: Store, copy: Copy) -> StoredPackage:
    return StoredPackage(store, copy.package.key, copy.package.size)
