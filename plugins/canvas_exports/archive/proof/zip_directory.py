"""A zip's directory, read from the end of the file, without the file.

Python's ``zipfile`` wants a seekable file; here the package has streamed by and only its tail was kept. And it
believes what the directory says; here every entry has to lie where it can lie: in order, without overlap, filling
the file from its first byte to the directory.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from canvas_exports.archive.held import Held
from canvas_exports.errors import CorruptPackageError

MAX_MEMBERS = 200_000
MAX_DIRECTORY = 64 * 1024 * 1024

STORED, DEFLATED = 0, 8

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s4B4HL2L5H2L")
LOCAL = struct.Struct("<4s5HL2L2H")
_MAX_COMMENT = 0xFFFF
# Between two entries lie at most a local extra field and a data descriptor.
_MAX_GAP = 0xFFFF + 24
# Flags of what cannot be read as it lies there: encrypted, a patch of something else, strongly encrypted, masked.
SECRET = 0x1 | 0x20 | 0x40 | 0x2000
_IN_ZIP64 = 0xFFFFFFFF  # stands for: too large for 32 bits, look in the zip64 extra field
_WIDE = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class Member:
    """One entry. ``extent`` is all that it may fill in the file: its header, name, data and what follows them."""

    name: str
    size: int
    compressed: int
    crc: int
    method: int
    flags: int
    extent: range

    @property
    def is_folder(self) -> bool:
        """An entry that only names a folder."""
        return self.name.endswith("/")


def read_directory(held: Held) -> list[Member]:
    """The members of a zip, in the order of their offsets.

    Raises:
        CorruptPackageError: not a zip, truncated, or a directory that lies.
        OutOfReachError: the directory is longer than what was kept.
    """
    count, window = _locate(held)
    if count > MAX_MEMBERS or len(window) > MAX_DIRECTORY:
        raise CorruptPackageError(
            f"the zip claims {count:,} members; no course has more than {MAX_MEMBERS:,}"
        )
    members = list(_entries(held.read(window), window.start))
    if len(members) != count:
        raise CorruptPackageError(
            f"the zip's directory lists {len(members):,} members, its end record says {count:,}"
        )
    return _tiled(members, window.start)


def inflate(member: Member, held: Held, *, limit: int) -> Iterator[bytes]:
    """The content of one member, in pieces, checked against its size and CRC.

    Args:
        member: from ``read_directory`` of the same package.
        held: the package.
        limit: bytes; a member that says or turns out to be larger is refused.

    Raises:
        CorruptPackageError: the member is not what the directory says, is encrypted, or too large.
        OutOfReachError: it was not kept.
    """
    if member.size > limit:
        raise CorruptPackageError(
            f"{member.name} is {member.size:,} bytes, more than the {limit:,} it may be"
        )
    data = _packed(member, held.read(member.extent))
    crc = size = 0
    for piece in [data] if member.method == STORED else _inflated(member, data):
        crc = zlib.crc32(piece, crc)
        size += len(piece)
        yield piece
    if size != member.size or crc != member.crc:
        raise CorruptPackageError(f"{member.name} is not the member that the zip's directory describes")


def check_size(member: Member, limit: int) -> None:
    """Refuse a member that says it is larger than it may be, before any of it is read.

    Raises:
        CorruptPackageError: it does.
    """
    larger = max(member.size, member.compressed)
    if larger > limit:
        raise CorruptPackageError(f"{member.name} is {larger:,} bytes, more than the {limit:,} it may be")


def _packed(member: Member, raw: bytes) -> bytes:
    signature, _, flags, method, *_, name_length, extra_length = LOCAL.unpack_from(raw)
    start = LOCAL.size + name_length + extra_length
    if signature != b"PK\x03\x04" or method != member.method or start + member.compressed > len(raw):
        raise CorruptPackageError(f"{member.name} does not lie where the zip's directory says")
    if (flags | member.flags) & SECRET or method not in (STORED, DEFLATED):
        raise CorruptPackageError(f"{member.name} is packed in a way Canvas does not use")
    return raw[start : start + member.compressed]


def _inflated(member: Member, data: bytes) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    left = member.size + 1  # one byte more than promised is enough to see that the promise is broken
    try:
        while left and not inflater.eof:
            piece = inflater.decompress(data, min(left, 1 << 16))
            data = inflater.unconsumed_tail
            if not piece and not data:
                break
            left -= len(piece)
            yield piece
    except zlib.error:
        raise CorruptPackageError(f"{member.name} cannot be inflated") from None


def _locate(held: Held) -> tuple[int, range]:
    """How many members there are, and where their directory lies."""
    end, record = _end_record(held)
    _, disk, directory_disk, here, count, length, offset, _ = _END.unpack_from(record)
    stop = end
    locator_start = end - _END64_LOCATOR.size
    locator = held.read(range(locator_start, end)) if locator_start >= 0 else b""
    if locator.startswith(b"PK\x06\x07"):
        _, _, stop, _ = _END64_LOCATOR.unpack(locator)
        if stop + _END64.size > locator_start:
            raise CorruptPackageError("the zip's zip64 locator points past its end")
        record64 = held.read(range(stop, stop + _END64.size))
        signature, rest, _, _, disk, directory_disk, here, count, length, offset = _END64.unpack(record64)
        if signature != b"PK\x06\x06" or stop + 12 + rest != locator_start:
            raise CorruptPackageError("the zip's zip64 end record is not where its locator says")
    if disk or directory_disk or here != count:
        raise CorruptPackageError("the zip claims to be one of several parts")
    if offset + length != stop:
        raise CorruptPackageError("the zip's directory does not end where its end record begins")
    return count, range(offset, stop)


def _end_record(held: Held) -> tuple[int, bytes]:
    """The end record whose comment reaches exactly to the end of the file, and its offset."""
    start = max(0, held.size - _END.size - _MAX_COMMENT)
    tail = held.read(range(start, held.size))
    found = len(tail)
    while (found := tail.rfind(b"PK\x05\x06", 0, found)) >= 0:
        record = tail[found : found + _END.size]
        if len(record) == _END.size and found + _END.size + _END.unpack(record)[-1] == len(tail):
            return start + found, record
    raise CorruptPackageError("the package is not a zip, or its end is missing")


def _entries(directory: bytes, directory_start: int) -> Iterator[Member]:
    at = 0
    while at < len(directory):
        if len(directory) - at < _ENTRY.size or directory[at : at + 4] != b"PK\x01\x02":
            raise CorruptPackageError("the zip's directory is damaged")
        (
            _,
            _,
            _,
            _,
            _,
            flags,
            method,
            _,
            _,
            crc,
            compressed,
            size,
            name_length,
            extra_length,
            comment_length,
            *rest,
        ) = _ENTRY.unpack_from(directory, at)
        names = at + _ENTRY.size
        extras = names + name_length
        at = extras + extra_length + comment_length
        if at > len(directory):
            raise CorruptPackageError("the zip's directory is damaged")
        size, compressed, offset = wide(directory[extras : extras + extra_length], size, compressed, rest[-1])
        stop = offset + LOCAL.size + name_length + compressed
        if stop > directory_start:
            raise CorruptPackageError("a member of the zip lies outside of it")
        name = decode_name(directory[names:extras])
        yield Member(name, size, compressed, crc, method, flags, range(offset, stop))


def wide(extra: bytes, size: int, compressed: int, offset: int) -> tuple[int, int, int]:
    """The zip64 values of those that do not fit into 32 bits."""
    narrow = [size, compressed, offset]
    if _IN_ZIP64 not in narrow:
        return size, compressed, offset
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        field = extra[at + 4 : at + 4 + length]
        at += 4 + length
        if kind != 1:
            continue
        for position, value in enumerate(narrow):
            if value == _IN_ZIP64 and len(field) >= _WIDE.size:
                (narrow[position],) = _WIDE.unpack_from(field)
                field = field[_WIDE.size :]
    return narrow[0], narrow[1], narrow[2]


def decode_name(raw: bytes) -> str:
    """The name of a member."""
    # Canvas writes UTF-8 without the flag that says so: the flag is not asked.
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp437")


def _tiled(members: list[Member], directory_start: int) -> list[Member]:
    """The members by offset, their extents widened to the next one; every byte before the directory is accounted for."""
    members.sort(key=lambda member: member.extent.start)
    starts = [*(member.extent.start for member in members), directory_start]
    if starts[0] != 0:
        raise CorruptPackageError("the zip does not begin with its first member")
    tiled = []
    for member, next_start in zip(members, starts[1:], strict=True):
        gap = next_start - member.extent.stop
        if gap < 0:
            raise CorruptPackageError(f"{member.name} overlaps what follows it in the zip")
        if gap > _MAX_GAP:
            raise CorruptPackageError(f"after {member.name} lie {gap:,} bytes that no member accounts for")
        widened = range(member.extent.start, next_start)
        tiled.append(replace(member, extent=widened) if gap else member)
    return tiled
