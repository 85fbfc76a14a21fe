"""The zip format: how a file begins, the header of a member, compression methods, flags, names and zip64 values."""

from __future__ import annotations

import struct

from canvas_exports.errors import CorruptPackageError

STORED, DEFLATED = 0, 8

LOCAL = struct.Struct("<4s5HL2L2H")
# Flags of members that cannot be read: encrypted, a patch, strongly encrypted, masked.
UNREADABLE = 0x1 | 0x20 | 0x40 | 0x2000
IN_ZIP64 = 0xFFFFFFFF  # the value is too large for 32 bits and stands in the zip64 extra field
_WIDE = struct.Struct("<Q")
_START_OF_PAGE = 64  # bytes


def check_start(start: bytes) -> None:
    """Check that a file can be a zip, by its first bytes.

    Args:
        start: the first 64 bytes, or all bytes of a shorter file. A single byte is not checked.

    Raises:
        CorruptPackageError: a web page, or another kind of file (retryable).
    """
    if len(start) > 1 and not start.startswith(b"PK"):
        is_page = start[:_START_OF_PAGE].lstrip().startswith(b"<")
        raise CorruptPackageError(
            "a web page arrived instead of the package" if is_page else "this is not a zip"
        )


def zip64_values(extra: bytes, size: int, compressed: int, offset: int) -> tuple[int, int, int]:
    """Return the values, those that do not fit into 32 bits from the zip64 extra field."""
    narrow = [size, compressed, offset]
    if IN_ZIP64 not in narrow:
        return size, compressed, offset
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        field = extra[at + 4 : at + 4 + length]
        at += 4 + length
        if kind != 1:
            continue
        for position, value in enumerate(narrow):
            if value == IN_ZIP64 and len(field) >= _WIDE.size:
                (narrow[position],) = _WIDE.unpack_from(field)
                field = field[_WIDE.size :]
    return narrow[0], narrow[1], narrow[2]


def decode_name(raw: bytes) -> str:
    """Decode the name of a member."""
    # Canvas writes UTF-8 without the flag for it, so the flag is ignored.
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp437")
