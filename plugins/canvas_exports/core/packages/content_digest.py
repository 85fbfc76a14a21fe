"""Compute the content digest: equal for equal content, although Canvas builds a new package at every export."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from canvas_exports.core.packages.cartridge import manifest as cartridge
from canvas_exports.core.packages.cartridge.xml_reader import XmlReader, read_xml
from canvas_exports.core.packages.work_limits import WorkLimit
from canvas_exports.core.packages.zip.directory import Member
from canvas_exports.core.packages.zip.mac_sidecars import is_sidecar
from canvas_exports.errors import HostileXmlError

#: Version of the rules below. It is part of the digest, so digests of other versions are never equal.
VERSION = 2

# It names the course and its Canvas: both are checked apart, and differ once the course has been restored elsewhere.
_IDENTITY = frozenset({cartridge.CONTEXT})
_IDENTIFIERS = frozenset({"identifier", "identifierref"})
_RESOURCE = ["resources", "resource"]
_MAX_TEXT = 1_000_000


def content_digest(
    members: Iterable[Member], manifest: Iterable[bytes] | None = None, work: WorkLimit | None = None
) -> str:
    """Return the SHA-256 over names, sizes and CRCs in the order of the names, and over the manifest.

    Excluded is everything that changes at every export, or with the id of the course, while its content stays the same: the
    order, times and compression of the members, ``course_settings/context.xml``, and of ``imsmanifest.xml`` the day of the
    export, the comments after the root (they hold the export's id; errors in them make a package incomplete), all
    identifiers, white space, and the order of the resources. The side files of macOS are left out too.

    Args:
        members: from the zip's directory.
        manifest: the content of ``imsmanifest.xml``, an iterable that may be read twice; ``None`` for a package without
            one, in which every member counts.
        work: the work limit of the package.

    Raises:
        CorruptPackageError: the manifest cannot be read.
    """
    digest = hashlib.sha256(f"canvas-exports content {VERSION}\n".encode())
    for name, size, crc in counted_members(members, has_manifest=manifest is not None):
        digest.update(f"{name}\0{size}\0{crc:08x}\n".encode())
    if manifest is not None:
        digest.update(manifest_digest(manifest, work))
    return digest.hexdigest()


def counted_members(members: Iterable[Member], *, has_manifest: bool) -> list[tuple[str, int, int]]:
    """Return name, size and CRC of the members that go into the digest, sorted by name."""
    apart = _IDENTITY | {cartridge.MANIFEST} if has_manifest else frozenset()
    return sorted(
        (member.name, member.size, member.crc)
        for member in members
        if member.name not in apart and not is_sidecar(member.name)
    )


def manifest_digest(manifest: Iterable[bytes], work: WorkLimit | None = None) -> bytes:
    """Return the SHA-256 over a manifest, without what ``content_digest`` leaves out.

    Args:
        manifest: its content, an iterable that may be read twice.
        work: the work limit of the package.

    Raises:
        CorruptPackageError: it cannot be read.
    """
    return read_xml(lambda: _ManifestDigest(work), manifest).digest()


class _ManifestDigest(XmlReader):
    """Digest elements, attributes and texts of a manifest, without identifiers and the day of the export."""

    def __init__(self, work: WorkLimit | None) -> None:
        super().__init__(cartridge.MANIFEST, work=work)
        self._whole = self._into = hashlib.sha256()
        self._resources: list[bytes] = []
        self._texts: list[str] = []
        self._length = 0

    def digest(self) -> bytes:
        """Return the digest, once the manifest has been read to its end."""
        for resource in sorted(self._resources):
            self._whole.update(resource)
        return self._whole.digest()

    def start_element(self, space: str, local: str, attributes: dict[str, str]) -> None:
        self._flush_text()
        super().start_element(space, local, attributes)

    def on_start(self, name: str, attributes: dict[str, str]) -> None:
        if self.open[1:] == _RESOURCE:
            self._into = hashlib.sha256()
        qualified = f"{self.space} {name}" if self.space else name
        pairs = [f"{key}={attributes[key]}" for key in sorted(attributes) if key not in _IDENTIFIERS]
        self._add("\0".join(["<", qualified, *pairs, ""]))

    def on_end(self, name: str) -> None:  # noqa: ARG002 - the base's signature
        self._flush_text()
        self._into.update(b">\0")
        if self.open[1:] == _RESOURCE:
            self._resources.append(self._into.digest())
            self._into = self._whole

    def characters(self, text: str) -> None:
        self._texts.append(text)
        self._length += len(text)
        if self._length > _MAX_TEXT:
            raise HostileXmlError(f"{self.name} has a text of more than {_MAX_TEXT:,} characters")

    def _flush_text(self) -> None:
        if not self._texts:
            return
        text = "".join(self._texts).strip()
        self._texts, self._length = [], 0
        if text and not (self.open[-1] == "dateTime" and "lifeCycle" in self.open):
            self._add(f'"\0{text}\0')

    def _add(self, text: str) -> None:
        self.work.spend(len(text), self.name)
        self._into.update(text.encode())
