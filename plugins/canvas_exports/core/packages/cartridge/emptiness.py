"""Whether anybody has put anything into a course: every cartridge has a manifest and settings, that of an empty course too."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from canvas_exports.core.packages.cartridge.document_readers import Contents
from canvas_exports.core.packages.cartridge.manifest import MANIFEST, CartridgeManifest
from canvas_exports.core.packages.random_access import BytesNotKeptError, RandomAccess
from canvas_exports.core.packages.work_limits import Work
from canvas_exports.core.packages.zip.directory import Member, Unpacked
from canvas_exports.core.packages.zip.mac_sidecars import is_sidecar
from canvas_exports.core.packages.zip.members import is_readable

_SETTINGS = "course_settings/"
_SYLLABUS = "course_settings/syllabus.html"

# What Canvas writes for every course, whether or not somebody has worked in it.
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

_MOST_LOOKED_INTO = 50
_LONGEST = 4 * 1024 * 1024


def holds_content(files: AbstractSet[str], manifest: CartridgeManifest) -> bool:
    """Whether names alone tell that there is content: anything beside the settings, a syllabus, or a module."""
    return (bool(manifest.outline) and any(item.level for item in manifest.outline)) or any(
        name == _SYLLABUS or not (name == MANIFEST or name.startswith(_SETTINGS) or is_sidecar(name))
        for name in files
    )


def look_into_settings(
    members: Mapping[str, Member], manifest: CartridgeManifest, package: RandomAccess, work: Work
) -> tuple[bool, dict[str, int]]:
    """Whether the settings of a course that holds nothing else are more than those of every course, and what they count.

    Canvas may write a list of rubrics, events or the like though there are none: a list without anything in it does not count.

    Raises:
        CorruptPackageError: a document is not what the directory says.
    """
    looked = [
        member
        for name, member in members.items()
        if name.startswith(_SETTINGS)
        and name not in _OF_EVERY_COURSE
        and not is_sidecar(name)
        and member.size
    ]
    contents = Contents(manifest, frozenset(members), work, is_qti=False)
    for number, member in enumerate(looked):
        reader = contents.of(member)
        if reader is None or number >= _MOST_LOOKED_INTO or member.size > _LONGEST or not is_readable(member):
            return True, {}
        try:
            for piece in Unpacked(member, package, _LONGEST):
                reader.feed(piece)
        except BytesNotKeptError:
            return True, {}
        reader.end()
    filled = contents.is_filled or any(not member.name.endswith(".xml") for member in looked)
    return filled, {name: count for name, count in contents.counts.items() if count}
