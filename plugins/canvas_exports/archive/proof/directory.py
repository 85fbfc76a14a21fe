"""The proof at level ``directory``: is this package whole, and is it the one that was asked for?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from canvas_exports.archive.held import Held, OutOfReachError
from canvas_exports.archive.proof import cartridge
from canvas_exports.archive.proof.common_cartridge import SYLLABUS, check_cartridge
from canvas_exports.archive.proof.content_digest import content_digest
from canvas_exports.archive.proof.file_package import count_files
from canvas_exports.archive.proof.identity import check_identity
from canvas_exports.archive.proof.members import check_members
from canvas_exports.archive.proof.model import Expectation, Finding, Proof, ProofLevel, Severity, Verdict
from canvas_exports.archive.proof.qti import check_qti
from canvas_exports.archive.proof.zip_directory import Member, check_size, inflate, read_directory
from canvas_exports.errors import CorruptPackageError

_MAX_FINDINGS = 200


def prove(held: Held, expect: Expectation) -> Proof:
    """Inspect a package at level ``DIRECTORY``.

    Args:
        held: the package, or what was kept of it; its ``size`` is the number of bytes that arrived.
        expect: what it must be.

    Raises:
        CorruptPackageError: of another length, not a zip, truncated, a directory that lies, or a cartridge without
            a sound manifest (retryable).
        WrongPackageError: the cartridge names another course or another Canvas (permanent).
        OutOfReachError: the proof needs bytes that were not kept.
    """
    return inspect(held, expect).proof(ProofLevel.DIRECTORY)


@dataclass
class Inspection:
    """What the directory and the manifest tell; a deeper look may add to ``findings`` and ``counts``.

    Attributes:
        members: in the order of their offsets.
        manifest: of a cartridge or a QTI package; ``None`` for a file export.
    """

    expect: Expectation
    members: list[Member]
    manifest: cartridge.CartridgeManifest | None
    content_digest: str
    findings: list[Finding]
    counts: dict[str, int]

    def proof(self, level: ProofLevel) -> Proof:
        """The proof, once a level has been looked at wholly."""
        return Proof(
            level=level,
            verdict=self._verdict(),
            findings=_bounded(self.findings),
            member_count=sum(not member.is_folder for member in self.members),
            content_digest=self.content_digest,
            counts=dict(self.counts),
        )

    def _verdict(self) -> Verdict:
        if any(finding.severity is Severity.ERROR for finding in self.findings):
            return Verdict.INCOMPLETE
        content = any(_is_content(member, self.expect) for member in self.members)
        return Verdict.WHOLE if content else Verdict.EMPTY


def inspect(held: Held, expect: Expectation) -> Inspection:
    """All that ``prove`` looks at, and what it saw there. Raises what ``prove`` does."""
    if expect.size is not None and held.size != expect.size:
        raise CorruptPackageError(f"{held.size:,} bytes arrived of the {expect.size:,} that Canvas announced")
    members = read_directory(held)
    findings = check_members(members, held.size)
    counts = {
        "members": sum(not member.is_folder for member in members),
        "folders": sum(member.is_folder for member in members),
        "bytes": sum(member.size for member in members),
    }
    if expect.export_type == "zip":
        counts |= count_files(members)
        return Inspection(expect, members, None, content_digest(members), findings, counts)
    by_name = {member.name: member for member in members if not member.is_folder}
    if cartridge.MANIFEST not in by_name:
        raise CorruptPackageError(f"there is no {cartridge.MANIFEST} in the package")
    _within_reach(held, by_name)
    findings += check_identity(_context(held, by_name), expect)
    manifest = cartridge.read_manifest(_manifest(held, by_name))
    digest = content_digest(members, _manifest(held, by_name))
    check = check_qti if expect.export_type == "qti" else check_cartridge
    found, more = check(manifest, by_name.keys())
    return Inspection(expect, members, manifest, digest, findings + found, counts | more)


def _manifest(held: Held, by_name: Mapping[str, Member]) -> Iterator[bytes]:
    return inflate(by_name[cartridge.MANIFEST], held, limit=cartridge.MAX_MANIFEST)


def _context(held: Held, by_name: Mapping[str, Member]) -> cartridge.CartridgeContext | None:
    if cartridge.CONTEXT not in by_name:
        return None
    return cartridge.read_context(inflate(by_name[cartridge.CONTEXT], held, limit=cartridge.MAX_CONTEXT))


def _is_content(member: Member, expect: Expectation) -> bool:
    """Whether a person put it there: every cartridge has a manifest and settings, that of an empty course too."""
    if member.is_folder:
        return False
    if expect.export_type == "zip":
        return True
    if member.name == SYLLABUS:
        return True
    return member.name != cartridge.MANIFEST and not member.name.startswith("course_settings/")


def _within_reach(held: Held, by_name: Mapping[str, Member]) -> None:
    """Ask for all members at once: another pass over the package should be the last."""
    missing: list[range] = []
    for name, limit in (
        (cartridge.MANIFEST, cartridge.MAX_MANIFEST),
        (cartridge.CONTEXT, cartridge.MAX_CONTEXT),
    ):
        if name in by_name:
            check_size(by_name[name], limit)
            try:
                held.read(by_name[name].extent)
            except OutOfReachError as error:
                missing += error.missing
    if missing:
        raise OutOfReachError(*missing)


def _bounded(findings: list[Finding]) -> tuple[Finding, ...]:
    order = [Severity.ERROR, Severity.WARNING, Severity.INFO]
    findings = sorted(findings, key=lambda finding: order.index(finding.severity))
    if len(findings) <= _MAX_FINDINGS:
        return tuple(findings)
    rest = len(findings) - _MAX_FINDINGS
    severity = findings[_MAX_FINDINGS].severity
    return (*findings[:_MAX_FINDINGS], Finding("more_findings", severity, f"and {rest:,} more findings"))
