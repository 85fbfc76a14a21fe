"""What a zip's directory says of its members, and what it may not say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from canvas_exports.core.packages.findings import Findings
from canvas_exports.core.packages.proof import Finding, Severity
from canvas_exports.core.packages.zip.directory import DEFLATED, SECRET, STORED, Member
from canvas_exports.errors import CorruptPackageError

# Deflate cannot do better than 1032 to 1, so who claims more lies.
MAX_RATIO = 1032
_SLACK = 1024

# A course full of zeros is possible; one that fills a machine's disk when somebody unpacks it is an attack.
MAX_UNPACKED = 16 * 1024**3
MAX_UNPACKED_RATIO = 100

# What file systems can hold at most, in characters: the whole of a path, and each of its parts.
_LONGEST_PATH, _LONGEST_PART = 4096, 1024

_LEADS_OUT = re.compile(r"\A/|\A[A-Za-z]:|\\|\A\Z")
# Control characters, line breaks, and all that turn the direction of writing: what is shown is not what is there.
_DISGUISED = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]")


def check_members(
    members: Sequence[Member], package_size: int, findings: Findings, *, once: frozenset[str]
) -> None:
    """Everything that shows in the directory alone goes to ``findings``.

    Raises:
        CorruptPackageError: sizes that cannot be, a bomb, or ``imsmanifest.xml`` or ``context.xml`` twice.
    """
    _check_sizes(members, package_size)
    findings.update(_names(members, once))
    findings.update(_packing(members))


def is_readable(member: Member) -> bool:
    """Whether its content can be read here: not encrypted, and stored or deflated."""
    return not member.flags & SECRET and member.method in (STORED, DEFLATED)


def _check_sizes(members: Iterable[Member], package_size: int) -> None:
    total = 0
    for member in members:
        total += member.size
        if not is_readable(member):
            continue
        if member.method == STORED and member.size != member.compressed:
            raise CorruptPackageError(
                f"{member.label} is stored as it is, but its size and its room in the zip differ"
            )
        if member.size > MAX_RATIO * member.compressed + _SLACK:
            raise CorruptPackageError(
                f"{member.label} claims {member.size:,} bytes in {member.compressed:,}, which no packing can do"
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
        if danger := _danger(member.name):
            yield Finding("unsafe_name", Severity.WARNING, danger, member.name)
        if member.is_special:
            text = "it is a symbolic link or a device: unpacked, it may lead anywhere"
            yield Finding("special_file", Severity.WARNING, text, member.name)


def _danger(name: str) -> str | None:
    """What is wrong with a name; ``None``: nothing."""
    parts = name.split("/")
    if _LEADS_OUT.search(name) or ".." in parts:
        return "the name leads out of the package"
    if _DISGUISED.search(name):
        return "the name holds characters that control how it is shown: it may look like another one"
    if len(name) > _LONGEST_PATH or max(map(len, parts)) > _LONGEST_PART:
        return "the name is longer than file systems can hold"
    return None


def _packing(members: Iterable[Member]) -> Iterator[Finding]:
    for member in members:
        if member.flags & SECRET:
            yield Finding("encrypted", Severity.ERROR, "it is encrypted: nobody can read it", member.name)
        elif member.method not in (STORED, DEFLATED):
            yield Finding(
                "unknown_method",
                Severity.ERROR,
                f"it is packed by method {member.method}, which Canvas cannot unpack",
                member.name,
            )
