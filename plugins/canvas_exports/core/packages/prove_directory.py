"""Prove at level ``directory`` that a package is whole, and that it is the expected one."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.packages.cartridge import manifest as cartridge
from canvas_exports.core.packages.cartridge.documents import odd_xml
from canvas_exports.core.packages.cartridge.emptiness import has_content_files, read_settings
from canvas_exports.core.packages.cartridge.identity import check_identity
from canvas_exports.core.packages.cartridge.package_types import check_cartridge, check_qti, count_files
from canvas_exports.core.packages.cartridge.resources import with_bases
from canvas_exports.core.packages.content_digest import content_digest
from canvas_exports.core.packages.findings import Findings
from canvas_exports.core.packages.proof import Expectation, Proof, Verdict
from canvas_exports.core.packages.random_access import BytesNotKeptError, RandomAccess
from canvas_exports.core.packages.work_limits import WorkLimit
from canvas_exports.core.packages.zip.count_members import count_members
from canvas_exports.core.packages.zip.directory import Member, MemberContent, check_size, read_directory
from canvas_exports.core.packages.zip.members import check_members
from canvas_exports.errors import CorruptPackageError


def prove_directory(package: RandomAccess, expect: Expectation) -> Proof:
    """Prove a package at level ``directory``.

    Args:
        package: the package, or the part of it that was kept; its ``size`` is the number of bytes that arrived.
        expect: the expected package.

    Raises:
        CorruptPackageError: of another length, not a zip, truncated, with a wrong directory, or a cartridge without a valid
            manifest (retryable).
        WrongPackageError: the cartridge names another course or another Canvas (permanent).
        BytesNotKeptError: the proof needs bytes that were not kept.
    """
    return inspect(package, expect).proof(ProofLevel.DIRECTORY)


@dataclass
class Inspection:
    """The results of directory and manifest, to which level ``full`` adds findings and counts.

    Attributes:
        members: in the order of their offsets.
        files: names of the members, without folders.
        manifest: of a cartridge or a QTI package; ``None`` for a file export.
        has_content: whether the package has any content of a person.
        work: the work that is left for the package.
    """

    expect: Expectation
    members: list[Member]
    files: AbstractSet[str]
    manifest: cartridge.CartridgeManifest | None
    content_digest: str
    findings: Findings
    counts: dict[str, int]
    has_content: bool
    work: WorkLimit

    def proof(self, level: ProofLevel) -> Proof:
        """Return the proof, once all checks of a level are done."""
        whole = Verdict.WHOLE if self.has_content else Verdict.EMPTY
        return Proof(
            level=level,
            verdict=Verdict.INCOMPLETE if self.findings.has_errors else whole,
            findings=self.findings.most_severe(),
            member_count=self.counts["members"],
            content_digest=self.content_digest,
            counts=dict(self.counts),
        )


def inspect(package: RandomAccess, expect: Expectation) -> Inspection:
    """Check directory and manifest. Takes the arguments of ``prove_directory`` and raises its errors."""
    if expect.size is not None and package.size != expect.size:
        raise CorruptPackageError(
            f"{package.size:,} bytes arrived of the {expect.size:,} that Canvas announced"
        )
    members = read_directory(package)
    work = WorkLimit(package.size)
    findings = Findings()
    check_members(members, package.size, findings, once=frozenset({cartridge.MANIFEST, cartridge.CONTEXT}))
    counts = count_members(members)
    if expect.export_type == "zip":
        counts |= count_files(members)
        digest, has_content = content_digest(members), counts["files"] > 0
        return Inspection(expect, members, frozenset(), None, digest, findings, counts, has_content, work)
    by_name = {member.name: member for member in members if not member.is_folder}
    if cartridge.MANIFEST not in by_name:
        raise CorruptPackageError(f"there is no {cartridge.MANIFEST} in the package")
    _require_bytes(package, by_name)
    context = _read_context(package, by_name, work)
    findings.update(check_identity(context, expect))
    content = MemberContent(by_name[cartridge.MANIFEST], package, cartridge.MAX_MANIFEST)
    manifest = with_bases(cartridge.read_manifest(content, work), by_name.keys())
    for name, defect in (
        (cartridge.MANIFEST, manifest.defect),
        (cartridge.CONTEXT, context and context.defect),
    ):
        if defect:
            findings.add(odd_xml(name, defect))
    digest = content_digest(members, content, work)
    check = check_qti if expect.export_type == "qti" else check_cartridge
    counts |= check(manifest, by_name.keys(), findings)
    inspection = Inspection(
        expect, members, by_name.keys(), manifest, digest, findings, counts, has_content=True, work=work
    )
    if not has_content_files(by_name.keys(), manifest):
        has_content, counts = read_settings(by_name, manifest, package, work)
        inspection.has_content = has_content
        inspection.counts |= counts
    return inspection


def _read_context(
    package: RandomAccess, by_name: Mapping[str, Member], work: WorkLimit
) -> cartridge.CartridgeContext | None:
    if cartridge.CONTEXT not in by_name:
        return None
    return cartridge.read_context(
        MemberContent(by_name[cartridge.CONTEXT], package, cartridge.MAX_CONTEXT), work
    )


def _require_bytes(package: RandomAccess, by_name: Mapping[str, Member]) -> None:
    """Report the missing bytes of all needed members at once, so that one more pass over the package is enough."""
    missing: list[range] = []
    for name, limit in (
        (cartridge.MANIFEST, cartridge.MAX_MANIFEST),
        (cartridge.CONTEXT, cartridge.MAX_CONTEXT),
    ):
        if name in by_name:
            check_size(by_name[name], limit)
            try:
                package.read(by_name[name].extent)
            except BytesNotKeptError as error:
                missing += error.missing
    if missing:
        raise BytesNotKeptError(*missing)
