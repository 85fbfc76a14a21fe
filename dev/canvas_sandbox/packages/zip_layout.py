"""The layout of a zip over virtual segments: every size and CRC is known before the first byte."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone

from canvas_sandbox.packages.filler import Filler
from canvas_sandbox.packages.virtual_file import Literal, Segment, VirtualFile

_STORED, _DEFLATED = 0, 8
_LIMIT_32, _LIMIT_16 = 0xFFFFFFFF, 0xFFFF
_PLAIN, _ZIP64 = 20, 45
_UTF8_NAME = 0x0800
_DIRECTORY_MODE, _FILE_MODE = 0o40755 << 16, 0o100644 << 16
_YEAR_ZERO = 1980


@dataclass(frozen=True)
class Member:
    """An entry of the archive: its name (a directory's ends in ``/``), its stored bytes, and their inflated size and CRC."""

    name: str
    data: Segment
    size: int
    crc: int
    method: int = _STORED


def text_member(name: str, text: str) -> Member:
    """Return a small document, deflated."""
    content = text.encode()
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return Member(
        name, Literal(packer.compress(content) + packer.flush()), len(content), zlib.crc32(content), _DEFLATED
    )


def filler_member(name: str, key: str, size: int) -> Member:
    """Return a file of ``size`` bytes that depend on ``key``, stored."""
    filler = Filler(key, size)
    return Member(name, filler, size, filler.crc)


def stored_member(name: str, content: bytes) -> Member:
    """Return a file with these bytes, stored."""
    return Member(name, Literal(content), len(content), zlib.crc32(content))


def directory_member(name: str) -> Member:
    """Return a directory entry; ``name`` ends in ``/``."""
    return Member(name, Literal(b""), 0, 0)


def lay_out(members: Iterable[Member], moment: float, *, zip64: bool = False) -> VirtualFile:
    """Return the archive of ``members``, in their order, with the time ``moment`` (UTC).

    Zip64 records are used where a number does not fit, or throughout with ``zip64``.
    """
    segments: list[Segment] = []
    directory: list[bytes] = []
    stamp, position = _dos_time(moment), 0
    for member in members:
        header = _local_header(member, stamp, zip64=zip64)
        directory.append(_directory_entry(member, stamp, position, zip64=zip64))
        segments += [Literal(header), member.data]
        position += len(header) + member.data.size
    listing = b"".join(directory)
    segments += [Literal(listing), Literal(_end(len(directory), len(listing), position, zip64=zip64))]
    return VirtualFile(segments)


def _dos_time(moment: float) -> bytes:
    time = datetime.fromtimestamp(moment, tz=timezone.utc)
    date = (time.year - _YEAR_ZERO) << 9 | time.month << 5 | time.day
    return struct.pack("<HH", time.hour << 11 | time.minute << 5 | time.second // 2, date)


def _local_header(member: Member, stamp: bytes, *, zip64: bool) -> bytes:
    name, packed = member.name.encode(), member.data.size
    large = zip64 or max(packed, member.size) >= _LIMIT_32
    extra = struct.pack("<HHQQ", 1, 16, member.size, packed) if large else b""
    sizes = (_LIMIT_32, _LIMIT_32) if large else (packed, member.size)
    version = _ZIP64 if large else _PLAIN
    return (
        struct.pack("<4sHHH", b"PK\x03\x04", version, _UTF8_NAME, member.method)
        + stamp
        + struct.pack("<LLLHH", member.crc, *sizes, len(name), len(extra))
        + name
        + extra
    )


def _directory_entry(member: Member, stamp: bytes, offset: int, *, zip64: bool) -> bytes:
    name, packed = member.name.encode(), member.data.size
    fields = [(member.size, _LIMIT_32), (packed, _LIMIT_32), (offset, _LIMIT_32)]
    large = [value for value, limit in fields if zip64 or value >= limit]
    extra = struct.pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""
    size_field, packed_field, offset_field = (
        _LIMIT_32 if zip64 or value >= limit else value for value, limit in fields
    )
    version = _ZIP64 if large else _PLAIN
    mode = _DIRECTORY_MODE | 0x10 if member.name.endswith("/") else _FILE_MODE
    unix = 3 << 8
    return (
        struct.pack("<4sHHHH", b"PK\x01\x02", unix | version, version, _UTF8_NAME, member.method)
        + stamp
        + struct.pack(
            "<LLLHHHHHLL",
            member.crc,
            packed_field,
            size_field,
            len(name),
            len(extra),
            0,
            0,
            0,
            mode,
            offset_field,
        )
        + name
        + extra
    )


def _end(count: int, length: int, offset: int, *, zip64: bool) -> bytes:
    large = zip64 or count >= _LIMIT_16 or max(length, offset) >= _LIMIT_32
    records = b""
    if large:
        records = struct.pack(
            "<4sQHHLLQQQQ", b"PK\x06\x06", 44, 3 << 8 | _ZIP64, _ZIP64, 0, 0, count, count, length, offset
        ) + struct.pack("<4sLQL", b"PK\x06\x07", 0, offset + length, 1)
    short_count = _LIMIT_16 if large else count
    short = (_LIMIT_32, _LIMIT_32) if large else (length, offset)
    return records + struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, short_count, short_count, *short, 0)
