"""Check names, sizes and compression of a zip's members, by its directory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from canvas_exports.core.packages.findings import Findings
from canvas_exports.core.packages.proof import Finding, Severity
from canvas_exports.core.packages.zip.directory import Member
from canvas_exports.core.packages.zip.format import DEFLATED, STORED, UNREADABLE
from canvas_exports.errors import CorruptPackageError

# Deflate cannot compress better than 1032 to 1.
MAX_RATIO = 1032
_SLACK = 1024

# A course full of zeros is possible; one that fills a disk when it is unpacked is an attack.
MAX_UNPACKED = 16 * 1024**3
MAX_UNPACKED_RATIO = 100

# Limits of file systems, in characters: a whole path, and each of its parts.
_LONGEST_PATH, _LONGEST_PART = 4096, 1024

_LEADS_OUT = re.compile(r"\A/|\A[A-Za-z]:|\\|\A\Z")
# Control characters, line breaks, and characters that change the direction of writing: the shown name is another one.
_DISGUISED = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]")


def check_members(
    members: Sequence[Member], package_size: int, findings: Findings, *, once: frozenset[str]
) -> None:
    """Check all members by the directory alone, and add what is wrong to ``findings``.

    Args:
        members: of the zip.
        package_size: size of the zip in bytes.
        findings: what is added to.
        once: names that must not occur twice.

    Raises:
        CorruptPackageError: impossible sizes, a zip bomb, or one of ``once`` twice.
    """
    _check_sizes(members, package_size)
    findings.update(_names(members, once))
    findings.update(_packing(members))


def is_readable(member: Member) -> bool:
    """Return whether the content can be read: not encrypted, and stored or deflated."""
    return not member.flags & UNREADABLE and member.method in (STORED, DEFLATED)


def _check_sizes(members: Iterable[Member], package_size: int) -> None:
    total = 0
    for member in members:
        total += member.size
        if not is_readable(member):
            continue
        if member.method == STORED and member.size != member.compressed:
            raise CorruptPackageError(
                f"{member.label} is not compressed, but its size and its space in the zip differ"
            )
        if member.size > MAX_RATIO * member.compressed + _SLACK:
            raise CorruptPackageError(
                f"{member.label} claims {member.size:,} bytes in {member.compressed:,}, which no compression can do"
            )
    if total > max(MAX_UNPACKED, MAX_UNPACKED_RATIO * package_size):
        raise CorruptPackageError(
            f"the zip would unpack to {total:,} bytes, more than {MAX_UNPACKED_RATIO} times its size: a zip bomb"
        )


def _names(members: Iterable[Member], once: frozenset[str]) -> Iterator[Finding]:
    seen: set[str] = set()
    for member in members:
        if member.name in seen:
            if member.name in once:
                raise CorruptPackageError(f"the zip holds {member.name} twice")
            yield Finding("duplicate_name", Severity.WARNING, "two members share a name", member.name)
        seen.add(member.name)
        if problem := _name_problem(member.name):
            yield Finding("unsafe_name", Severity.WARNING, problem, member.name)
        if member.is_special:
            text = "it is a symbolic link or a device: once unpacked, it may lead anywhere"
            yield Finding("special_file", Severity.WARNING, text, member.name)


def _name_problem(name: str) -> str | None:
    """Return what is wrong with a name, or ``None``."""
    parts = name.split("/")
    if _LEADS_OUT.search(name) or ".." in parts:
        return "the name leads out of the package"
    if _DISGUISED.search(name):
        return "the name has control characters: it may look like another name"
    if len(name) > _LONGEST_PATH or max(map(len, parts)) > _LONGEST_PART:
        return "the name is longer than file systems allow"
    return None


def _packing(members: Iterable[Member]) -> Iterator[Finding]:
    for member in members:
        if member.flags & UNREADABLE:
            yield Finding("encrypted", Severity.ERROR, "it is encrypted and cannot be read", member.name)
        elif member.method not in (STORED, DEFLATED):
            yield Finding(
                "unknown_method",
                Severity.ERROR,
                f"it is compressed by method {member.method}, which Canvas cannot unpack",
                member.name,
            )
