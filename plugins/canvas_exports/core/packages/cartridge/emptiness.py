"""Decide whether a cartridge is empty: the cartridge of an empty course also has a manifest and settings."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from canvas_exports.core.packages.cartridge.document_readers import DocumentReaders
from canvas_exports.core.packages.cartridge.manifest import MANIFEST, CartridgeManifest
from canvas_exports.core.packages.random_access import BytesNotKeptError, RandomAccess
from canvas_exports.core.packages.work_limits import WorkLimit
from canvas_exports.core.packages.zip.directory import Member, MemberContent
from canvas_exports.core.packages.zip.mac_sidecars import is_sidecar
from canvas_exports.core.packages.zip.members import is_readable

_SETTINGS = "course_settings/"
_SYLLABUS = "course_settings/syllabus.html"

# Files that Canvas writes for every course, also for an empty one.
_OF_EVERY_COURSE = frozenset(
    f"{_SETTINGS}{name}"
    for name in (
        "canvas_export.txt",
        "course_settings.xml",
        "context.xml",
        "assignment_groups.xml",
        "files_meta.xml",
        "late_policy.xml",
        "media_tracks.xml",
    )
)

_MAX_DOCUMENTS = 50
_MAX_DOCUMENT = 4 * 1024 * 1024


def has_content_files(files: AbstractSet[str], manifest: CartridgeManifest) -> bool:
    """Return whether the names alone show content: any file beside the settings, a syllabus, or a module."""
    return (bool(manifest.outline) and any(item.level for item in manifest.outline)) or any(
        name == _SYLLABUS or not (name == MANIFEST or name.startswith(_SETTINGS) or is_sidecar(name))
        for name in files
    )


def read_settings(
    members: Mapping[str, Member], manifest: CartridgeManifest, package: RandomAccess, work: WorkLimit
) -> tuple[bool, dict[str, int]]:
    """Return whether the settings of a course without other content have content themselves, and their counts.

    Canvas may write a list of rubrics, events or the like that has no entries. Such a list is no content.

    Raises:
        CorruptPackageError: a document differs from its entry in the directory.
    """
    documents = [
        member
        for name, member in members.items()
        if name.startswith(_SETTINGS)
        and name not in _OF_EVERY_COURSE
        and not is_sidecar(name)
        and member.size
    ]
    readers = DocumentReaders(manifest, frozenset(members), work, is_qti=False)
    for number, member in enumerate(documents):
        reader = readers.reader_for(member)
        if (
            reader is None
            or number >= _MAX_DOCUMENTS
            or member.size > _MAX_DOCUMENT
            or not is_readable(member)
        ):
            return True, {}
        try:
            for piece in MemberContent(member, package, _MAX_DOCUMENT):
                reader.feed(piece)
        except BytesNotKeptError:
            return True, {}
        reader.end()
    has_content = readers.has_content or any(not member.name.endswith(".xml") for member in documents)
    return has_content, {name: count for name, count in readers.counts.items() if count}
