"""Read a zip's directory from the end of the file, and members through it.

Python's ``zipfile`` needs a seekable file, while here only the tail of a streamed package was kept. It also trusts the
directory, while here the members must be in order, without overlap, and fill the file from its first byte to the directory.
"""

from __future__ import annotations

import stat
import struct
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from canvas_exports.core.packages.random_access import BytesNotKeptError, RandomAccess
from canvas_exports.core.packages.zip.format import (
    DEFLATED,
    IN_ZIP64,
    LOCAL,
    STORED,
    UNREADABLE,
    decode_name,
    zip64_values,
)
from canvas_exports.errors import CorruptPackageError
from canvas_exports.foreign_text import harmless

MAX_MEMBERS = 100_000
MAX_DIRECTORY = 32 * 1024 * 1024
MAX_NAMES = 32 * 1024 * 1024

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s4B4HL2L5H2L")
_MAX_COMMENT = 0xFFFF
# Between two entries lie at most a local extra field and a data descriptor.
_MAX_GAP = 0xFFFF + 24
_NARROW = (0xFFFF, IN_ZIP64)
# Programs may put own data between the zip64 end record and its locator; none is known to.
_MAX_RECORD64 = 0xFFFF
_WITH_MODES = (3, 19)  # Unix and macOS, whose file modes stand in the upper half of the attributes

_ORDINARY = (0, stat.S_IFREG, stat.S_IFDIR)

_LONGEST_ENTRY = _ENTRY.size + 3 * 0xFFFF
_READ_AT_ONCE = 4 * 1024 * 1024  # of a directory
_PIECE = 1 << 16  # of a member that is inflated


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of the directory.

    Attributes:
        extent: bytes of the file that belong to it: header, name, data, and a data descriptor.
        is_special: whether its mode is that of a symbolic link, a device or the like.
    """

    name: str
    size: int
    compressed: int
    crc: int
    method: int
    flags: int
    extent: range
    is_special: bool = False

    @property
    def label(self) -> str:
        """Return the name, for a message."""
        return harmless(self.name, most=200)

    @property
    def is_folder(self) -> bool:
        """Return whether the entry only names a folder."""
        return self.name.endswith("/")


def read_directory(package: RandomAccess) -> list[Member]:
    """Return the members of a zip, in the order of their offsets.

    Raises:
        CorruptPackageError: not a zip, truncated, with a wrong directory, or beyond a bound.
        BytesNotKeptError: the directory is longer than what was kept.
    """
    count, window = _find_directory(package)
    if count > MAX_MEMBERS or len(window) > MAX_DIRECTORY:
        raise CorruptPackageError(
            f"the zip claims {count:,} members, in a directory of {len(window):,} bytes; "
            f"no course has more than {MAX_MEMBERS:,}, or {MAX_DIRECTORY:,}"
        )
    members = []
    names = 0
    for member in _entries(package, window):
        members.append(member)
        names += sys.getsizeof(member.name)
        if len(members) > count or names > MAX_NAMES:
            break
    if names > MAX_NAMES:
        raise CorruptPackageError("the names in the zip's directory are longer than any course makes them")
    if len(members) != count:
        raise CorruptPackageError(
            f"the zip's directory lists {len(members):,} members, its end record says {count:,}"
        )
    return _check_layout(members, window.start)


def inflate(member: Member, package: RandomAccess, *, limit: int) -> Iterator[bytes]:
    """Yield the content of one member in pieces, and check its size and CRC.

    Args:
        member: from ``read_directory`` of the same package.
        package: the package.
        limit: in bytes; a member that is or claims to be larger is refused.

    Raises:
        CorruptPackageError: the member differs from the directory, is encrypted, or is too large.
        BytesNotKeptError: the member was not kept.
    """
    check_size(member, limit)
    raw = package.read(member.extent)
    start = content_starts(member, raw)
    yield from _checked(member, _slices(memoryview(raw)[start : start + member.compressed]))


def stream(member: Member, package: RandomAccess) -> Iterator[bytes]:
    """Yield the content of one member of any size, read in ranges of at most 4 MiB, and check its size and CRC.

    The last piece is yielded before the check. Takes the arguments of ``inflate`` and raises its errors.
    """
    yield from _checked(member, _ranges(member, package))


def _ranges(member: Member, package: RandomAccess) -> Iterator[bytes | memoryview]:
    """Yield the compressed content of a member. Its header, and as much as lies in the same range, is read first."""
    first = package.read(member.extent[:_READ_AT_ONCE])
    start = content_starts(member, first, length=len(member.extent))
    at, stop = member.extent.start + start, member.extent.start + start + member.compressed
    yield from _slices(memoryview(first)[start : start + member.compressed])
    at += len(memoryview(first)[start : start + member.compressed])
    while at < stop:
        piece = package.read(range(at, min(at + _READ_AT_ONCE, stop)))
        if not piece:
            raise CorruptPackageError(f"{member.label} ends before its end")
        at += len(piece)
        yield from _slices(memoryview(piece))


def _checked(member: Member, data: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """Yield the content from its compressed pieces, and check its size and CRC at the end."""
    crc = size = 0
    for piece in map(bytes, data) if member.method == STORED else _inflated(member, data):
        crc = zlib.crc32(piece, crc)
        size += len(piece)
        yield piece
    if size != member.size or crc != member.crc:
        raise CorruptPackageError(f"{member.label} is not the member that the zip's directory describes")


@dataclass(frozen=True)
class MemberContent:
    """The content of one member; each iteration inflates it again, see ``inflate``."""

    member: Member
    package: RandomAccess
    limit: int

    def __iter__(self) -> Iterator[bytes]:
        return inflate(self.member, self.package, limit=self.limit)


def check_size(member: Member, limit: int) -> None:
    """Refuse a member whose stated size is beyond a limit, before it is read.

    Raises:
        CorruptPackageError: it is too large.
    """
    larger = max(member.size, member.compressed)
    if larger > limit:
        raise CorruptPackageError(f"{member.label} is {larger:,} bytes, more than the {limit:,} it may be")


def content_starts(member: Member, raw: bytes, *, length: int | None = None) -> int:
    """Return where the content begins in a member's extent, by its first bytes; ``length`` is that of the whole extent."""
    if len(raw) < LOCAL.size:
        raise CorruptPackageError(f"{member.label} is not where the zip's directory says")
    signature, _, flags, method, *_, name_length, extra_length = LOCAL.unpack_from(raw)
    start = int(LOCAL.size + name_length + extra_length)
    if (
        signature != b"PK\x03\x04"
        or method != member.method
        or start + member.compressed > (length or len(raw))
    ):
        raise CorruptPackageError(f"{member.label} is not where the zip's directory says")
    if (flags | member.flags) & UNREADABLE or method not in (STORED, DEFLATED):
        raise CorruptPackageError(f"{member.label} is compressed in a way that Canvas does not use")
    return start


