"""Unpack every member of a zip while it streams by, and compare header, content, size and checksum with the directory."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from isal import igzip_lib, isal_zlib

from canvas_exports.core.packages.proof import Finding, Severity
from canvas_exports.core.packages.zip.directory import Member
from canvas_exports.core.packages.zip.format import LOCAL, STORED, UNREADABLE, decode_name, zip64_values
from canvas_exports.core.packages.zip.members import is_readable
from canvas_exports.core.packages.zip.stored_stream import PIECE, StoredStream
from canvas_exports.errors import CorruptPackageError

_SIZES_FOLLOW = 0x8
# With and without a signature, with sizes of 64 and of 32 bits; longest first, or zeros would fit too early.
_DESCRIPTORS = tuple(struct.Struct(form) for form in ("<4sL2Q", "<L2Q", "<4s3L", "<3L"))


class MemberReader(Protocol):
    """Reads the content of one member."""

    def feed(self, piece: bytes | memoryview) -> None:
        """Read the next bytes."""

    def end(self) -> None:
        """End the member, whose checksum is right."""


ReaderFor = Callable[[Member], "MemberReader | None"]
"""Returns the reader of a member, or ``None`` for a member that is only checked."""


def unpack(stream: StoredStream, members: Iterable[Member], reader_for: ReaderFor) -> Iterator[Finding]:
    """Unpack the members in the order of their offsets, from the stream's first byte on.

    Encrypted members and those with an unknown compression are skipped. Archives within the package are not opened: their
    bytes are checked like those of any other file.

    Raises:
        CorruptPackageError: names the member that differs from the directory (retryable).
        ReadLimitReached: no more of the stream may be read.
    """
    for member in members:
        head = _Header(stream, member)
        if is_readable(member):
            _check_content(stream, member, reader_for(member))
        else:
            for _ in stream.pieces(member.compressed):
                pass
        rest = stream.take(member.extent.stop - stream.position)
        stray = len(rest) - (_descriptor(member, head, rest) if head.sizes_follow else 0)
        stream.covered = stream.position
        if stray:
            text = f"after it are {stray:,} bytes that belong to no member"
            yield Finding("stray_bytes", Severity.WARNING, text, member.name)


class _Header:
    """The header before a member's content; it must agree with the directory."""

    def __init__(self, stream: StoredStream, member: Member) -> None:
        signature, _, flags, method, _, _, crc, compressed, size, name_length, extra_length = LOCAL.unpack(
            stream.take(LOCAL.size)
        )
        if signature != b"PK\x03\x04":
            raise CorruptPackageError(f"{member.label} is not where the zip's directory says")
        room = len(member.extent) - LOCAL.size - member.compressed
        if name_length + extra_length > room:
            raise CorruptPackageError(f"{member.label} does not fit where the zip's directory says")
        name = decode_name(stream.take(name_length))
        size, compressed, _ = zip64_values(stream.take(extra_length), size, compressed, 0)
        self.sizes_follow = bool(flags & _SIZES_FOLLOW)
        self.agrees = (crc, compressed, size) == (member.crc, member.compressed, member.size)
        stated = (name, method, flags & UNREADABLE)
        if stated != (member.name, member.method, member.flags & UNREADABLE) or not (
            self.agrees or self.sizes_follow
        ):
            raise CorruptPackageError(f"{member.label}: its own header and the zip's directory disagree")


def _check_content(stream: StoredStream, member: Member, reader: MemberReader | None) -> None:
    packed = stream.pieces(member.compressed)
    crc = size = 0
    for piece in packed if member.method == STORED else _inflated(member, packed):
        crc = isal_zlib.crc32(piece, crc)
        size += len(piece)
        if size > member.size:
            raise CorruptPackageError(f"{member.label} holds more than the zip's directory says")
        if reader is not None:
            reader.feed(piece)
    if (size, crc) != (member.size, member.crc):
        raise CorruptPackageError(
            f"{member.label} is damaged: its checksum is not the one in the zip's directory"
        )
    if reader is not None:
        reader.end()


def _inflated(member: Member, packed: Iterator[memoryview]) -> Iterator[bytes]:
    inflater = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE, hist_bits=15)
    ended = False
    try:
        for piece in packed:
            if ended:
                raise CorruptPackageError(f"{member.label} is damaged: its content ends too early")
            yield inflater.decompress(piece, PIECE)
            while not (inflater.eof or inflater.needs_input):
                yield inflater.decompress(b"", PIECE)
            ended = inflater.eof
    except igzip_lib.IsalError:  # type: ignore[misc]  # its stub has an instance
        raise CorruptPackageError(f"{member.label} is damaged: it cannot be inflated") from None
    if not ended or inflater.unused_data:
        raise CorruptPackageError(f"{member.label} is damaged: its content does not end where it should")


def _descriptor(member: Member, head: _Header, rest: bytes) -> int:
    """Return the length of the data descriptor after the content. It may be absent if the header has the sizes, too."""
    if not rest and head.agrees:
        return 0
    expected = (member.crc, member.compressed, member.size)
    for form in _DESCRIPTORS:
        if len(rest) >= form.size:
            *signature, crc, compressed, size = form.unpack_from(rest)
            if signature in ([], [b"PK\x07\x08"]) and (crc, compressed, size) == expected:
                return form.size
    raise CorruptPackageError(f"{member.label}: what follows its content and the zip's directory disagree")
