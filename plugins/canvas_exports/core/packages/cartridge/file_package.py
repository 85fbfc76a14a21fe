"""The checks of a file export (``.zip``): the files of a course, a group or a user, and no manifest.

What Canvas could not read is missing without a word: there is nothing to compare with but the sizes.
"""

from __future__ import annotations

from collections.abc import Iterable

from canvas_exports.core.packages.zip.directory import Member
from canvas_exports.core.packages.zip.mac_sidecars import is_sidecar


def count_files(members: Iterable[Member]) -> dict[str, int]:
    """Counts: how many files, and how many of them are of no bytes."""
    sizes = [member.size for member in members if not member.is_folder and not is_sidecar(member.name)]
    return {"files": len(sizes), "empty_files": sizes.count(0)}
