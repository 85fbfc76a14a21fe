"""The content digest: equal for equal content, though Canvas builds another package at every export."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from xml.parsers import expat

from canvas_exports.archive.proof import cartridge
from canvas_exports.archive.proof.zip_directory import Member
from canvas_exports.errors import CorruptPackageError

#: Of the rules below. It goes into the digest, so digests made by other rules are never equal.
VERSION = 2

# Which course of which Canvas: proven by itself, and another one once the course has been restored elsewhere.
_IDENTITY = frozenset({cartridge.CONTEXT})
_IDENTIFIERS = frozenset({"identifier", "identifierref"})
_RESOURCE = ["resources", "resource"]


def content_digest(members: Iterable[Member], manifest: Iterable[bytes] | None = None) -> str:
    """SHA-256 over names, sizes and CRCs in the order of the names, and over what the manifest says.

    Left out is what changes at every export, or with the course's number, though nobody changed the course: the order,
    times and packing of the members, ``course_settings/context.xml``, and of ``imsmanifest.xml`` the day of the export,
    the comments after the root (they hold the export's id; what they say makes a package incomplete), all identifiers,
    white space, and the order of the resources.

    Args:
        members: from the zip's directory.
        manifest: the content of ``imsmanifest.xml``; ``None`` for a package that has none. Then every member counts.

    Raises:
        CorruptPackageError: the manifest is not well-formed.
    """
    digest = hashlib.sha256(f"canvas-exports content {VERSION}\n".encode())
    for name, size, crc in counted(members, has_manifest=manifest is not None):
        digest.update(f"{name}\0{size}\0{crc:08x}\n".encode())
    if manifest is not None:
        digest.update(sense(manifest))
    return digest.hexdigest()


def counted(members: Iterable[Member], *, has_manifest: bool) -> list[tuple[str, int, int]]:
    """Name, size and CRC of the members that count by themselves, in order."""
    apart = _IDENTITY | {cartridge.MANIFEST} if has_manifest else frozenset()
    return sorted((member.name, member.size, member.crc) for member in members if member.name not in apart)


def sense(manifest: Iterable[bytes]) -> bytes:
    """Digest of what a manifest says, without what ``content_digest`` leaves out.

    Raises:
        CorruptPackageError: it is not well-formed.
    """
    return _Sense().of(manifest)


class _Sense:
    """What a manifest says to a reader: elements, attributes and texts, without identifiers and the day of the export."""

    def __init__(self) -> None:
        self._whole = self._into = hashlib.sha256()
        self._resources: list[bytes] = []
        self._open: list[str] = []
        self._text = ""

    def of(self, pieces: Iterable[bytes]) -> bytes:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        try:
            for piece in pieces:
                parser.Parse(piece, False)
            parser.Parse(b"", True)
        except (expat.ExpatError, LookupError, ValueError):  # the latter two of an unknown encoding
            raise CorruptPackageError(f"{cartridge.MANIFEST} is not well-formed XML") from None
        for resource in sorted(self._resources):
            self._whole.update(resource)
        return self._whole.digest()

    def _start(self, qualified: str, attributes: dict[str, str]) -> None:
        self._say()
        self._open.append(qualified.rpartition(" ")[2])
        if self._open[1:] == _RESOURCE:
            self._into = hashlib.sha256()
        said = [f"{key}={attributes[key]}" for key in sorted(attributes) if key not in _IDENTIFIERS]
        self._into.update("\0".join(["<", qualified, *said, ""]).encode())

    def _end(self, _: str) -> None:
        self._say()
        self._into.update(b">\0")
        if self._open[1:] == _RESOURCE:
            self._resources.append(self._into.digest())
            self._into = self._whole
        self._open.pop()

    def _characters(self, text: str) -> None:
        self._text += text

    def _say(self) -> None:
        text, self._text = self._text.strip(), ""
        if text and not (self._open[-1] == "dateTime" and "lifeCycle" in self._open):
            self._into.update(f'"\0{text}\0'.encode())