def _slices(data: memoryview) -> Iterator[memoryview]:
    for start in range(0, len(data), _PIECE):
        yield data[start : start + _PIECE]


def _inflated(member: Member, data: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    left = member.size + 1  # one byte too many is enough to detect a wrong size
    try:
        for packed in data:  # the unconsumed rest is copied at every step, so pieces are small
            waiting: bytes | memoryview = packed
            while left and not inflater.eof:
                piece = inflater.decompress(waiting, min(left, _PIECE))
                waiting = inflater.unconsumed_tail
                if not piece and not waiting:
                    break
                left -= len(piece)
                yield piece
    except zlib.error:
        raise CorruptPackageError(f"{member.label} cannot be inflated") from None


def _find_directory(package: RandomAccess) -> tuple[int, range]:
    """Return the number of members and the extent of the directory.

    The comment of a zip may contain end records of other zips. In the right end record, the comment reaches exactly to the
    end of the file, and the directory ends exactly where the record begins.
    """
    start = max(0, package.size - _END.size - _MAX_COMMENT)
    tail = package.read(range(start, package.size))
    refused: CorruptPackageError | None = None
    fitting: list[tuple[int, range]] = []
    found = len(tail)
    while (found := tail.rfind(b"PK\x05\x06", 0, found)) >= 0:
        record = tail[found : found + _END.size]
        if len(record) < _END.size or found + _END.size + _END.unpack(record)[-1] != len(tail):
            continue
        try:
            fitting.append(_directory_of(package, start + found, record))
        except CorruptPackageError as error:
            refused = refused or error
    if len(fitting) > 1:
        fitting = [each for each in fitting if _starts_with_entry(package, *each)]
    if len(fitting) > 1:
        raise CorruptPackageError(
            "the zip has two directories, and programs would differ on which one counts"
        )
    if fitting:
        return fitting[0]
    raise refused or CorruptPackageError("the package is not a zip, or its end is missing")


def _starts_with_entry(package: RandomAccess, count: int, directory: range) -> bool:
    """Return whether the directory begins with an entry."""
    if not count:
        return not directory
    return package.read(range(directory.start, directory.start + 4)) == b"PK\x01\x02"


def _directory_of(package: RandomAccess, end: int, record: bytes) -> tuple[int, range]:
    """Return what the end record at an offset states, or the zip64 end record before it."""
    _, disk, directory_disk, here, count, length, offset, _ = _END.unpack(record)
    locator_start = end - _END64_LOCATOR.size
    locator = package.read(range(locator_start, end)) if locator_start >= 0 else b""
    if not locator.startswith(b"PK\x06\x07"):
        return _checked_location((disk or directory_disk, here, count), offset, length, end)
    try:
        return _directory64_of(package, locator_start, locator)
    except CorruptPackageError:
        # The bytes may only look like a locator, in the comment of the last entry.
        if offset + length != end or any(value in _NARROW for value in (count, length, offset)):
            raise
        return _checked_location((disk or directory_disk, here, count), offset, length, end)


def _directory64_of(package: RandomAccess, locator_start: int, locator: bytes) -> tuple[int, range]:
    stop = int(_END64_LOCATOR.unpack(locator)[2])
    if stop + _END64.size > locator_start or locator_start - stop > _MAX_RECORD64:
        raise CorruptPackageError("the zip's zip64 locator points past its end, or far from it")
    record64 = package.read(range(stop, stop + _END64.size))
    signature, rest, _, _, disk, directory_disk, here, count, length, offset = _END64.unpack(record64)
    if signature != b"PK\x06\x06" or stop + 12 + rest != locator_start:
        raise CorruptPackageError("the zip's zip64 end record is not where its locator says")
    return _checked_location((disk or directory_disk, here, count), offset, length, stop)


def _checked_location(parts: tuple[int, int, int], offset: int, length: int, stop: int) -> tuple[int, range]:
    disk, here, count = parts
    if disk or here != count:
        raise CorruptPackageError("the zip claims to be one of several parts")
    if offset + length != stop:
        raise CorruptPackageError("the zip's directory does not end where its end record begins")
    return count, range(offset, stop)


def _entries(package: RandomAccess, window: range) -> Iterator[Member]:
    """Yield the entries of a directory, which is read in pieces because it may be long."""
    kept, at, unread = b"", 0, window.start
    while at < len(kept) or unread < window.stop:
        if len(kept) - at < _LONGEST_ENTRY and unread < window.stop:
            piece = range(unread, min(unread + _READ_AT_ONCE, window.stop))
            try:
                kept, at, unread = kept[at:] + package.read(piece), 0, piece.stop
            except BytesNotKeptError:
                raise BytesNotKeptError(window) from None
        member, at = _entry(kept, at, window.start)
        yield member


def _entry(directory: bytes, at: int, directory_start: int) -> tuple[Member, int]:
    """Return the entry at an offset, and the offset of the next one."""
    if len(directory) - at < _ENTRY.size or directory[at : at + 4] != b"PK\x01\x02":
        raise CorruptPackageError("the zip's directory is damaged")
    fields = _ENTRY.unpack_from(directory, at)
    system, flags, method, crc, compressed, size = fields[2], *fields[5:7], *fields[9:12]
    name_length, extra_length, comment_length, _, _, attributes, offset = fields[12:]
    names = at + _ENTRY.size
    extras = names + name_length
    following = extras + extra_length + comment_length
    if following > len(directory):
        raise CorruptPackageError("the zip's directory is damaged")
    size, compressed, offset = zip64_values(
        directory[extras : extras + extra_length], size, compressed, offset
    )
    stop = offset + LOCAL.size + name_length + compressed
    if stop > directory_start:
        raise CorruptPackageError("a member of the zip is outside of it")
    special = system in _WITH_MODES and stat.S_IFMT(attributes >> 16) not in _ORDINARY
    name = decode_name(directory[names:extras])
    return Member(name, size, compressed, crc, method, flags, range(offset, stop), special), following


def _check_layout(members: list[Member], directory_start: int) -> list[Member]:
    """Return the members by offset, each extended to the next one; every byte before the directory must belong to a member."""
    members.sort(key=lambda member: member.extent.start)
    starts = [*(member.extent.start for member in members), directory_start]
    if starts[0] != 0:
        raise CorruptPackageError("the zip does not begin with its first member")
    for at, next_start in enumerate(starts[1:]):
        member = members[at]
        gap = next_start - member.extent.stop
        if gap < 0:
            raise CorruptPackageError(f"{member.label} overlaps what follows it in the zip")
        if gap > _MAX_GAP:
            raise CorruptPackageError(f"after {member.label} are {gap:,} bytes that belong to no member")
        if gap:
            members[at] = replace(member, extent=range(member.extent.start, next_start))
    return members
