"""What a zip's directory says of its members, and what it may not say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from canvas_exports.archive.proof.cartridge import CONTEXT, MANIFEST
from canvas_exports.archive.proof.model import Finding, Severity
from canvas_exports.archive.proof.zip_directory import DEFLATED, SECRET, STORED, Member
from canvas_exports.errors import CorruptPackageError

# Deflate cannot do better than 1032 to 1, so who claims more lies.
MAX_RATIO = 1032
_SLACK = 1024

# A course full of zeros is possible; one that fills a machine's disk when somebody unpacks it is an attack.
MAX_UNPACKED = 16 * 1024**3
MAX_UNPACKED_RATIO = 100

_UNSAFE = re.compile(r"[\\\x00-\x1f\x7f]|\A/|\A[A-Za-z]:|\A\Z")


def check_members(members: Sequence[Member], package_size: int) -> list[Finding]:
    """Everything that shows in the directory alone.

    Raises:
        CorruptPackageError: sizes that cannot be, a bomb, or ``imsmanifest.xml`` or ``context.xml`` twice.
    """
    _check_sizes(members, package_size)
    return [*_names(members), *_packing(members)]


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
                f"{member.name} is stored as it is, but its size and its room in the zip differ"
            )
        if member.size > MAX_RATIO * member.compressed + _SLACK:
            raise CorruptPackageError(
                f"{member.name} claims {member.size:,} bytes in {member.compressed:,}, which no packing can do"
            )
    if total > max(MAX_UNPACKED, MAX_UNPACKED_RATIO * package_size):
        raise CorruptPackageError(
            f"the zip would unpack to {total:,} bytes, more than {MAX_UNPACKED_RATIO} times its size: a zip bomb"
        )


def _names(members: Iterable[Member]) -> Iterator[Finding]:
    seen: set[str] = set()
    for member in members:
        if member.name in seen:
            if member.name in (MANIFEST, CONTEXT):
                raise CorruptPackageError(f"the zip holds {member.name} twice")
            yield Finding("duplicate_name", Severity.WARNING, "two members share a name", member.name)
        seen.add(member.name)
        if _UNSAFE.search(member.name) or ".." in member.name.split("/"):
            yield Finding("unsafe_name", Severity.WARNING, "the name leads out of the package", member.name)


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
