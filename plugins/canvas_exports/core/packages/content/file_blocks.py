"""Read the unpacked bytes of a file in a package, or a window of them."""

from __future__ import annotations

from collections.abc import Iterator

from canvas_exports.core.packages.content.package_members import PackageMembers
from canvas_exports.core.packages.random_access import BytesNotKeptError, RandomAccess
from canvas_exports.core.packages.zip.directory import Member, content_starts, stream
from canvas_exports.core.packages.zip.format import LOCAL, STORED
from canvas_exports.core.packages.zip.members import is_readable
from canvas_exports.core.storage.buffers import MiB
from canvas_exports.core.storage.store import not_found
from canvas_exports.errors import CorruptPackageError

_AT_ONCE = 4 * MiB
_LONGEST_HEADER = LOCAL.size + 2 * 0xFFFF


def member_blocks(members: PackageMembers, name: str, window: range | None = None) -> Iterator[bytes]:
    """Yield the bytes of a member in blocks of at most 4 MiB, see ``CourseContent.file_blocks``.

    Raises:
        ObjectNotFoundError: the package has no such member.
        CorruptPackageError: it cannot be unpacked, or its bytes are not what the directory of the package says.
    """
    member = members.by_name.get(name)
    if member is None:
        raise not_found(name)
    if member.is_special or not is_readable(member):
        raise CorruptPackageError(f"{member.label} is no plain file that can be read")
    return _blocks(member, members.package, window)


def _blocks(member: Member, package: RandomAccess, window: range | None) -> Iterator[bytes]:
    try:
        if window is None:
            yield from stream(member, package)
        else:
            part = range(max(window.start, 0), min(window.stop, member.size))
            yield from (
                _stored(member, package, part)
                if member.method == STORED
                else _unpacked(member, package, part)
            )
    except BytesNotKeptError:
        raise CorruptPackageError(f"{member.label} was not kept") from None


def _stored(member: Member, package: RandomAccess, part: range) -> Iterator[bytes]:
    """Read what is stored as it is: the header, which says where it begins, and then only the window."""
    if not part:
        return
    header = package.read(member.extent[:_LONGEST_HEADER])
    start = member.extent.start + content_starts(member, header, length=len(member.extent))
    for at in range(start + part.start, start + part.stop, _AT_ONCE):
        wanted = range(at, min(at + _AT_ONCE, start + part.stop))
        have = memoryview(header)[wanted.start - member.extent.start : wanted.stop - member.extent.start]
        data = bytes(have) if len(have) == len(wanted) else package.read(wanted)
        if len(data) != len(wanted):
            raise CorruptPackageError(f"{member.label} ends before its end")
        yield data


def _unpacked(member: Member, package: RandomAccess, part: range) -> Iterator[bytes]:
    at = 0
    for piece in stream(member, package):
        found = piece[max(part.start - at, 0) : max(part.stop - at, 0)]
        at += len(piece)
        yield found  # also if it is empty: whoever waits for the window can stop
        if at >= part.stop:
            return
