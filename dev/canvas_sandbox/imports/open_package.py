"""Open an uploaded package: read its zip directory, and leave its bytes where they are."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

from canvas_sandbox.packages.virtual_file import VirtualFile, Window
from canvas_sandbox.packages.zip_layout import Member

_LOCAL_HEADER = 30
_ENCRYPTED = 0x1
_UTF8_NAME = 0x0800
_MAX_MEMBERS = 200_000
_MAX_DOCUMENT = 32 * 1024 * 1024
"""Largest document that describes a course; files are never read."""


class BadPackageError(ValueError):
    """The package cannot be imported; the text goes into the migration's issue."""


class Package:
    """The members of a zip by name, in the order of its directory.

    Raises:
        BadPackageError: not a zip, damaged, encrypted, or larger than any course.
    """

    def __init__(self, file: VirtualFile) -> None:
        try:
            with zipfile.ZipFile(io.BufferedReader(_Reading(file), 1 << 16)) as archive:
                entries = archive.infolist()
        except (zipfile.BadZipFile, ValueError, OSError, struct.error) as error:
            raise BadPackageError("The file is not a zip archive, or it is damaged") from error
        if len(entries) > _MAX_MEMBERS or any(entry.flag_bits & _ENCRYPTED for entry in entries):
            raise BadPackageError("The archive cannot be opened")
        self.members = {member.name: member for member in (_member(entry, file) for entry in entries)}

    def text(self, name: str) -> str:
        """Return a document, or an empty text if it is missing.

        Raises:
            BadPackageError: it is damaged, too large, or not text.
        """
        member = self.members.get(name)
        return "" if member is None else read_text(member)

    def within(self, test: Callable[[str], bool]) -> dict[str, Member]:
        """Return the members whose names pass a test."""
        return {name: member for name, member in self.members.items() if test(name)}


def read_text(member: Member) -> str:
    """Return a member as text.

    Raises:
        BadPackageError: it is damaged, too large, or not text.
    """
    if max(member.size, member.data.size) > _MAX_DOCUMENT:
        raise BadPackageError(f"The document {member.name} is too large")
    packed = VirtualFile([member.data]).read()
    try:
        data = (
            zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, _MAX_DOCUMENT) if member.method else packed
        )
        text = data.decode()
    except (zlib.error, UnicodeDecodeError) as error:
        raise BadPackageError(f"The document {member.name} cannot be read") from error
    if len(data) != member.size or zlib.crc32(data) != member.crc:
        raise BadPackageError(f"The document {member.name} is damaged")
    return text


def _member(entry: zipfile.ZipInfo, file: VirtualFile) -> Member:
    header = file.read(entry.header_offset, entry.header_offset + _LOCAL_HEADER)
    if len(header) != _LOCAL_HEADER or not header.startswith(b"PK\x03\x04"):
        raise BadPackageError("The archive's directory points to nothing")
    start = entry.header_offset + _LOCAL_HEADER + sum(struct.unpack("<HH", header[26:30]))
    stop = start + entry.compress_size
    if stop > file.size:
        raise BadPackageError("The archive's directory points past its end")
    window = Window(file, start, stop)
    return Member(_name(entry), window, entry.file_size, entry.CRC, entry.compress_type)


def _name(entry: zipfile.ZipInfo) -> str:
    """Decode the name as UTF-8, which Canvas writes without the flag for it."""
    if entry.flag_bits & _UTF8_NAME:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode()
    except UnicodeError:
        return entry.filename


class _Reading(io.RawIOBase):
    """A file object over a virtual file, for `zipfile`."""

    def __init__(self, file: VirtualFile) -> None:
        self._virtual = file
        self._at = 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._virtual.size}[whence] + offset
        if self._at < 0:
            raise OSError("before the beginning")
        return self._at

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]  # a buffer is what it is given
        piece = self._virtual.read(self._at, self._at + len(target))
        target[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
