"""Count the members of a package by its zip directory alone."""

from __future__ import annotations

from collections.abc import Iterable

from canvas_exports.core.packages.zip.directory import Member
from canvas_exports.core.packages.zip.format import UNREADABLE
from canvas_exports.core.packages.zip.mac_sidecars import is_sidecar

#: Endings of files that Windows, macOS or Android start as programs when a person opens them. Source code is not among them.
EXECUTABLE = frozenset(
    [
        "apk",
        "appx",
        "bat",
        "cmd",
        "com",
        "cpl",
        "dll",
        "dmg",
        "exe",
        "gadget",
        "hta",
        "jar",
        "jse",
        "lnk",
        "msc",
        "msi",
        "msix",
        "msp",
        "pif",
        "pkg",
        "ps1",
        "psm1",
        "reg",
        "scr",
        "sct",
        "vbe",
        "vbs",
        "ws",
        "wsc",
        "wsf",
        "wsh",
    ]
)


def count_members(members: Iterable[Member]) -> dict[str, int]:
    """Return the numbers of members, folders, bytes, empty files, executables and encrypted members, without Mac sidecars.

    An executable is recognised by the end of its name, not by its content.
    """
    counts = dict.fromkeys(("members", "folders", "bytes", "empty_files", "executables", "encrypted"), 0)
    for member in members:
        if is_sidecar(member.name):
            continue
        counts["folders" if member.is_folder else "members"] += 1
        counts["bytes"] += member.size
        if member.is_folder:
            continue
        counts["empty_files"] += not member.size
        counts["executables"] += is_executable(member.name)
        counts["encrypted"] += bool(member.flags & UNREADABLE)
    return counts


def is_executable(name: str) -> bool:
    """Return whether a file's name ends as that of a program; Windows ignores blanks and dots at its end."""
    return name.rstrip(" .").rpartition(".")[2].lower() in EXECUTABLE
